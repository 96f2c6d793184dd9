import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App, SignedIn } from '../../http/fastify.ts'
import { equalTexts } from '../../keys/key-ring.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { codeOf } from '../../keys/codes.ts'
import { countCodeTry, takeBackCodeTry } from '../../accounts/code-failures.ts'
import { findPhoneChangeOf, usePhoneChange } from '../../accounts/phone-changes.ts'
import { Code, toUser, User } from '../schemas.ts'
import { lockUser, type PublicUserRow, setPhone } from '../../accounts/users.ts'
import { commit } from '../../accounts/write.ts'

const schema = {
  operationId: 'confirmPhone',
  tags: ['Me'],
  summary: 'Confirm my phone number with the code',
  description:
    'The response is the same for a wrong, expired or used code and if no number is pending. You have five attempts; after that, one attempt per hour, at most twenty per day. The code confirms the phone number only; it does not verify an email address.',
  body: Type.Object({ code: Code }, { additionalProperties: false }),
  response: { 200: User },
  errors: ['invalid_code'] as const,
}

export function confirmPhoneRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/me/phone/confirm', { schema, ...guards.user }, async (request) => {
    const session = sessionOf(request)
    const { userId, user } = session
    const budget = { email: user.email_canonical, purpose: 'phone' } as const
    // Committed before the comparison, so that concurrent guesses cannot exceed the budget.
    const tryMs = ctx.now()
    const allowed = await ctx.transaction((tx) => countCodeTry(tx, budget, tryMs))
    const change = allowed ? await findPhoneChangeOf(ctx.db, userId, ctx.now()) : undefined
    const code = change && codeOf(ctx.keys, 'phone', change)
    if (change === undefined || !equalTexts(code ?? '', request.body.code))
      throw new AppError('invalid_code')
    return toUser(ctx, await confirm(ctx, session, change, { ...budget, tryMs }))
  })
}

/** Throws `invalid_code` when the code has been used or replaced, or the user deleted. */
function confirm(
  ctx: Context,
  actor: SignedIn,
  change: { id: string; user_id: number; phone: string },
  { tryMs, ...budget }: { email: string; purpose: 'phone'; tryMs: number },
): Promise<PublicUserRow> {
  return commit(ctx, actor.cause, async (write) => {
    const { tx, nowMs, record } = write
    await lockSelf(write, actor)
    if (!(await usePhoneChange(tx, change.id, nowMs))) throw new AppError('invalid_code')
    const subjectId = change.user_id
    await setPhone(tx, subjectId, { phone: change.phone, nowMs })
    await takeBackCodeTry(tx, budget, tryMs)
    await record('phone.changed', { subjectId })
    const user = await lockUser(tx, change.user_id)
    if (user === undefined) throw new AppError('invalid_code')
    return user
  })
}
