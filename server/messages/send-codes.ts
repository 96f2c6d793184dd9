import { findUserByEmail } from '../accounts/addresses.ts'
import { findEmailChange, findReservation } from '../accounts/email-changes.ts'
import { findPhoneChange } from '../accounts/phone-changes.ts'
import { findSignUp } from '../accounts/sign-ups.ts'
import { userById } from '../accounts/users.ts'
import type { Context } from '../context.ts'
import type { CodePurpose } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import { deriveCode } from '../keys/codes.ts'
import { keySetOf } from '../keys/key-ring.ts'
import { toIso } from '../lib/units.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import { originOf, writeMail } from './mails.ts'
import { phoneCodeSms } from './sms.ts'

// No message is sent once its code has been used or replaced, or has expired. Until then it waits for its
// key: see the fault `key` of outbox/retries.ts.

/** The code of one sign-up. */
export async function sendCode(
  ctx: Context,
  payload: { signUpId: string },
): Promise<Mail | undefined> {
  const signUp = await findSignUp(ctx.db, payload.signUpId)
  if (signUp === undefined || signUp.expires_at <= toIso(ctx.now())) return undefined
  return writeMail(ctx.config.shop, 'verification', {
    to: signUp.email,
    locale: signUp.locale,
    code: mailedCode(ctx, 'verify', signUp),
    until: signUp.expires_at,
    signedUpAt: signUp.created_at,
    from: originOf({ ip: signUp.ip, userAgent: signUp.user_agent }),
  })
}

export async function sendPhoneCode(
  ctx: Context,
  { phoneChangeId }: { phoneChangeId: string },
): Promise<Sms | undefined> {
  const change = await findPhoneChange(ctx.db, phoneChangeId, ctx.now())
  if (change === undefined) return undefined
  const code = mailedCode(ctx, 'phone', change)
  return phoneCodeSms(ctx.config.shop, { to: change.phone, code, locale: change.locale })
}

/**
 * The code for a new address, or a notice to the owner of a taken address. The worker decides, so that
 * the timing of the request does not reveal registered addresses.
 */
export async function sendEmailCode(
  ctx: Context,
  { emailChangeId, ...client }: Client & { emailChangeId: string },
): Promise<Mail | undefined> {
  const change = await findEmailChange(ctx.db, emailChangeId)
  if (change === undefined || change.confirmed_at !== null) return undefined
  if (change.expires_at <= toIso(ctx.now())) return undefined
  const { shop } = ctx.config
  const facts = { from: originOf(client), requestedAt: change.created_at }
  const owner = await ownerOf(ctx, change)
  if (owner !== undefined) return writeMail(shop, 'emailTaken', { ...facts, ...owner })
  const user = await ctx.lookUp(userById, change.user_id)
  if (user === undefined) return undefined
  const code = mailedCode(ctx, 'email', change)
  const { email: to, expires_at: until } = change
  return writeMail(shop, 'emailCode', { ...facts, to, locale: user.locale, code, until })
}

interface Owner {
  readonly to: string
  readonly locale: string | null
}

/** The verified owner of the address, or a former owner for whom it is still reserved. */
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

/** Throws MissingKeyError. */
function mailedCode(
  ctx: Context,
  purpose: CodePurpose,
  { id, key_id }: { readonly id: string; readonly key_id: string },
): string {
  return deriveCode(keySetOf(ctx.keys, key_id).of.code, purpose, id)
}
