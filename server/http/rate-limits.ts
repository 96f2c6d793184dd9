import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import type { LimitReached } from '../errors.ts'
import { networkOf } from '../lib/networks.ts'
import type { Try } from '../limits/counters.ts'
import { LIMITS, type NetworkLimitName } from '../limits/limits.ts'
import { addressOf } from './client.ts'
import { watchForProxies } from './proxy-watch.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Limits by network that are counted before the body is read; see limits/limits.ts. */
    limits?: readonly NetworkLimitName[]
  }
  interface FastifyRequest {
    /** What was counted, with the statuses that keep it. */
    counted: readonly Counted[] | undefined
    /** The limit that refused it. */
    limitReached: LimitReached | undefined
  }
}

interface Counted {
  readonly counts: readonly number[]
  readonly tried: Try
}

/** A request whose address is none, as behind a proxy that sends no address, shares one count. */
export function networkKeyOf(request: FastifyRequest): string {
  const address = addressOf(request)
  return address === null ? 'unknown' : networkOf(address)
}

/** Counts what a route declares; an answer that is none of those that count gives it back. */
export function limitByNetwork(app: FastifyInstance, ctx: Context): void {
  const seen = watchForProxies(ctx)
  app.decorateRequest('counted', undefined)
  app.decorateRequest('limitReached', undefined)
  app.addHook('onRequest', async (request) => {
    const names = request.routeOptions.config.limits ?? []
    if (names.length === 0 || !ctx.config.rateLimit) return
    seen(request)
    for (const name of names) {
      const tried = await ctx.limits.count(name, networkKeyOf(request))
      request.counted = [...(request.counted ?? []), { counts: LIMITS[name].counts, tried }]
    }
  })
  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply) => {
    for (const { counts, tried } of request.counted ?? [])
      if (!counts.includes(reply.statusCode)) await tried.refund()
  })
}
