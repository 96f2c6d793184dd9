import type { FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { networkKey } from '../lib/networks.ts'
import { networkKeyOf } from './rate-limits.ts'

/** The hasher for one request; throws `too_many_requests` and `overloaded`, and counts what it computes. */
export interface Hashing {
  hash(password: string): Promise<string>
  verify(
    passwordHash: string | null | undefined,
    password: string,
    userId: number | undefined,
  ): Promise<boolean>
  /** True when the next hash would be refused. */
  isFull(): boolean
}

/**
 * The network that shares places in the hash queue: the /48 of an IPv6 address, because one host or home
 * often has many /64s. Requests without an address share one.
 */
export function siteOf({ state: { ip } }: FastifyRequest): string {
  return networkKey(ip, 48)
}

/**
 * The only way for a request to hash a password: each computed hash counts for the network, whatever the
 * outcome. `account` is a user id or a canonical address.
 */
export function hashingFor(
  ctx: Context,
  request: FastifyRequest,
  account: number | string,
): Hashing {
  const requester = { network: siteOf(request), account: String(account) }
  const options = { requester, signal: request.state.hangUp }

  async function counted<T>(work: () => Promise<T>): Promise<T> {
    const { refund } = await ctx.limits.takeOrRefuse('hashes_network', networkKeyOf(request))
    try {
      return await work()
    } catch (error) {
      // Refused by the queue, or the client has disconnected: nothing was computed.
      if (error instanceof AppError) await refund()
      throw error
    }
  }
  return {
    hash: (password) => counted(() => ctx.hasher.hash(password, options)),
    verify: (passwordHash, password, userId) =>
      counted(() => ctx.hasher.verify(passwordHash, password, { ...options, userId })),
    isFull: () => ctx.hasher.isFull(requester),
  }
}
