import type { Context } from '../context.ts'
import { originOf, undoLink, writeMail } from './mails.ts'
import {
  findEmailChange,
  isUndoable,
  undoTokenOf,
  type EmailChangeRow,
} from '../accounts/email-changes.ts'
import { userById, type PublicUserRow } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Client } from '../http/client.ts'

type Payload = Client & { emailChangeId: string }

/** Notifies the previous address, with an undo link; undefined once the undo period is over. */
export async function notifyEmailChanged(
  ctx: Context,
  payload: Payload,
): Promise<Mail | undefined> {
  const found = await findUndoable(ctx, payload.emailChangeId)
  if (found === undefined) return undefined
  const facts = { ...undoOf(ctx, found), ...factsOf(found, payload) }
  return writeMail(ctx.config.shop, 'emailChanged', facts)
}

/** Notifies the previous address, with the same undo link, about a later change of the password. */
export async function notifyPreviousAddressOfPassword(
  ctx: Context,
  { emailChangeId, at }: { emailChangeId: string; at: string },
): Promise<Mail | undefined> {
  const found = await findUndoable(ctx, emailChangeId)
  if (found === undefined) return undefined
  const facts = { ...undoOf(ctx, found), at }
  return writeMail(ctx.config.shop, 'previousAddressPasswordChanged', facts)
}

/** Notifies the new address. */
export async function notifyEmailConfirmed(
  ctx: Context,
  payload: Payload,
): Promise<Mail | undefined> {
  const found = await findUndoable(ctx, payload.emailChangeId)
  if (found === undefined) return undefined
  const { change, user } = found
  const recipient = { to: change.email, locale: user.locale }
  return writeMail(ctx.config.shop, 'emailConfirmed', { ...recipient, ...factsOf(found, payload) })
}

interface Undoable {
  readonly change: EmailChangeRow
  readonly user: PublicUserRow
}

/** A confirmed change and its user; undefined once the undo period is over. */
async function findUndoable(ctx: Context, emailChangeId: string): Promise<Undoable | undefined> {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change === undefined || !isUndoable(change, ctx.now())) return undefined
  const user = await ctx.lookUp(userById, change.user_id)
  return user && { change, user }
}

function factsOf({ change }: Undoable, client: Client) {
  return { at: change.confirmed_at ?? '', from: originOf(client) }
}

/** The recipient and the undo link. Throws MissingKeyError. */
function undoOf(ctx: Context, { change, user }: Undoable) {
  const token = undoTokenOf(ctx.keys, change)
  const { old_email: to, undo_until: until } = change
  return { to, locale: user.locale, link: undoLink(ctx.config, token), until: until ?? '' }
}
