import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { SESSION_FIELDS } from '../schemas.ts'
import { findSessionsOf } from '../../accounts/session-list.ts'

const Session = Type.Object(
  {
    ...SESSION_FIELDS,
    current: Type.Boolean({
      description: 'Whether this request belongs to the session.',
      examples: [true],
    }),
  },
  { title: 'Session', additionalProperties: false },
)

const schema = {
  operationId: 'listSessions',
  tags: ['Me'],
  summary: 'List my sessions',
  description:
    'Lists the active sessions, at most twenty, the most recently used first. `last_seen_at`, `ip` and `user_agent` refer to the login or the latest refresh, not to each request.',
  response: { 200: Type.Array(Session, { description: 'The active sessions.' }) },
}

export function listSessionsRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/me/sessions', { schema, ...guards.user }, async (request) => {
    const { userId, sessionId } = sessionOf(request)
    const sessions = await findSessionsOf(ctx.db, userId, ctx.now())
    return sessions.map((session) => ({ ...session, current: session.id === sessionId }))
  })
}
