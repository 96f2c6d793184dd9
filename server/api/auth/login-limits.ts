import type { FastifyRequest } from 'fastify'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import type { Taken } from '../../limits/counters.ts'
import { isKnownNetwork } from '../../accounts/session-list.ts'

/** A login, counted before its password is checked. */
export interface LoginTry {
  /** Refunds the attempt unless the password was wrong. */
  failed(error: unknown): Promise<void>
  succeeded(): Promise<void>
}

/**
 * Counts a login attempt for a canonical address, in the same way for known and unknown ones. Throws
 * `too_many_requests`, and `login_locked` after too many failures in a row from all networks, unless the
 * owner recently logged in from this network.
 */
export async function takeLogin(
  ctx: Context,
  request: FastifyRequest,
  email: string,
): Promise<LoginTry> {
  const here = await ctx.limits.takeOrRefuse('login', pairKey(request, email))
  const everywhere = await ctx.limits.take('login_address', email)
  const { refuse } = everywhere
  if (refuse !== undefined && !(await isKnownHere(ctx, request, { email, here }))) {
    await here.refund()
    throw new AppError('login_locked', { limit: await refuse() })
  }
  return {
    async failed(error) {
      if (error instanceof AppError && error.code === 'invalid_credentials') return
      await Promise.all([here.refund(), everywhere.refund()])
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
  ])
}

async function isKnownHere(
  ctx: Context,
  request: FastifyRequest,
  { email, here }: { email: string; here: Taken },
): Promise<boolean> {
  try {
    const from = { network: networkKeyOf(request), nowMs: ctx.now() }
    return await isKnownNetwork(ctx.db, email, from)
  } catch (error) {
    await here.refund()
    throw error
  }
}

function pairKey(request: FastifyRequest, email: string): string {
  return `${email} ${networkKeyOf(request)}`
}
