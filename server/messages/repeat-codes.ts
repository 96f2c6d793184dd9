import type { Context } from '../context.ts'
import type { Work } from '../outbox/kind.ts'
import { countMessages, REPEATS_PER_HOUR } from '../outbox/outbox.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import { extendSignUp, findSignUpsOf, selectSignUps } from '../accounts/sign-ups.ts'
import { expiryCutoff, verificationExpiresAt } from '../accounts/expiry.ts'
import { isExpired, lockUserByEmail } from '../accounts/users.ts'
import { writeIn } from '../accounts/write.ts'

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
    const { nowMs, enqueue } = writeIn(ctx, tx)
    const user = await lockUserByEmail(tx, email)
    if (user === undefined || user.verified_at !== null || isExpired(user, expiryCutoff(ctx)))
      return
    const signUps = await findSignUpsOf(tx, user.id)
    const wanted = selectSignUps(signUps, { id: signUpId, network })
    let allowed = wanted.length
    if (ctx.config.rateLimit) {
      const sent = (sinceMs: number) =>
        countMessages(tx, ['verification_again'], { email, sinceMs })
      if ((await sent(nowMs - MINUTE_MS)) > 0) return
      allowed = Math.max(0, REPEATS_PER_HOUR - (await sent(nowMs - HOUR_MS)))
    }
    const expiresAt = toIso(
      Math.min(nowMs + ctx.config.codeLifetimeMs, Date.parse(verificationExpiresAt(ctx, user))),
    )
    for (const signUp of wanted.slice(0, allowed)) {
      await extendSignUp(tx, signUp.id, expiresAt)
      await enqueue('verification_again', { signUpId: signUp.id }, { email, userId: user.id })
    }
  }
}
