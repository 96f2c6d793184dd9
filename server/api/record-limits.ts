import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { causeOf } from '../http/client.ts'
import { lockUser } from '../accounts/users.ts'
import { commit } from '../accounts/write.ts'

/**
 * Records only the first refusal per key and window, so that a flood causes no writes. Without a subject:
 * the timing of a lookup would reveal registered addresses.
 */
export function recordLimits(app: FastifyInstance, ctx: Context): void {
  app.addHook('onSend', async (request) => {
    const limit = request.state.limitReached
    if (limit === undefined || !limit.isFirst) return
    const cause = causeOf(request)
    // A failed write must not change the response.
    await commit(ctx, cause, async ({ tx, record }) => {
      const { actorId } = cause
      // After a concurrent deletion of the user, no erasure would remove this IP.
      const isDeleted = actorId !== undefined && (await lockUser(tx, actorId)) === undefined
      const changes = { limit: limit.name }
      await record('limit.reached', { changes, ...(isDeleted && { ip: null }) })
    }).catch((error: unknown) =>
      ctx.log.warn({ err: error, limit: limit.name }, 'exceeded limit not recorded'),
    )
  })
}
