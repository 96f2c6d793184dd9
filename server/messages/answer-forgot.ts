import type { Context } from '../context.ts'
import type { PublicUserRow } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import { networkKey } from '../lib/networks.ts'
import { HOUR_MS, MINUTE_MS } from '../lib/units.ts'
import type { Work } from '../outbox/kind.ts'
import { countMessages } from '../outbox/outbox.ts'
import { findReservation } from '../accounts/email-changes.ts'
import { expiryCutoff } from '../accounts/expiry.ts'
import { enqueueResetLink, findLivingReset, type Places } from '../accounts/resets.ts'
import { isKnownDevice, isKnownNetwork } from '../accounts/session-list.ts'
import { isExpired, lockUser, lockUserByEmail } from '../accounts/users.ts'
import { type Write, writeIn } from '../accounts/write.ts'

/** The address may belong to no account. */
interface Request extends Client {
  readonly email: string
  readonly resetId: string
  /** The key of the process that was asked, which accepts the link; absent in rows of earlier versions. */
  readonly keyId?: string
  readonly requestedAt: string
  /** Absent for a request by the service itself, which no limit applies to. */
  readonly places?: Places
}

/** From all networks that the owner did not use lately. */
const MAILS_PER_HOUR = 10
/** A mail with a link that lives is repeated after this time, whatever strangers have requested. */
const FRESH_MS = 20 * MINUTE_MS
/** The mails that a request can cause. `email_changed` contains the undo link. */
const LINK_MAILS = ['reset_link', 'email_changed'] as const

/**
 * Enqueues the mail with the reset link of an account, or with the undo link if the account has just left
 * the address. Runs in the worker, because only the answer and the row of a request are equal for known
 * and unknown addresses.
 */
export async function answerForgot(ctx: Context, request: Request): Promise<Work> {
  return async (tx) => {
    const write = writeIn(ctx, tx, { ip: request.ip })
    const user = await lockUserByEmail(tx, request.email)
    if (user === undefined) return mailUndoLink(write, request)
    if (!isExpired(user, expiryCutoff(ctx))) await mailResetLink(write, request, user)
  }
}

async function mailResetLink(write: Write, request: Request, user: PublicUserRow): Promise<void> {
  const { tx, nowMs } = write
  const { ip, userAgent, requestedAt, keyId } = request
  const living = await findLivingReset(tx, user.id, nowMs)
  if (!(await mayMail(write, request, { user, lives: living !== undefined }))) return
  const client = { ip, userAgent }
  const key = keyId === undefined ? {} : { keyId }
  await enqueueResetLink(write, user, { living, requestedAt, client, ...key })
}

/** Whoever left the address may be a thief, so its owner can ask for the undo link again. */
async function mailUndoLink(write: Write, request: Request): Promise<void> {
  const { tx, nowMs, enqueue } = write
  const { email } = request
  const change = await findReservation(tx, email, nowMs)
  const user = change && (await lockUser(tx, change.user_id))
  if (change === undefined || user === undefined) return
  if (!(await mayMail(write, request, { user, lives: true }))) return
  const payload = { emailChangeId: change.id, ip: null, userAgent: null }
  await enqueue('email_changed', payload, { email, userId: user.id })
}

/**
 * Bounds the mails to an address without letting strangers use up the owner's: networks and devices of
 * recent logins have places of their own, and a link is mailed beyond all limits when none lives or the
 * last mail is old. The caller holds the user's lock.
 */
async function mayMail(
  { ctx, tx, nowMs }: Write,
  { email, requestedAt, places, ip, userAgent }: Request,
  { user, lives }: { user: PublicUserRow; lives: boolean },
): Promise<boolean> {
  const mailed = (sinceMs: number) => countMessages(tx, LINK_MAILS, { email, sinceMs })
  // A mail written after the request answers it, too: of several that wait, one is mailed.
  if (lives && (await mailed(Date.parse(requestedAt) - 1)) > 0) return false
  if (places === undefined || !ctx.config.rateLimit) return true
  if (!lives || (await mailed(nowMs - FRESH_MS)) === 0) return true
  if (places.network && (await mailed(nowMs - HOUR_MS)) < MAILS_PER_HOUR) return true
  const account = user.email_canonical
  const network = networkKey(ip)
  if (places.network && (await isKnownNetwork(tx, account, { network, nowMs }))) return true
  return places.device && isKnownDevice(tx, account, { userAgent, nowMs })
}
