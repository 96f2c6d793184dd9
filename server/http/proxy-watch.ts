import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { rangesOf, unwrapped } from '../lib/networks.ts'
import { HOUR_MS } from '../lib/units.ts'

/**
 * Warns, at most once an hour, of requests from a proxy that is not in TRUSTED_PROXIES: all its clients
 * share one limit. Call it for each request that is limited by network.
 */
export function watchForProxies(ctx: Context): (request: FastifyRequest) => void {
  const trusted = rangesOf(ctx.config.trustedProxies)
  let warnedAtMs = -Infinity
  ctx.metrics.observe('clients_behind_one_proxy', {
    help: '1 for an hour after a forwarded request came from an address that is not in TRUSTED_PROXIES.',
    over: 'max',
    read: () => (ctx.now() - warnedAtMs < HOUR_MS ? 1 : 0),
  })
  return ({ headers, socket }) => {
    if (headers['x-forwarded-for'] === undefined && headers.forwarded === undefined) return
    const ip = unwrapped(socket.remoteAddress ?? '')
    const family = isIP(ip)
    // A client that has disconnected has no address.
    if (family === 0 || trusted.check(ip, family === 4 ? 'ipv4' : 'ipv6')) return
    if (ctx.now() - warnedAtMs < HOUR_MS) return
    warnedAtMs = ctx.now()
    ctx.log.warn(
      { ip },
      'forwarded requests come from an address that is not in TRUSTED_PROXIES: add it only if it is your proxy, whose clients share one limit until then',
    )
  }
}
