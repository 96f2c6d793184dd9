import { Type } from 'typebox'
import { findSessionsOf } from '../../accounts/session-list.ts'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import type { Guards } from '../guards.ts'
import { readUser } from '../read-user.ts'
import { recordRead } from '../record-reads.ts'
import { SESSION_FIELDS } from '../schemas.ts'

const UserSession = Type.Object(SESSION_FIELDS, {
  title: 'UserSession',
  additionalProperties: false,
  description: 'A session of a user.',
})

const schema = {
  operationId: 'listUserSessions',
  tags: ['Users'],
  summary: 'List the sessions of a user',
  description:
    'Lists the active sessions, at most twenty, the most recently used first. `last_seen_at`, `ip` and `user_agent` refer to the login or the latest refresh, not to each request. `DELETE /users/{id}/sessions` ends them.',
  params: UserIdParams,
  response: { 200: Type.Array(UserSession, { description: 'The active sessions.' }) },
  errors: ['not_found'] as const,
}

export function listUserSessionsRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/users/:id/sessions', { schema, ...guards.admin }, async (request) => {
    const { id } = request.params
    await readUser(ctx, id)
    const sessions = await findSessionsOf(ctx.db, id, ctx.now())
    await recordRead(ctx, request, 'users.read')
    return sessions
  })
}
