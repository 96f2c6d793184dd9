import type { Context } from '../context.ts'
import type { OutboxPayloads } from '../outbox/outbox.ts'
import {
  emailChangedMail,
  emailConfirmedMail,
  emailUndoneMail,
  leftPasswordChangedMail,
} from './mails.ts'
import { findEmailChange, isUndoable, undoTokenOf } from '../accounts/email-changes.ts'
import { userById } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

type Payload = OutboxPayloads['email_changed']

/** For the address that an account left, with the way back; none once that is closed. */
export async function tellEmailChanged(ctx: Context, payload: Payload): Promise<Mail | undefined> {
  const found = await findLive(ctx, payload)
  const undoable = await findUndoable(ctx, payload.emailChangeId)
  return found && undoable && emailChangedMail(ctx.config.shop, { ...found.told, ...undoable })
}

/** The same way back, once the password was changed or reset after the address. */
export async function tellPasswordChangedToLeft(
  ctx: Context,
  { emailChangeId, at }: OutboxPayloads['password_changed_left'],
): Promise<Mail | undefined> {
  const undoable = await findUndoable(ctx, emailChangeId)
  return undoable && leftPasswordChangedMail(ctx.config.shop, { ...undoable, at })
}

/** For the address that an account has now. */
export async function tellEmailConfirmed(
  ctx: Context,
  payload: Payload,
): Promise<Mail | undefined> {
  const found = await findLive(ctx, payload)
  return found && emailConfirmedMail(ctx.config.shop, { ...found.told, to: found.change.email })
}

/** For the address that an account had until the change to it was undone. */
export async function tellEmailUndone(
  ctx: Context,
  payload: OutboxPayloads['email_undone'],
): Promise<Mail> {
  return emailUndoneMail(ctx.config.shop, payload)
}

/** A confirmed change that was not undone, with what every mail about it says. */
async function findLive(ctx: Context, { emailChangeId, ip, userAgent }: Payload) {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change?.confirmed_at == null || !isUndoable(change, ctx.now())) return undefined
  const user = await ctx.lookUp(userById, change.user_id)
  return user && { change, told: { at: change.confirmed_at, ip, userAgent, locale: user.locale } }
}

/** For whom a mail with the way back is, and the way; undefined once it is closed, or its key gone. */
async function findUndoable(ctx: Context, emailChangeId: string) {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change === undefined || !isUndoable(change, ctx.now())) return undefined
  const user = await ctx.lookUp(userById, change.user_id)
  const token = undoTokenOf(ctx.keys, change)
  if (user === undefined || token === undefined) return undefined
  const { old_email: to, undo_until: undoUntil } = change
  const { publicUrl } = ctx.config
  return { to, locale: user.locale, publicUrl, token, undoUntil: undoUntil ?? '' }
}
