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
    const limit = request.limitReached
    if (limit === undefined || !limit.isFirst) return
    const cause = causeOf(request)
    // The refusal stands, whatever becomes of its record.
    await commit(ctx, cause, async ({ tx, record }) => {
      const { actorId } = cause
      // Deleted since the guard let it in: a network of nobody would stay for ever.
      const isGone = actorId !== undefined && (await lockUser(tx, actorId)) === undefined
      await record('limit.reached', { changes: { limit: limit.name }, ...(isGone && { ip: null }) })
    }).catch((error: unknown) => ctx.log.warn({ err: error, limit: limit.name }, 'limit reached'))
  })
}
