import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { assertAuthenticated, lockForChange } from '../user-changes.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { revokePasswordResetsOf } from '../../accounts/resets.ts'
import { endSessionsOf } from '../../accounts/sessions.ts'
import { commit } from '../../accounts/write.ts'

const schema = {
  operationId: 'endUserSessions',
  tags: ['Users'],
  summary: 'End all sessions of a user',
  description:
    'Logs the user out on every device immediately, and revokes emailed links to set a new password. The user can log in again. For another admin it requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`).',
  params: UserIdParams,
  response: { 204: Type.Null({ description: 'All sessions were ended.' }) },
  errors: ['not_found', 'reauthentication_required'] as const,
}

export function endUserSessionsRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/users/:id/sessions', { schema, ...guards.admin }, async (request, reply) => {
    const { id } = request.params
    const actor = sessionOf(request)
    await commit(ctx, actor.cause, async (write) => {
      // The lock keeps concurrent logins from opening a session.
      const options = { actor, touchesRights: false, access: 'admin' } as const
      const locked = await lockForChange(write, id, options)
      const { user } = locked
      // A thief must not keep other admins logged out.
      if (user.role === 'admin' && id !== actor.userId) assertAuthenticated(locked)
      await endSessionsOf(write.tx, id, { nowMs: write.nowMs })
      await revokePasswordResetsOf(write.tx, user, write.nowMs)
      await write.record('sessions.ended', { subjectId: id })
    })
    return reply.code(204).send(null)
  })
}
