import { Type } from 'typebox'
import { blankEventsOf, recordEvent } from '../../audit/events.ts'
import type { Context } from '../../context.ts'
import type { Tx } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { type Client, clientOf } from '../../http/client.ts'
import type { App, SignedIn } from '../../http/fastify.ts'
import { enqueueMail, forgetMessagesOf } from '../../outbox/outbox.ts'
import { equalTexts } from '../../keys/key-ring.ts'
import { toIso } from '../../lib/units.ts'
import { assertStillAllowed, type Guards, sessionOf } from '../guards.ts'
import { codeOf } from '../../keys/codes.ts'
import { deleteUnverifiedUser, findUserByEmail } from '../../accounts/addresses.ts'
import {
  countCodeTry,
  forgetCodeFailuresOf,
  takeBackCodeTry,
} from '../../accounts/code-failures.ts'
import {
  confirmEmailChange,
  countKeyOf,
  type EmailChangeRow,
  findPendingEmailChangeOf,
  findReservation,
  isEmailReserved,
  undoEmailChange,
} from '../../accounts/email-changes.ts'
import { Code, toUser, User } from '../schemas.ts'
import { moveUser } from '../../accounts/user-moves.ts'
import { lockUser, lockUsers, type PublicUserRow } from '../../accounts/users.ts'
import { keptOfDeleted } from '../../accounts/expiry.ts'

const schema = {
  operationId: 'confirmEmail',
  tags: ['Me'],
  summary: 'Confirm my new email address with the code',
  description:
    'From then on the new address logs in. The address before is told, can have the change undone for 72 hours and is nobody else’s for as long. Every other session ends; links to reset the password and a phone number that waits for its code become void. A sign-up of the new address that nobody has verified is deleted. The answer is the same for a wrong, expired or used code and when no address waits or it was taken meanwhile. Five wrong codes, then one more every hour and at most twenty a day, for each user and for each new address, whoever asks.',
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
    // Committed before anything is compared: 200 guesses at once are still five.
    const tryMs = ctx.now()
    const change = await ctx.transaction((tx) => countTry(ctx, tx, actor, tryMs))
    const code = change && codeOf(ctx.keys, 'email', change)
    if (change === undefined || !equalTexts(code ?? '', request.body.code))
      throw new AppError('invalid_code')
    const proven = { change, tryMs, client: clientOf(request) }
    const user = await ctx.transaction((tx) => confirm(ctx, tx, actor, proven))
    ctx.wakeMail()
    return toUser(ctx, user)
  })
}

/**
 * The change that waits, if its code may be tried: counted for the user, and for the new address, or
 * one account after the other, deleted in between, would have guesses of its own.
 */
async function countTry(
  ctx: Context,
  tx: Tx,
  { userId, user }: SignedIn,
  tryMs: number,
): Promise<EmailChangeRow | undefined> {
  const own = { email: user.email_canonical, purpose: 'email' } as const
  if (!(await countCodeTry(tx, own, tryMs))) return undefined
  const change = await findPendingEmailChangeOf(tx, userId, tryMs)
  if (change === undefined) return undefined
  return (await countCodeTry(tx, addressBudget(ctx, change), tryMs)) ? change : undefined
}

const addressBudget = ({ keys }: Context, { email_canonical: to }: EmailChangeRow) =>
  ({ email: countKeyOf(keys, to), purpose: 'new_email' }) as const

