import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { networkKey } from '../lib/networks.ts'
import { LIMITS, type RouteLimitName } from '../limits/limits.ts'
import { watchForProxies } from './proxy-watch.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Counted before the body is read; limits per user after authentication. See limits/limits.ts. */
    limits?: readonly RouteLimitName[]
  }
}

export function networkKeyOf(request: FastifyRequest): string {
  return networkKey(request.state.ip)
}

/** Applies a route's limits per network; refunds responses whose status does not count. */
export function limitByNetwork(app: FastifyInstance, ctx: Context): void {
  const watch = watchForProxies(ctx)
  app.addHook('onRequest', async (request) => {
    const names = namesOf(request, 'network')
    if (names.length === 0 || !ctx.config.rateLimit) return
    watch(request)
    await takeAll(ctx, request, { names, key: networkKeyOf(request) })
  })
  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply) => {
    for (const [name, taken] of request.state.taken ?? [])
      if (!LIMITS[name].counts.includes(reply.statusCode)) await taken.refund()
  })
}

/** Applies a route's limits per user, after the guard and before the body is read. */
export function limitByUser(app: FastifyInstance, ctx: Context): void {
  app.addHook('preParsing', async (request) => {
    const { session } = request.state
    if (session === undefined || session.role === 'admin') return
    const names = namesOf(request, 'user')
    await takeAll(ctx, request, { names, key: String(session.userId) })
  })
}

function namesOf(request: FastifyRequest, per: 'network' | 'user'): RouteLimitName[] {
  const { limits = [] } = request.routeOptions.config
  return limits.filter((name) => LIMITS[name].per === per)
}

async function takeAll(
  ctx: Context,
  request: FastifyRequest,
  { names, key }: { names: readonly RouteLimitName[]; key: string },
): Promise<void> {
  for (const name of names) {
    const taken = await ctx.limits.takeOrRefuse(name, key)
    request.state.taken = (request.state.taken ?? new Map()).set(name, taken)
  }
}
