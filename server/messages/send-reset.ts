import type { Context } from '../context.ts'
import type { PublicUserRow } from '../database/schema.ts'
import { countMessages } from '../outbox/outbox.ts'
import { DAY_MS, toIso } from '../lib/units.ts'
import { originOf, resetLink, writeMail } from './mails.ts'
import { findKeySet, keySetOf } from '../keys/key-ring.ts'
import { linkToken } from '../keys/links.ts'
import { extendPasswordReset, RESET_LIFETIME_MS } from '../accounts/resets.ts'
import { findSignUpsOf } from '../accounts/sign-ups.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import { expiryCutoff, verificationExpiresAt } from '../accounts/expiry.ts'
import { isExpired, userById } from '../accounts/users.ts'
import type { Client } from '../http/client.ts'

interface ResetMail extends Client {
  readonly email: string
  readonly userId: number
  readonly resetId: string
  readonly requestedAt: string
  /** When the mail was enqueued. */
  readonly at: string
}

/** After a day the user has asked again; without an end, a key that was removed would alarm for ever. */
const WITHOUT_KEY_MAX_MS = DAY_MS

/** The mail with the link; undefined for a used or revoked link, and for all but the newest mail. */
export async function sendReset(ctx: Context, payload: ResetMail): Promise<Mail | undefined> {
  const { email, userId, resetId, requestedAt, at } = payload
  const user = await ctx.lookUp(userById, userId)
  if (user === undefined || isExpired(user, expiryCutoff(ctx))) return undefined
  const newer = { email, sinceMs: Date.parse(at) }
  if ((await countMessages(ctx.db, ['reset_link'], newer)) > 0) return undefined
  const expiresAt = linkExpiresAt(ctx, user)
  // Committed before the delivery: a redelivery after a crash mails the same link.
  const link = await ctx.transaction((tx) => extendPasswordReset(tx, resetId, expiresAt))
  if (link === undefined) return undefined
  const byService = payload.ip === null && payload.userAgent === null
  const isStale = ctx.now() - Date.parse(at) >= WITHOUT_KEY_MAX_MS
  if (isStale && findKeySet(ctx.keys, link.key_id) === undefined) return undefined
  return writeMail(ctx.config.shop, 'passwordReset', {
    to: user.email,
    locale: user.locale ?? (await signUpLocale(ctx, user)),
    from: byService ? null : originOf(payload),
    link: resetLink(ctx.config, linkToken(keySetOf(ctx.keys, link.key_id), 'reset', resetId)),
    until: expiresAt,
    requestedAt,
    verifies: user.verified_at === null,
  })
}

/** Capped at the expiry of an unverified account. */
function linkExpiresAt(ctx: Context, user: PublicUserRow): string {
  const endsAt = toIso(ctx.now() + RESET_LIFETIME_MS)
  if (user.verified_at !== null) return endsAt
  const accountEndsAt = verificationExpiresAt(ctx, user)
  return accountEndsAt < endsAt ? accountEndsAt : endsAt
}

/** Unverified accounts use the language of their newest sign-up. */
async function signUpLocale(ctx: Context, { id }: PublicUserRow): Promise<string | null> {
  const [newest] = await findSignUpsOf(ctx.db, id)
  return newest?.locale ?? null
}
