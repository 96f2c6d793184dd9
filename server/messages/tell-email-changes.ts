import type { Context } from '../context.ts'
import { originOf, undoLink, writeMail } from './mails.ts'
import { findEmailChange, isUndoable, undoTokenOf } from '../accounts/email-changes.ts'
import { userById } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Client } from '../http/client.ts'

type Payload = Client & { emailChangeId: string }

/** For the address that an account left, with the way back; none once that is closed. */
export async function tellEmailChanged(ctx: Context, payload: Payload): Promise<Mail | undefined> {
  const found = await findLive(ctx, payload)
  const undoable = await findUndoable(ctx, payload.emailChangeId)
  return (
    found && undoable && writeMail(ctx.config.shop, 'emailChanged', { ...found.facts, ...undoable })
  )
}

/** The same way back, once the password was changed or reset after the address. */
export async function tellFormerAddressOfPassword(
  ctx: Context,
  { emailChangeId, at }: { emailChangeId: string; at: string },
): Promise<Mail | undefined> {
  const undoable = await findUndoable(ctx, emailChangeId)
  return undoable && writeMail(ctx.config.shop, 'leftPasswordChanged', { ...undoable, at })
}

/** For the address that an account has now. */
export async function tellEmailConfirmed(
  ctx: Context,
  payload: Payload,
): Promise<Mail | undefined> {
  const found = await findLive(ctx, payload)
  if (found === undefined) return undefined
  const { facts, change } = found
  return writeMail(ctx.config.shop, 'emailConfirmed', { ...facts, to: change.email })
}

/** A confirmed change that was not undone, with what every mail about it says. */
async function findLive(ctx: Context, { emailChangeId, ...client }: Payload) {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change?.confirmed_at == null || !isUndoable(change, ctx.now())) return undefined
  const user = await ctx.lookUp(userById, change.user_id)
  const facts = { at: change.confirmed_at, from: originOf(client), locale: user?.locale ?? null }
  return user && { change, facts }
}

/** For whom a mail with the way back is, and the way; undefined once it is closed, or its key gone. */
async function findUndoable(ctx: Context, emailChangeId: string) {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change === undefined || !isUndoable(change, ctx.now())) return undefined
  const user = await ctx.lookUp(userById, change.user_id)
  const token = undoTokenOf(ctx.keys, change)
  if (user === undefined || token === undefined) return undefined
  const { old_email: to, undo_until: until } = change
  return { to, locale: user.locale, link: undoLink(ctx.config, token), until: until ?? '' }
}
