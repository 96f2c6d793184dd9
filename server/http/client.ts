import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { setBounded } from '../lib/bounded-map.ts'
import { unwrapped } from '../lib/networks.ts'

/** The origin of a request, as messages and the session list show it to the user. */
export interface Client {
  /** IPv4, or IPv6 as Node formats it. */
  readonly ip: string | null
  /** At most 256 characters without control, line or bidi characters. */
  readonly userAgent: string | null
}

/** The actor and the origin of a change, for its audit event. */
export interface Cause {
  /** Absent for anonymous requests. */
  readonly actorId?: number
  readonly ip: string | null
  readonly requestId: string
}

/** Requires that the route's guard, if any, has run. */
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

/** Of the latest clients: most requests come from an address that is known. */
const addresses = new Map<string, string | null>()
const ADDRESSES_MAX = 1000

/**
 * The client's IP address, or null for any other text: behind a proxy it is taken from a header, and
 * it appears in mail and logs.
 */
export function readAddress(request: FastifyRequest): string | null {
  // Undefined after a disconnect, despite the type.
  const text = (request.ip as string | undefined) ?? ''
  let address = addresses.get(text)
  if (address === undefined) {
    address = addressIn(text)
    setBounded(addresses, [text, address], ADDRESSES_MAX)
  }
  return address
}

function addressIn(text: string): string | null {
  const [, inBrackets, beforePort] = WITH_PORT.exec(text) ?? []
  // Without the zone of a link-local address, which is no part of a network.
  const ip = (inBrackets ?? beforePort ?? text).replace(/%.*$/, '')
  return isIP(ip) === 0 ? null : unwrapped(ip)
}
