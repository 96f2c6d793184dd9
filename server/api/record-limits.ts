import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { causeOf } from '../http/client.ts'
import { lockUser } from '../accounts/users.ts'
import { recordEvent } from '../audit/events.ts'

/**
 * Records the first refusal of each key and window: a flood must not write. Without a subject: looking
 * for one would take longer for a known address than for an unknown one.
 */
export function recordLimits(app: FastifyInstance, ctx: Context): void {
  app.addHook('onSend', async (request) => {
    const limit = request.state.limitReached
    if (limit === undefined || !limit.isFirst) return
    const changes = { limit: limit.name }
    const event = { event: 'limit.reached', ...causeOf(request), changes } as const
    // The refusal stands even when its record fails.
    await ctx
      .transaction(async (tx) => {
        const { actorId } = request.state.session?.cause ?? {}
        // The user was deleted since the guard: an erasure would never find this network.
        const isGone = actorId !== undefined && (await lockUser(tx, actorId)) === undefined
        await recordEvent(tx, { ...event, ...(isGone && { ip: null }) }, ctx.now())
      })
      .catch((error: unknown) => ctx.log.warn({ err: error, limit: limit.name }, 'limit reached'))
  })
}
