import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { Uuid } from '../../http/schemas.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { endSessionOf } from '../../accounts/sessions.ts'
import { commit } from '../../accounts/write.ts'

const schema = {
  operationId: 'endSession',
  tags: ['Me'],
  summary: 'End one of my sessions',
  description:
    'The tokens of the session stop working immediately. The current session can be ended, too. A session that has ended or belongs to another user is not found: if you retry after a lost response, 404 means that the session was ended.',
  params: Type.Object({ id: Uuid('The id of the session.') }, { additionalProperties: false }),
  response: { 204: Type.Null({ description: 'The session was ended.' }) },
  errors: ['not_found'] as const,
}

export function endSessionRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/me/sessions/:id', { schema, ...guards.user }, async (request, reply) => {
    const { id } = request.params
    const actor = sessionOf(request)
    const { userId } = actor
    await commit(ctx, actor.cause, async (write) => {
      // The lock keeps a session that was ended concurrently from ending others.
      await lockSelf(write, actor)
      const { tx, nowMs, record } = write
      if (!(await endSessionOf(tx, userId, { id, nowMs }))) throw new AppError('not_found')
      await record('session.ended', { subjectId: userId, changes: { session_id: id } })
    })
    return reply.code(204).send(null)
  })
}
