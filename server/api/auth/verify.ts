import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { type Cause, causeOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { Email, Uuid } from '../../http/schemas.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { equalTexts } from '../../keys/key-ring.ts'
import { codeOf } from '../../keys/codes.ts'
import { clearCodeFailures, countCodeTry } from '../../accounts/code-failures.ts'
import {
  deleteSignUpsOf,
  findPendingSignUps,
  findSignUp,
  selectSignUps,
  type SignUpRow,
} from '../../accounts/sign-ups.ts'
import { deleteInvitationOf } from '../../accounts/invitations.ts'
import { revokePasswordResetsOf } from '../../accounts/resets.ts'
import { Code } from '../schemas.ts'
import { activateUser, lockUser } from '../../accounts/users.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { commit } from '../../accounts/write.ts'

/**
 * Finding and comparing the sign-ups of an address takes about 70 µs, which revealed a pending address in
 * 63 of 100 trials. Refusals are therefore sent a fixed time after the start of the request.
 */
const REFUSED_AFTER_MS = 10

const schema = {
  operationId: 'verify',
  tags: ['Authentication'],
  summary: 'Verify an address with the emailed code',
  description:
    'Activates the password and the name of the sign-up that the code belongs to and discards all other sign-ups of the address. `sign_up_id` restricts the check to that sign-up; always send it. Without it, and if the pending sign-ups came from several networks, only those from the network of this request count: a user could otherwise enter the code of a stranger’s sign-up and give the account to its password. A user who cannot tell the emails apart sets a password with `/auth/password/forgot`, which verifies the address, too. The response is the same for an unknown address and for a wrong, expired or used code. Each address has five attempts; after that, one attempt per hour, at most twenty per day.',
  body: Type.Object(
    {
      email: Email,
      code: Code,
      sign_up_id: Type.Optional(Uuid('The `sign_up_id` from the response to the sign-up.')),
    },
    { title: 'Verification', additionalProperties: false },
  ),
  response: {
    200: Type.Object(
      { message: Type.Literal('User verified successfully') },
      { description: 'The address is verified. Log in with the password of that sign-up.' },
    ),
  },
  errors: ['invalid_code'] as const,
}

export function verifyRoute(app: App, ctx: Context): void {
  const config = { form: true, limits: ['verify_network'] } as const
  app.post('/auth/verify', { schema, config }, async (request) => {
    const { code, sign_up_id: id, ...body } = request.body
    const email = canonicalEmail(body.email) ?? ''
    const minimumTime = delay(REFUSED_AFTER_MS)
    // Committed before the comparison, so that concurrent guesses cannot exceed the budget.
    const allowed = await ctx.transaction((tx) =>
      countCodeTry(tx, { email, purpose: 'verify' }, ctx.now()),
    )
    const signUp = allowed
      ? await findProven(ctx, email, { code, id, network: networkKeyOf(request) })
      : undefined
    if (
      signUp === undefined ||
      !(await activate(ctx, signUp, { email, cause: causeOf(request) }))
    ) {
      await minimumTime
      throw new AppError('invalid_code')
    }
    return { message: 'User verified successfully' as const }
  })
}

async function findProven(
  ctx: Context,
  email: string,
  { code, id, network }: { code: string; id: string | undefined; network: string },
): Promise<SignUpRow | undefined> {
  const pending = await findPendingSignUps(ctx.db, email, {
    nowMs: ctx.now(),
    cutoff: expiryCutoff(ctx),
  })
  return selectSignUps(pending, { id, network }).find((signUp) =>
    equalTexts(codeOf(ctx.keys, 'verify', signUp) ?? '', code),
  )
}

/** False when a concurrent request was first, or the account or sign-up has been deleted. */
function activate(
  ctx: Context,
  proven: SignUpRow,
  { email, cause }: { email: string; cause: Cause },
): Promise<boolean> {
  return commit(ctx, cause, async ({ tx, nowMs, record }) => {
    const user = await lockUser(tx, proven.user_id)
    // Using a sign-up deletes it, so one that still exists under the lock is unused.
    const signUp = await findSignUp(tx, proven.id)
    if (signUp === undefined) return false
    const activated = await activateUser(tx, signUp.user_id, {
      email: signUp.email,
      fullName: signUp.full_name,
      locale: signUp.locale,
      passwordHash: signUp.password_hash,
      cutoff: expiryCutoff(ctx),
      nowMs,
    })
    if (!activated) return false
    await deleteSignUpsOf(tx, signUp.user_id)
    // Its role goes to who opened its mail: a sign-up, and its password, may be a stranger's.
    if (user?.invited_until != null) await deleteInvitationOf(tx, signUp.user_id)
    await revokePasswordResetsOf(tx, { id: signUp.user_id, email_canonical: email }, nowMs)
    await clearCodeFailures(tx, { email, purpose: 'verify' })
    const changes = { sign_up_id: signUp.id }
    await record('user.verified', { subjectId: signUp.user_id, changes })
    return true
  })
}
