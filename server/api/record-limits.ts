import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { causeOf } from '../http/client.ts'
import { lockUser } from '../accounts/users.ts'
import { commit } from '../accounts/write.ts'

/**
 * Records the first refusal of each key and window: a flood must not write. Without a subject: looking
 * for one would take longer for a known address than for an unknown one.
 */
export function recordLimits(app: FastifyInstance, ctx: Context): void {
  app.addHook('onSend', async (request) => {
    const limit = request.state.limitReached
    if (limit === undefined || !limit.isFirst) return
    const cause = causeOf(request)
    // The refusal stands even when its record fails.
    await commit(ctx, cause, async ({ tx, record }) => {
      const { actorId } = cause
      // The user was deleted since the guard: an erasure would never find this network.
      const isGone = actorId !== undefined && (await lockUser(tx, actorId)) === undefined
      await record('limit.reached', { changes: { limit: limit.name }, ...(isGone && { ip: null }) })
    }).catch((error: unknown) => ctx.log.warn({ err: error, limit: limit.name }, 'limit reached'))
  })
}
