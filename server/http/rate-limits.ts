import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import type { LimitReached } from '../errors.ts'
import { networkOf } from '../lib/networks.ts'
import type { Taken } from '../limits/counters.ts'
import { LIMITS, type RouteLimitName } from '../limits/limits.ts'
import { addressOf } from './client.ts'
import { watchForProxies } from './proxy-watch.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Counted before the body is read, those by user once it is known; see limits/limits.ts. */
    limits?: readonly RouteLimitName[]
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
  readonly taken: Taken
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
    const names = namesOf(request, 'network')
    if (names.length === 0 || !ctx.config.rateLimit) return
    seen(request)
    await countAll(ctx, request, { names, key: networkKeyOf(request) })
  })
  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply) => {
    for (const { counts, taken } of request.counted ?? [])
      if (!counts.includes(reply.statusCode)) await taken.refund()
  })
}

/** The same for who is logged in, once the guard knows; to be called before anything looks at the body. */
export function limitByUser(app: FastifyInstance, ctx: Context): void {
  app.addHook('preParsing', async (request) => {
    const { session } = request
    if (session === undefined || session.role === 'admin') return
    const names = namesOf(request, 'user')
    await countAll(ctx, request, { names, key: String(session.userId) })
  })
}

function namesOf(request: FastifyRequest, per: 'network' | 'user'): RouteLimitName[] {
  const { limits = [] } = request.routeOptions.config
  return limits.filter((name) => LIMITS[name].per === per)
}

async function countAll(
  ctx: Context,
  request: FastifyRequest,
  { names, key }: { names: readonly RouteLimitName[]; key: string },
): Promise<void> {
  for (const name of names) {
    const taken = await ctx.limits.takeOrRefuse(name, key)
    request.counted = [...(request.counted ?? []), { counts: LIMITS[name].counts, taken }]
  }
}
