import { Type } from 'typebox'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import type { App } from '../http/fastify.ts'
import { UserIdParams } from '../http/schemas.ts'
import { lockUsers } from '../users/users.ts'
import { assertStillAllowed, type Guards, sessionOf } from './guards.ts'
import { endSessionsOf } from './sessions.ts'

const schema = {
  operationId: 'endUserSessions',
  tags: ['Users'],
  summary: 'End all sessions of a user',
  description: 'The user is signed out everywhere, at once, and may log in again.',
  params: UserIdParams,
  response: { 204: Type.Null({ description: 'All sessions have ended.' }) },
  errors: ['not_found'] as const,
}

export function endUserSessionsRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/users/:id/sessions', { schema, ...guards.admin }, async (request, reply) => {
    const { id } = request.params
    const actor = sessionOf(request)
    await ctx.transaction(async (tx) => {
      // Under the lock no login can slip a session in between.
      const locked = await lockUsers(tx, [id, actor.userId], { withActiveAdmins: false })
      const find = (wanted: number) => locked.find((row) => row.id === wanted)
      await assertStillAllowed(ctx, tx, actor, find(actor.userId), 'admin')
      if (find(id) === undefined) throw new AppError('not_found')
      await endSessionsOf(tx, id, ctx.now())
    })
    return reply.code(204).send(null)
  })
}
