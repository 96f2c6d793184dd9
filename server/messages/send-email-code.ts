import type { Context } from '../context.ts'
import type { OutboxPayloads } from '../outbox/outbox.ts'
import { toIso } from '../lib/units.ts'
import { emailCodeMail, emailTakenMail } from './mails.ts'
import { codeOf } from '../keys/codes.ts'
import { findUserByEmail } from '../accounts/addresses.ts'
import { findEmailChange, findReservation } from '../accounts/email-changes.ts'
import { userById } from '../accounts/users.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

interface Owner {
  readonly to: string
  readonly locale: string | null
}

/**
 * For the address that a user wants to change to: the code, or to the owner of an address that is not
 * free a word of it. Decided here, so that the request costs the same. None once the code was used,
 * replaced or has expired.
 */
export async function sendEmailCode(
  ctx: Context,
  { emailChangeId, ip, userAgent }: OutboxPayloads['email_code'],
): Promise<Mail | undefined> {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change === undefined || change.confirmed_at !== null) return undefined
  if (change.expires_at <= toIso(ctx.now())) return undefined
  const origin = { ip, userAgent, requestedAt: change.created_at }
  const owner = await ownerOf(ctx, change)
  if (owner !== undefined) return emailTakenMail(ctx.config.shop, { ...origin, ...owner })
  const code = codeOf(ctx.keys, 'email', change)
  const user = await ctx.lookUp(userById, change.user_id)
  if (code === undefined) {
    ctx.log.warn(
      { email_change_id: change.id },
      'code not sent: its key is missing because SECRET_KEY_PREVIOUS was removed too early',
    )
  }
  if (code === undefined || user === undefined) return undefined
  const { email: to, expires_at: expiresAt } = change
  return emailCodeMail(ctx.config.shop, { ...origin, to, locale: user.locale, code, expiresAt })
}

/** Who has the address, or had it and may still take it back; whoever only began to sign it up has it not. */
async function ownerOf(
  ctx: Context,
  change: { user_id: number; email_canonical: string },
): Promise<Owner | undefined> {
  const holder = await findUserByEmail(ctx.db, change.email_canonical)
  if (holder?.verified_at != null) return { to: holder.email, locale: holder.locale }
  const reservation = await findReservation(ctx.db, change.email_canonical, ctx.now())
  if (reservation === undefined || reservation.user_id === change.user_id) return undefined
  const owner = await ctx.lookUp(userById, reservation.user_id)
  return owner && { to: reservation.old_email, locale: owner.locale }
}
