import type { FastifyRequest } from 'fastify'
import type { Context } from '../../context.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import { causeOf, clientOf } from '../../http/client.ts'
import { type LimitName, LIMITS } from '../../limits/limits.ts'
import { deviceOf } from '../../lib/devices.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { isExpired, lockUserByEmail, type PublicUserRow } from '../../accounts/users.ts'
import { commit } from '../../accounts/write.ts'

/** Failures of the service itself are in the log. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  invalid_credentials: 'wrong_password',
  email_unverified: 'email_unverified',
  account_disabled: 'account_disabled',
  login_locked: 'login_locked',
  too_many_requests: 'too_many_attempts',
}

/**
 * Records a failed login for support, once per address, reason and hour, so that a flood causes few writes.
 * Unknown addresses cost the same row, without a subject: timing does not reveal registered ones.
 */
export async function recordFailedLogin(
  ctx: Context,
  request: FastifyRequest,
  { email, error }: { email: string; error: unknown },
): Promise<void> {
  const reason = error instanceof AppError ? REASONS[error.code] : undefined
  if (reason === undefined || isOfNetwork(error)) return
  const { refuse } = await ctx.limits.take('login_failed', `${email} ${reason}`)
  if (refuse !== undefined) return
  const device = deviceOf(clientOf(request).userAgent)
  // A failed write must not change the response.
  await commit(ctx, causeOf(request), async ({ tx, record }) => {
    // Locked: after a concurrent deletion, no erasure would remove this IP.
    const found = await lockUserByEmail(tx, email)
    const user = found && isExpired(found, expiryCutoff(ctx)) ? undefined : found
    const changes = { reason: reasonFor(user, reason), device }
    await record('login.failed', { changes, ...(user && { subjectId: user.id }) })
  }).catch((failure: unknown) => ctx.log.warn({ err: failure }, 'failed login not recorded'))
}

/** The network is refused whatever the address, and its requests are refunded: they must cause no writes. */
function isOfNetwork(error: unknown): boolean {
  const limit = error instanceof AppError ? error.limit : undefined
  return limit !== undefined && LIMITS[limit.name as LimitName]?.per === 'network'
}

/** With HIDE_REGISTERED_EMAILS, the response to an unverified address is that to a wrong password. */
function reasonFor(user: PublicUserRow | undefined, reason: string): string {
  if (reason !== 'wrong_password') return reason
  if (user === undefined) return 'unknown_address'
  return user.verified_at === null ? 'email_unverified' : reason
}