/** Throws `invalid_code` when the code was used or replaced, or the address taken, meanwhile. */
async function confirm(
  ctx: Context,
  tx: Tx,
  actor: SignedIn,
  { change, tryMs, client }: Proven,
): Promise<PublicUserRow> {
  const user = await lockBoth(ctx, tx, { actor, emailCanonical: change.email_canonical })
  const nowMs = ctx.now()
  if (!(await confirmEmailChange(tx, change.id, nowMs))) throw new AppError('invalid_code')
  await takeBackCodeTry(tx, { email: user.email_canonical, purpose: 'email' }, tryMs)
  const ended = await takeAddress(ctx, tx, user, { change, actor })
  if (ended === undefined) throw new AppError('invalid_code')
  // Last of the budgets, as they are counted: nobody waits for another in a circle.
  await takeBackCodeTry(tx, addressBudget(ctx, change), tryMs)

  const changes = { email_change_id: change.id, sessions_ended: ended }
  const event = { event: 'email.changed', subjectId: user.id, ...actor.cause, changes } as const
  await recordEvent(tx, event, nowMs)
  await tellBoth(tx, user, { change, client, nowMs })
  return (await lockUser(tx, user.id)) ?? user
}

/**
 * Locks the user and whoever signed the address up, in one order for all: two such changes never wait for
 * each other in a circle.
 */
async function lockBoth(
  ctx: Context,
  tx: Tx,
  { actor, emailCanonical }: { actor: SignedIn; emailCanonical: string },
): Promise<PublicUserRow> {
  const holder = await findUserByEmail(tx, emailCanonical)
  if (holder?.verified_at != null) throw new AppError('invalid_code')
  const ids = holder === undefined ? [actor.userId] : [actor.userId, holder.id]
  const locked = await lockUsers(tx, ids, { withActiveAdmins: false })
  const row = locked.find(({ id }) => id === actor.userId)
  await assertStillAllowed(ctx, tx, { actor, row, access: 'user' })
  return row ?? actor.user
}

/** How many sessions ended; undefined when the address is somebody else's, who proved it. */
async function takeAddress(
  ctx: Context,
  tx: Tx,
  user: PublicUserRow,
  { change, actor }: { change: EmailChangeRow; actor: SignedIn },
): Promise<number | undefined> {
  const { email, email_canonical: emailCanonical } = change
  const holder = await findUserByEmail(tx, emailCanonical)
  if (holder?.verified_at != null) return undefined
  if (holder !== undefined) await removeUnverified(ctx, tx, { holder, actor })
  const nowMs = ctx.now()
  const move = { email, emailCanonical, nowMs, keep: actor.sessionId }
  const ended = await moveUser(tx, user, move)
  if (ended !== undefined || (await isEmailReserved(tx, emailCanonical, nowMs))) return ended
  // Signed up while the index made us wait: whoever did has proved nothing yet.
  return takeAddress(ctx, tx, user, { change, actor })
}

async function removeUnverified(
  ctx: Context,
  tx: Tx,
  { holder, actor }: { holder: PublicUserRow; actor: SignedIn },
): Promise<void> {
  if (!(await deleteUnverifiedUser(tx, holder.id))) return
  const nowMs = ctx.now()
  await forgetCodeFailuresOf(tx, [holder.email_canonical])
  await forgetMessagesOf(tx, [holder], nowMs, keptOfDeleted(ctx))
  await blankEventsOf(tx, [holder.id], ctx.batchMax)
  const event = { event: 'user.deleted', subjectId: holder.id, ...actor.cause } as const
  await recordEvent(tx, event, nowMs)
}

/**
 * The address before gets the way back. An account that goes back to an address it left lately takes
 * that way itself: the one it leaves, perhaps a thief's, gets none.
 */
async function tellBoth(
  tx: Tx,
  user: PublicUserRow,
  { change, client, nowMs }: { change: EmailChangeRow; client: Client; nowMs: number },
): Promise<void> {
  const { id: userId, email: to, email_canonical: old, locale } = user
  const options = { nowMs, userId }
  const left = await findReservation(tx, change.email_canonical, nowMs)
  if (left !== undefined) {
    await undoEmailChange(tx, left, nowMs)
    const payload = { to, locale, at: toIso(nowMs) }
    return enqueueMail(tx, 'email_undone', payload, { ...options, email: old })
  }
  const payload = { emailChangeId: change.id, ...client }
  await enqueueMail(tx, 'email_changed', payload, { ...options, email: old })
  const email = change.email_canonical
  await enqueueMail(tx, 'email_confirmed', payload, { ...options, email })
}
