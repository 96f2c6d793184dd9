import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { Tx } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { type Client, clientOf } from '../../http/client.ts'
import type { App, SignedIn } from '../../http/fastify.ts'
import { equalTexts } from '../../keys/key-ring.ts'
import { assertStillAllowed, type Guards, sessionOf } from '../guards.ts'
import { codeOf } from '../../keys/codes.ts'
import { findUserByEmail } from '../../accounts/addresses.ts'
import { countCodeTry, takeBackCodeTry } from '../../accounts/code-failures.ts'
import {
  confirmEmailChange,
  countKeyOf,
  type EmailChangeRow,
  findPendingEmailChangeOf,
  isEmailReserved,
} from '../../accounts/email-changes.ts'
import { Code, toUser, User } from '../schemas.ts'
import { moveUser } from '../../accounts/user-moves.ts'
import { lockUser, lockUsers, type PublicUserRow } from '../../accounts/users.ts'
import { commit, type Write } from '../../accounts/write.ts'
import { erase } from '../../accounts/erase.ts'

const schema = {
  operationId: 'confirmEmail',
  tags: ['Me'],
  summary: 'Confirm my new email address with the code',
  description:
    'Changes the address of the account; log in with the new address from now on. The previous address is notified and stays reserved for 72 hours, during which it can undo the change. All other sessions are ended; password reset links and a pending phone number become invalid. An unverified sign-up of the new address is deleted. The response is the same for a wrong, expired or used code, if no address is pending, and if the address has been taken in the meantime. Each user and each new address has five attempts; after that, one attempt per hour, at most twenty per day.',
  body: Type.Object({ code: Code }, { additionalProperties: false }),
  response: { 200: User },
  errors: ['invalid_code'] as const,
}

interface Proven {
  readonly change: EmailChangeRow
  readonly tryMs: number
  readonly client: Client
}

export function confirmEmailRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/me/email/confirm', { schema, ...guards.user }, async (request) => {
    const actor = sessionOf(request)
    // Committed before the comparison, so that concurrent guesses cannot exceed the budget.
    const tryMs = ctx.now()
    const change = await ctx.transaction((tx) => countTry(ctx, tx, actor, tryMs))
    const code = change && codeOf(ctx.keys, 'email', change)
    if (change === undefined || !equalTexts(code ?? '', request.body.code))
      throw new AppError('invalid_code')
    const proven = { change, tryMs, client: clientOf(request) }
    const user = await commit(ctx, actor.cause, (write) => confirm(write, actor, proven))
    return toUser(ctx, user)
  })
}

/**
 * Counts an attempt for the user and for the new address, and returns the pending change unless a budget
 * is exhausted. Counting by user alone would grant new guesses to each of a series of deleted accounts.
 */
async function countTry(
  ctx: Context,
  tx: Tx,
  { userId, user }: SignedIn,
  tryMs: number,
): Promise<EmailChangeRow | undefined> {
  const userBudget = { email: user.email_canonical, purpose: 'email' } as const
  if (!(await countCodeTry(tx, userBudget, tryMs))) return undefined
  const change = await findPendingEmailChangeOf(tx, userId, tryMs)
  if (change === undefined) return undefined
  return (await countCodeTry(tx, addressBudget(ctx, change), tryMs)) ? change : undefined
}

const addressBudget = ({ keys }: Context, { email_canonical: to }: EmailChangeRow) =>
  ({ email: countKeyOf(keys, to), purpose: 'new_email' }) as const

/** Throws `invalid_code` when the code has been used or replaced, or the address has been taken. */
async function confirm(
  write: Write,
  actor: SignedIn,
  { change, tryMs, client }: Proven,
): Promise<PublicUserRow> {
  const { ctx, tx, nowMs, record, enqueue } = write
  const user = await lockBoth(write, actor, change.email_canonical)
  if (!(await confirmEmailChange(tx, change.id, nowMs))) throw new AppError('invalid_code')
  await takeBackCodeTry(tx, { email: user.email_canonical, purpose: 'email' }, tryMs)
  const ended = await takeAddress(write, user, { change, keep: actor.sessionId })
  if (ended === undefined) throw new AppError('invalid_code')
  // In the same order as `countTry`, to prevent deadlocks.
  await takeBackCodeTry(tx, addressBudget(ctx, change), tryMs)

  const userId = user.id
  const changes = { email_change_id: change.id, sessions_ended: ended }
  await record('email.changed', { subjectId: userId, changes })
  const payload = { emailChangeId: change.id, ...client }
  await enqueue('email_changed', payload, { userId, email: user.email_canonical })
  await enqueue('email_confirmed', payload, { userId, email: change.email_canonical })
  return (await lockUser(tx, userId)) ?? user
}

/**
 * Locks the user and an unverified account of the address, always in the order of their ids, to prevent
 * deadlocks.
 */
async function lockBoth(
  write: Write,
  actor: SignedIn,
  emailCanonical: string,
): Promise<PublicUserRow> {
  const holder = await findUserByEmail(write.tx, emailCanonical)
  if (holder?.verified_at != null) throw new AppError('invalid_code')
  const ids = holder === undefined ? [actor.userId] : [actor.userId, holder.id]
  const locked = await lockUsers(write.tx, ids, { withActiveAdmins: false })
  const row = locked.find(({ id }) => id === actor.userId)
  return (await assertStillAllowed(write, { actor, row, access: 'user' })).row
}

/** Returns the number of ended sessions; undefined when another account has verified the address. */
async function takeAddress(
  write: Write,
  user: PublicUserRow,
  { change, keep }: { change: EmailChangeRow; keep: string },
): Promise<number | undefined> {
  const { tx, nowMs } = write
  const { email, email_canonical: emailCanonical } = change
  const holder = await findUserByEmail(tx, emailCanonical)
  if (holder?.verified_at != null) return undefined
  if (holder !== undefined) await erase(write, [holder], { unverified: {} })
  const ended = await moveUser(write, user, { email, emailCanonical, keep })
  if (ended !== undefined || (await isEmailReserved(tx, emailCanonical, nowMs))) return ended
  // A concurrent, unverified sign-up has taken the address: erase it in a second pass.
  return takeAddress(write, user, { change, keep })
}
