import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { type Cause, causeOf } from '../../http/client.ts'
import { allowNoBody } from '../../http/bodies.ts'
import type { App } from '../../http/fastify.ts'
import type { Guards } from '../guards.ts'
import { RefreshToken } from '../../accounts/tokens.ts'
import { endSession, readRefreshToken } from '../../accounts/sessions.ts'
import { commit } from '../../accounts/write.ts'

const schema = {
  operationId: 'logOut',
  tags: ['Authentication'],
  summary: 'Log out',
  description:
    'Ends the session of the refresh token or, without one, the session of the Bearer token. If both are sent, the refresh token takes precedence. An unknown or expired refresh token is not an error. Access tokens of the session stop working immediately.',
  body: Type.Optional(
    Type.Object({ refresh_token: Type.Optional(RefreshToken) }, { additionalProperties: false }),
  ),
  response: { 204: Type.Null({ description: 'The session was ended.' }) },
  errors: ['authentication_required', 'invalid_token'] as const,
  security: [{}, { bearer: [] }],
}

export function logOutRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/auth/logout', { schema, preValidation: allowNoBody }, async (request, reply) => {
    const token = request.body?.refresh_token
    const sessionId =
      token === undefined
        ? (await guards.authenticate(request)).sessionId
        : readRefreshToken(ctx.keys, token)?.sessionId
    if (sessionId !== undefined) await endAndRecord(ctx, sessionId, causeOf(request))
    return reply.code(204).send(null)
  })
}

function endAndRecord(ctx: Context, sessionId: string, cause: Cause): Promise<void> {
  return commit(ctx, cause, async ({ tx, nowMs, record }) => {
    const userId = await endSession(tx, sessionId, nowMs)
    if (userId === undefined) return
    // The bearer of the refresh token acts for its user.
    const changes = { session_id: sessionId }
    await record('session.ended', { actorId: userId, subjectId: userId, changes })
  })
}
