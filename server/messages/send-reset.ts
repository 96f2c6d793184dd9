import type { Context } from '../context.ts'
import type { PublicUserRow } from '../database/schema.ts'
import { isMailSuperseded } from '../outbox/outbox.ts'
import { DAY_MS, SECOND_MS, toIso } from '../lib/units.ts'
import { originOf, resetLink, writeMail } from './mails.ts'
import { findKeySet, type KeySet, keySetOf } from '../keys/key-ring.ts'
import { linkToken } from '../keys/links.ts'
import { openPasswordReset, RESET_LIFETIME_MS } from '../accounts/resets.ts'
import { findSignUpsOf } from '../accounts/sign-ups.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import { expiryCutoff, verificationExpiresAt } from '../accounts/expiry.ts'
import { isExpired, lockUserByEmail } from '../accounts/users.ts'
import { commit, type Write } from '../accounts/write.ts'
import type { Client } from '../http/client.ts'

/** The address may belong to no account. */
interface Request extends Client {
  readonly email: string
  readonly resetId: string
  /** The key of the process that was asked, which accepts the link; absent in rows of earlier versions. */
  readonly keyId?: string
  readonly requestedAt: string
}

/** Maximum clock skew between replicas. A reset requested this close to a change of the password stays valid. */
const CLOCK_SKEW_MAX_MS = 10 * SECOND_MS

/** After a day the user has asked again; without an end, a key that was removed would alarm for ever. */
const WITHOUT_KEY_MAX_MS = DAY_MS

/** The mail with the link; undefined for an unknown address, a used link or a superseded request. */
export async function sendReset(ctx: Context, request: Request): Promise<Mail | undefined> {
  const opened = await commit(ctx, { ip: request.ip }, (write) => open(write, request))
  if (opened === undefined) return undefined
  const { user, expiresAt, keys } = opened
  const byService = request.ip === null && request.userAgent === null
  return writeMail(ctx.config.shop, 'passwordReset', {
    to: user.email,
    locale: user.locale ?? (await signUpLocale(ctx, user)),
    from: byService ? null : originOf(request),
    link: resetLink(ctx.config, linkToken(keys, 'reset', request.resetId)),
    until: expiresAt,
    requestedAt: request.requestedAt,
    verifies: user.verified_at === null,
  })
}

interface Opened {
  readonly user: PublicUserRow
  readonly expiresAt: string
  readonly keys: KeySet
}

/** Committed before the delivery: a redelivery after a crash mails the same link. */
async function open(
  { ctx, tx, nowMs, record }: Write,
  request: Request,
): Promise<Opened | undefined> {
  const { email, resetId: id, keyId = ctx.keys.current.id, requestedAt } = request
  const user = await lockUserByEmail(tx, email)
  if (user === undefined || isExpired(user, expiryCutoff(ctx))) return undefined
  // A change of the password revokes links that were requested before it, sent or not.
  const voidFrom = toIso(Date.parse(requestedAt) + CLOCK_SKEW_MAX_MS)
  if (user.password_changed_at !== null && user.password_changed_at > voidFrom) return undefined
  const requested = { payload: request, email, atMs: Date.parse(requestedAt) }
  if (await isMailSuperseded(tx, 'password_reset', requested)) return undefined
  const isStale = nowMs - Date.parse(requestedAt) >= WITHOUT_KEY_MAX_MS
  if (isStale && findKeySet(ctx.keys, keyId) === undefined) return undefined
  const keys = keySetOf(ctx.keys, keyId)
  const expiresAt = linkExpiresAt(ctx, user, nowMs)
  const outcome = await openPasswordReset(tx, {
    id,
    userId: user.id,
    keyId,
    requestedAt,
    expiresAt,
  })
  if (outcome === 'used') return undefined
  if (outcome === 'opened') await record('password.reset_requested', { subjectId: user.id })
  return { user, expiresAt, keys }
}

/** Capped at the expiry of an unverified account. */
function linkExpiresAt(ctx: Context, user: PublicUserRow, nowMs: number): string {
  const endsAt = toIso(nowMs + RESET_LIFETIME_MS)
  if (user.verified_at !== null) return endsAt
  const accountEndsAt = verificationExpiresAt(ctx, user)
  return accountEndsAt < endsAt ? accountEndsAt : endsAt
}

/** Unverified accounts use the language of their newest sign-up. */
async function signUpLocale(ctx: Context, { id }: PublicUserRow): Promise<string | null> {
  const [newest] = await findSignUpsOf(ctx.db, id)
  return newest?.locale ?? null
}
