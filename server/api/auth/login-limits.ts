import type { FastifyRequest } from 'fastify'
import type { Context } from '../../context.ts'
import { AppError, type LimitReached } from '../../errors.ts'
import { clientOf } from '../../http/client.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { SECOND_MS } from '../../lib/units.ts'
import { isKnownDevice, isKnownNetwork } from '../../accounts/session-list.ts'
import { areLoginsUnlocked } from '../../accounts/users.ts'
import { refundIfThrown } from '../../limits/counters.ts'

/** A login, counted before its password is checked. */
export interface LoginTry {
  /** Refunds the attempt unless the password was wrong. */
  failed(error: unknown): Promise<void>
  succeeded(): Promise<void>
}

/**
 * Counts a login attempt for a canonical address, in the same way for known and unknown ones. Throws
 * `too_many_requests`, and `login_locked` after too many failures in a row from all networks, unless the
 * owner recently logged in from this network or device, or an admin has lifted the lock.
 */
export async function takeLogin(
  ctx: Context,
  request: FastifyRequest,
  email: string,
): Promise<LoginTry> {
  const here = await ctx.limits.takeOrRefuse('login', pairKey(request, email))
  const [device, everywhere] = await Promise.all([
    ctx.limits.take('login_device', deviceKey(request, email)),
    ctx.limits.take('login_address', email),
  ])
  const counts = [here, device, everywhere]
  await refundIfThrown(counts, async () => {
    const isSpent = device.refuse !== undefined
    if (everywhere.refuse === undefined || (await hasPlace(ctx, request, { email, isSpent })))
      return
    const limit = await everywhere.refuse()
    if (!(await isUnlocked(ctx, email, limit))) throw new AppError('login_locked', { limit })
    await ctx.limits.clear('login_address', email)
  })
  return {
    async failed(error) {
      if (error instanceof AppError && error.code === 'invalid_credentials') return
      await Promise.all(counts.map((taken) => taken.refund()))
    },
    succeeded: () => clearLogins(ctx, request, email),
  }
}

/** Resets the counts after the owner has proven the account by a login or a mailed link. */
export async function clearLogins(
  ctx: Context,
  request: FastifyRequest,
  email: string,
): Promise<void> {
  await Promise.all([
    ctx.limits.clear('login', pairKey(request, email)),
    ctx.limits.clear('login_address', email),
    ctx.limits.clear('login_device', deviceKey(request, email)),
  ])
}

/**
 * True for a network of the owner's recent logins, and for a device of them until the wrong passwords from
 * it are `isSpent`: a user agent may be copied.
 */
async function hasPlace(
  ctx: Context,
  request: FastifyRequest,
  { email, isSpent }: { email: string; isSpent: boolean },
): Promise<boolean> {
  const nowMs = ctx.now()
  const network = networkKeyOf(request)
  if (await isKnownNetwork(ctx.db, email, { network, nowMs })) return true
  // A copied user agent would reveal which addresses are registered.
  if (ctx.config.hideRegisteredEmails) return false
  const { userAgent } = clientOf(request)
  return !isSpent && isKnownDevice(ctx.db, email, { userAgent, nowMs })
}

/** `retryAfterS` is rounded up, by less than a second. */
function isUnlocked(ctx: Context, email: string, limit: LimitReached): Promise<boolean> {
  const lockedForS = limit.windowS - limit.retryAfterS
  return areLoginsUnlocked(ctx.db, email, ctx.now() - (lockedForS + 1) * SECOND_MS)
}

function pairKey(request: FastifyRequest, email: string): string {
  return `${email} ${networkKeyOf(request)}`
}

function deviceKey(request: FastifyRequest, email: string): string {
  return `${email} ${clientOf(request).userAgent}`
}
