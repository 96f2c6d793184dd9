import type { Context } from '../context.ts'
import { originOf, undoLink, writeMail } from './mails.ts'
import { findEmailChange, isUndoable, undoTokenOf } from '../accounts/email-changes.ts'
import { userById } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Client } from '../http/client.ts'

type Payload = Client & { emailChangeId: string }

/** Notifies the previous address, with an undo link; undefined once the undo period is over. */
export async function notifyEmailChanged(
  ctx: Context,
  payload: Payload,
): Promise<Mail | undefined> {
  const found = await findLive(ctx, payload)
  const undoable = await findUndoable(ctx, payload.emailChangeId)
  return (
    found && undoable && writeMail(ctx.config.shop, 'emailChanged', { ...found.facts, ...undoable })
  )
}

/** Notifies the previous address, with the same undo link, about a later change of the password. */
export async function notifyPreviousAddressOfPassword(
  ctx: Context,
  { emailChangeId, at }: { emailChangeId: string; at: string },
): Promise<Mail | undefined> {
  const undoable = await findUndoable(ctx, emailChangeId)
  return (
    undoable && writeMail(ctx.config.shop, 'previousAddressPasswordChanged', { ...undoable, at })
  )
}

/** Notifies the new address. */
export async function notifyEmailConfirmed(
  ctx: Context,
  payload: Payload,
): Promise<Mail | undefined> {
  const found = await findLive(ctx, payload)
  if (found === undefined) return undefined
  const { facts, change } = found
  return writeMail(ctx.config.shop, 'emailConfirmed', { ...facts, to: change.email })
}

/** A confirmed change that was not undone, with the data common to its mails. */
async function findLive(ctx: Context, { emailChangeId, ...client }: Payload) {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change?.confirmed_at == null || !isUndoable(change, ctx.now())) return undefined
  const user = await ctx.lookUp(userById, change.user_id)
  const facts = { at: change.confirmed_at, from: originOf(client), locale: user?.locale ?? null }
  return user && { change, facts }
}

/** The recipient and the undo link; undefined once the undo period is over or the key has been removed. */
async function findUndoable(ctx: Context, emailChangeId: string) {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change === undefined || !isUndoable(change, ctx.now())) return undefined
  const user = await ctx.lookUp(userById, change.user_id)
  const token = undoTokenOf(ctx.keys, change)
  if (user === undefined || token === undefined) return undefined
  const { old_email: to, undo_until: until } = change
  return { to, locale: user.locale, link: undoLink(ctx.config, token), until: until ?? '' }
}
