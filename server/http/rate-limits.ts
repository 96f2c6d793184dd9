import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { networkKey } from '../lib/networks.ts'
import { LIMITS, type RouteLimitName } from '../limits/limits.ts'
import { watchForProxies } from './proxy-watch.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** See limits/limits.ts. */
    limits?: readonly RouteLimitName[]
  }
}

const NONE: readonly RouteLimitName[] = []

export function networkKeyOf(request: FastifyRequest): string {
  return networkKey(request.state.ip)
}

/** Refuses requests beyond the route's limits per network, before the body is read. */
export function limitByNetwork(app: FastifyInstance, ctx: Context): void {
  const watch = watchForProxies(ctx)
  app.addHook('onRequest', async (request) => {
    const names = namesOf(request, 'network')
    if (names.length === 0 || !ctx.config.rateLimit) return
    watch(request)
    await peekAll(ctx, names, networkKeyOf(request))
  })
}

/** Refuses requests beyond the route's limits per user, after the guard and before the body is read. */
export function limitByUser(app: FastifyInstance, ctx: Context): void {
  app.addHook('preParsing', async (request) => {
    const names = namesOf(request, 'user')
    if (names.length === 0) return
    const key = userKeyOf(request)
    if (key !== undefined) await peekAll(ctx, names, key)
  })
}

/**
 * Counts requests for the route's limits, and refunds responses whose status does not count. Once the
 * body has been read: requests whose body never arrives must not use up the attempts of a network.
 */
export function countAttempts(app: FastifyInstance, ctx: Context): void {
  app.addHook('preValidation', async (request) => {
    for (const name of namesOf(request, 'network'))
      await takeOne(ctx, request, [name, networkKeyOf(request)])
    const names = namesOf(request, 'user')
    if (names.length === 0) return
    const key = userKeyOf(request)
    if (key === undefined) return
    for (const name of names) await takeOne(ctx, request, [name, key])
  })
  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply) => {
    for (const [name, taken] of request.state.taken ?? [])
      if (!LIMITS[name].counts.includes(reply.statusCode)) await taken.refund()
  })
}

/** Undefined for admins, whose writes are not limited. */
function userKeyOf({ state: { session } }: FastifyRequest): string | undefined {
  return session === undefined || session.role === 'admin' ? undefined : String(session.userId)
}

function namesOf(request: FastifyRequest, per: 'network' | 'user'): readonly RouteLimitName[] {
  const { limits } = request.state.route.config
  return limits?.filter((name) => LIMITS[name].per === per) ?? NONE
}

async function peekAll(ctx: Context, names: readonly RouteLimitName[], key: string): Promise<void> {
  await Promise.all(names.map((name) => ctx.limits.peekOrRefuse(name, key)))
}

async function takeOne(
  ctx: Context,
  request: FastifyRequest,
  [name, key]: [RouteLimitName, string],
): Promise<void> {
  const taken = await ctx.limits.takeOrRefuse(name, key)
  request.state.taken = (request.state.taken ?? new Map()).set(name, taken)
}
