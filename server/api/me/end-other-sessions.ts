import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { endSessionsOf } from '../../accounts/sessions.ts'
import { commit } from '../../accounts/write.ts'

const schema = {
  operationId: 'endOtherSessions',
  tags: ['Me'],
  summary: 'End all my other sessions',
  description: 'Logs out every other device immediately. The request is idempotent.',
  response: { 204: Type.Null({ description: 'All other sessions were ended.' }) },
}

export function endOtherSessionsRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/me/sessions', { schema, ...guards.user }, async (request, reply) => {
    const actor = sessionOf(request)
    const { userId, sessionId } = actor
    await commit(ctx, actor.cause, async (write) => {
      // The lock keeps concurrent logins from opening a session, and ended sessions from ending others.
      await lockSelf(write, actor)
      const { tx, nowMs, record } = write
      const ended = await endSessionsOf(tx, userId, { nowMs, keep: sessionId })
      if (ended === 0) return
      await record('sessions.ended', { subjectId: userId, changes: { ended, kept: sessionId } })
    })
    return reply.code(204).send(null)
  })
}
