import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { NullableText, Time, Uuid } from '../../http/schemas.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { findSessionsOf } from '../../accounts/session-list.ts'

const Session = Type.Object(
  {
    id: Uuid('To end this session by.'),
    created_at: Time('When it was opened, by a login.'),
    last_seen_at: Time('The login or the newest refresh.'),
    ip: NullableText('From where it was last seen, as far as that is known.', [
      '203.0.113.7',
      null,
    ]),
    user_agent: NullableText('What the device called itself then.', ['CoffeeApp/2.1', null]),
    current: Type.Boolean({ description: 'Whether this request is made in it.', examples: [true] }),
  },
  { additionalProperties: false },
)

const schema = {
  operationId: 'listSessions',
  tags: ['Me'],
  summary: 'List my sessions',
  description:
    'Those that are live, at most twenty, the one used last first. `last_seen_at`, `ip` and `user_agent` are those of the login or the newest refresh, not of each request.',
  response: { 200: Type.Array(Session, { description: 'The live sessions.' }) },
}

export function listSessionsRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/me/sessions', { schema, ...guards.user }, async (request) => {
    const { userId, sessionId } = sessionOf(request)
    const sessions = await findSessionsOf(ctx.db, userId, ctx.now())
    return sessions.map((session) => ({ ...session, current: session.id === sessionId }))
  })
}
