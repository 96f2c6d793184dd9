import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { NullableText, Time, Uuid } from '../../http/schemas.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { findSessionsOf } from '../../accounts/session-list.ts'

const Session = Type.Object(
  {
    id: Uuid('Identifies the session, for example to end it.'),
    created_at: Time('Time of the login.'),
    last_seen_at: Time('Time of the login or the latest refresh.'),
    ip: NullableText('Client address of the login or the latest refresh, if known.', [
      '203.0.113.7',
      null,
    ]),
    user_agent: NullableText('`User-Agent` of the login or the latest refresh.', [
      'CoffeeApp/2.1',
      null,
    ]),
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
