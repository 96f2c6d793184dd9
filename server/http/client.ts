import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { unwrapped } from '../lib/networks.ts'

/** Where a request came from, as told to the account's owner later. */
export interface Client {
  /** IPv4, or IPv6 in the form that Node gives it. */
  readonly ip: string | null
  /** At most 256 characters, none of them a control, line or bidi character. */
  readonly userAgent: string | null
}

/** Who caused a change, and from where, for its audit event. */
export interface Cause {
  /** Absent while nobody is logged in. */
  readonly actorId?: number
  readonly ip: string | null
  readonly requestId: string
}

/** After the guard, if the route has one. */
export function causeOf(request: FastifyRequest): Cause {
  return request.session?.cause ?? { ip: addressOf(request), requestId: request.id }
}

const USER_AGENT_MAX = 256

export function clientOf(request: FastifyRequest): Client {
  const userAgent = (request.headers['user-agent'] ?? '')
    .slice(0, USER_AGENT_MAX)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
  return { ip: addressOf(request), userAgent: userAgent || null }
}

/** `192.0.2.1:443` and `[2001:db8::1]:443`, as some proxies append them. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([0-9.]+))(?::[0-9]+)?$/

/** The address alone. Null for what is none: behind a proxy it is text from a header, and it is mailed and logged. */
export function addressOf(request: FastifyRequest): string | null {
  // Once the client has hung up there is none, whatever the types say.
  const text = (request.ip as string | undefined) ?? ''
  const [, inBrackets, beforePort] = WITH_PORT.exec(text) ?? []
  const ip = inBrackets ?? beforePort ?? text
  return isIP(ip) === 0 ? null : unwrapped(ip)
}
