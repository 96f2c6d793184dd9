import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** Where a request came from, as told to the account's owner later. */
export interface Client {
  /** IPv4, or IPv6 in the form that Node gives it. */
  readonly ip: string | null
  /** At most 256 characters, none of them a control, line or bidi character. */
  readonly userAgent: string | null
}

const USER_AGENT_MAX = 256

export function clientOf(request: FastifyRequest): Client {
  const userAgent = (request.headers['user-agent'] ?? '')
    .slice(0, USER_AGENT_MAX)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
  const ip = request.ip.replace(/^::ffff:/, '')
  // Behind a proxy the address is text from a header, and it is mailed.
  return { ip: isIP(ip) === 0 ? null : ip, userAgent: userAgent || null }
}
