import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { unwrapped } from '../lib/networks.ts'

/** The origin of a request, as messages and the session list show it to the account's owner. */
export interface Client {
  /** IPv4, or IPv6 in the form that Node gives it. */
  readonly ip: string | null
  /** At most 256 characters, none of them a control, line or bidi character. */
  readonly userAgent: string | null
}

/** The actor and the origin of a change, for its audit event. */
export interface Cause {
  /** Absent without a login. */
  readonly actorId?: number
  readonly ip: string | null
  readonly requestId: string
}

/** After the guard, if the route has one. */
export function causeOf(request: FastifyRequest): Cause {
  return request.state.session?.cause ?? { ip: request.state.ip, requestId: request.id }
}

const USER_AGENT_MAX = 256

export function clientOf(request: FastifyRequest): Client {
  const userAgent = (request.headers['user-agent'] ?? '')
    .slice(0, USER_AGENT_MAX)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
  return { ip: request.state.ip, userAgent: userAgent || null }
}

/** `192.0.2.1:443` and `[2001:db8::1]:443`, as some proxies append them. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([0-9.]+))(?::[0-9]+)?$/

/**
 * The client's address alone, or null for any other text: behind a proxy it comes from a header, and it
 * is mailed and logged.
 */
export function readAddress(request: FastifyRequest): string | null {
  // A client that has hung up already has none, whatever the types say.
  const text = (request.ip as string | undefined) ?? ''
  const [, inBrackets, beforePort] = WITH_PORT.exec(text) ?? []
  const ip = inBrackets ?? beforePort ?? text
  return isIP(ip) === 0 ? null : unwrapped(ip)
}
