import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { causeOf } from '../../http/client.ts'
import { allowNoBody } from '../../http/bodies.ts'
import type { App } from '../../http/fastify.ts'
import { STATUS } from '../../http/problem.ts'
import type { Guards } from '../guards.ts'
import { RefreshToken } from '../../accounts/tokens.ts'
import { logOut, readRefreshToken } from '../../accounts/sessions.ts'
import { commit } from '../../accounts/write.ts'
import { clearCookie, refreshTokensIn, SET_COOKIE } from './refresh-cookie.ts'

const schema = {
  operationId: 'logOut',
  tags: ['Authentication'],
  summary: 'Log out',
  description:
    'Ends the session of the refresh token or, without one, the session of the Bearer token. If both are sent, the refresh token takes precedence. The session of the cookie ends, too, and the cookie is always removed. An unknown or expired refresh token is not an error. Access tokens of the session stop working immediately.',
  body: Type.Optional(
    Type.Object({ refresh_token: Type.Optional(RefreshToken) }, { additionalProperties: false }),
  ),
  response: { 204: Type.Null({ description: 'The session was ended.', headers: SET_COOKIE }) },
  errors: ['authentication_required', 'invalid_token'] as const,
  security: [{}, { bearer: [] }, { refresh_cookie: [] }],
}

export function logOutRoute(app: App, ctx: Context, guards: Guards): void {
  const options = { schema, config: { refreshCookie: true }, preValidation: allowNoBody } as const
  app.post('/auth/logout', options, async (request, reply) => {
    const token = request.body?.refresh_token
    const cookies = refreshTokensIn(ctx, request)
    const presented = token === undefined ? cookies : [token, ...cookies]
    const ids = presented.map((one) => readRefreshToken(ctx.keys, one)?.sessionId)
    if (token === undefined) ids.push(await sessionOfBearer(request, cookies.length > 0))
    const found = new Set(ids.filter((id) => id !== undefined))
    if (found.size > 0) {
      await commit(ctx, causeOf(request), async (write) => {
        for (const id of found) await logOut(write, id)
      })
    }
    // Not before: a log-out that failed can be repeated.
    if (cookies.length > 0) clearCookie(ctx, reply)
    return reply.code(204).send(null)
  })

  /** An expired access token is no reason to keep the session of a cookie. */
  async function sessionOfBearer(request: FastifyRequest, isOptional: boolean) {
    try {
      return (await guards.authenticate(request)).sessionId
    } catch (error) {
      if (isOptional && error instanceof AppError && STATUS[error.code] === 401) return undefined
      throw error
    }
  }
}
