import type { Context } from '../context.ts'
import type { Work } from '../outbox/kind.ts'
import { countMessages, REPEATS_PER_HOUR } from '../outbox/outbox.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import { extendSignUp, findSignUpsOf, selectSignUps, type SignUpRow } from '../accounts/sign-ups.ts'
import { expiryCutoff, verificationExpiresAt } from '../accounts/expiry.ts'
import { isExpired, lockUserByEmail, type PublicUserRow } from '../accounts/users.ts'
import { type Write, writeIn } from '../accounts/write.ts'

interface RepeatedCodes {
  readonly email: string
  readonly signUpId: string | null
  /** Of the request; absent in rows of versions before it. */
  readonly network?: string
}

/**
 * Enqueues one mail per requested sign-up, newest first, and extends its code by 24 hours, capped at the
 * account's expiry. Idempotent: concurrent requests are serialized by the user's lock, and the row of the
 * request is finished in the same transaction.
 */
export async function repeatCodes(
  ctx: Context,
  { email, signUpId, network }: RepeatedCodes,
): Promise<Work> {
  return async (tx) => {
    const write = writeIn(ctx, tx)
    const user = await lockUserByEmail(tx, email)
    if (user === undefined || user.verified_at !== null || isExpired(user, expiryCutoff(ctx)))
      return
    const signUps = await findSignUpsOf(tx, user.id)
    await mailAgain(write, user, selectSignUps(signUps, { id: signUpId, network }))
  }
}

/**
 * Enqueues the mails of these sign-ups of an unverified user, as far as the limits of the address allow, and
 * returns how many. The caller holds the user's lock.
 */
export async function mailAgain(
  { ctx, tx, nowMs, enqueue }: Write,
  user: PublicUserRow,
  wanted: readonly SignUpRow[],
): Promise<number> {
  const { email_canonical: email } = user
  let allowed = wanted.length
  if (ctx.config.rateLimit) {
    const sent = (sinceMs: number) => countMessages(tx, ['verification_again'], { email, sinceMs })
    if ((await sent(nowMs - MINUTE_MS)) > 0) return 0
    allowed = Math.max(0, REPEATS_PER_HOUR - (await sent(nowMs - HOUR_MS)))
  }
  const expiresAt = toIso(
    Math.min(nowMs + ctx.config.codeLifetimeMs, Date.parse(verificationExpiresAt(ctx, user))),
  )
  const repeated = wanted.slice(0, allowed)
  for (const signUp of repeated) {
    await extendSignUp(tx, signUp.id, expiresAt)
    await enqueue('verification_again', { signUpId: signUp.id }, { email, userId: user.id })
  }
  return repeated.length
}
