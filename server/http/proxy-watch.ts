import { BlockList, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { unwrapped } from '../lib/networks.ts'
import { HOUR_MS } from '../lib/units.ts'
import { addressOf } from './client.ts'

/** So many in a row are no customer. */
const IN_A_ROW = 200

const PRIVATE = new BlockList()
for (const [address, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(address, prefix, 'ipv4')
}
PRIVATE.addAddress('::1', 'ipv6')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

/**
 * Warns, once an hour at most, when every client seems to be one proxy: then all of them share the
 * limits of one. Call it with each request that is counted by network.
 */
export function watchForProxies(ctx: Context): (request: FastifyRequest) => void {
  let last: string | null = null
  let alike = 0
  let forwardedInARow = 0
  let warnedAtMs = -Infinity
  ctx.metrics.observe('clients_behind_one_proxy', {
    help: '1 for an hour after requests came through a proxy that TRUSTED_PROXIES does not name.',
    read: () => (ctx.now() - warnedAtMs < HOUR_MS ? 1 : 0),
  })
  return (request) => {
    const address = addressOf(request)
    alike = address === last ? alike + 1 : 1
    last = address
    const forwarded = isForwarded(request) && address === peerOf(request)
    forwardedInARow = forwarded ? forwardedInARow + 1 : 0
    // Anybody can send such a header once; a proxy of the same network sends nothing else.
    const isProxy = isPrivate(address)
      ? forwarded || alike >= IN_A_ROW
      : forwardedInARow >= IN_A_ROW
    if (!isProxy) return
    if (ctx.now() - warnedAtMs < HOUR_MS) return
    warnedAtMs = ctx.now()
    ctx.log.warn(
      { ip: address, forwarded },
      'every client seems to be one proxy, and all share its limits: name it in TRUSTED_PROXIES',
    )
  }
}

function isForwarded({ headers }: FastifyRequest): boolean {
  return headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
}

/** Not believed, the header left the address of whoever holds the connection. */
function peerOf(request: FastifyRequest): string {
  return unwrapped(request.socket.remoteAddress ?? '')
}

function isPrivate(address: string | null): boolean {
  return address !== null && PRIVATE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
