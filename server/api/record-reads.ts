import type { FastifyRequest } from 'fastify'
import { countRead } from '../audit/events.ts'
import type { Context } from '../context.ts'
import { lockUser } from '../accounts/users.ts'
import { commit } from '../accounts/write.ts'
import { sessionOf } from './guards.ts'

/**
 * Counts a page of personal data before it is sent to an admin: a stolen token must leave a trace of what
 * it read. A failed write is logged and does not fail the read.
 */
export async function recordRead(
  ctx: Context,
  request: FastifyRequest,
  event: 'users.read' | 'mail.read',
): Promise<void> {
  const { cause, userId: actorId } = sessionOf(request)
  try {
    await commit(ctx, cause, async ({ tx, nowMs }) => {
      // After a concurrent deletion of the admin, no erasure would remove this IP.
      if ((await lockUser(tx, actorId)) === undefined) return
      await countRead(tx, { ...cause, actorId, event }, nowMs)
    })
  } catch (error) {
    ctx.log.warn({ err: error, event, actor_id: actorId }, 'read not recorded')
  }
}
