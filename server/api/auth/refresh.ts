import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError, fieldError } from '../../errors.ts'
import { allowNoBody } from '../../http/bodies.ts'
import { type Cause, causeOf, type Client, clientOf } from '../../http/client.ts'
import { assertOwnPage } from '../../http/cross-site.ts'
import type { App } from '../../http/fastify.ts'
import { toIso } from '../../lib/units.ts'
import {
  logOut,
  readRefreshToken,
  renewed,
  rotateNewest,
  rotateSession,
  type Rotation,
  rotationValues,
} from '../../accounts/sessions.ts'
import { issueTokens, RefreshToken, Tokens } from '../../accounts/tokens.ts'
import { lockUser } from '../../accounts/users.ts'
import { commit, type Write } from '../../accounts/write.ts'
import { mayNotify } from '../../outbox/outbox.ts'
import {
  clearCookie,
  InCookie,
  keepInCookie,
  refreshTokensIn,
  sessionIdsIn,
  SET_COOKIE,
} from './refresh-cookie.ts'

const schema = {
  operationId: 'refresh',
  tags: ['Authentication'],
  summary: 'Refresh the tokens',
  description:
    'Refresh tokens rotate: keep the new one. If a response is lost, the previous token can be used again for a short grace period (30 seconds by default) and returns the same successor. An older token ends the session, because it may have been copied, and the user is notified by email. Without a token in the body, that of the cookie is refreshed, and the new one replaces it there; one that is not genuine is removed. With a token in the body and `cookie`, the new one moves into the cookie, and the session that the cookie had before ends.',
  body: Type.Optional(
    Type.Object(
      { refresh_token: Type.Optional(RefreshToken), cookie: InCookie },
      { additionalProperties: false },
    ),
  ),
  formBody: Type.Object({ refresh_token: RefreshToken }, { additionalProperties: false }),
  response: { 200: { ...Tokens, headers: SET_COOKIE } },
  errors: ['authentication_required', 'invalid_token'] as const,
  security: [{}, { refresh_cookie: [] }],
}

export function refreshRoute(app: App, ctx: Context): void {
  const config = { form: true, limits: ['refresh_network'], refreshCookie: true } as const
  const options = { schema, config, preValidation: allowNoBody }
  app.post('/auth/refresh', options, async (request, reply) => {
    const { refresh_token: token, cookie = false } = request.body ?? {}
    if (cookie) assertOwnPage(ctx, request)
    const presented =
      token === undefined
        ? presentedIn(ctx, { request, reply, isMeant: cookie })
        : readRefreshToken(ctx.keys, token)
    const session = await renew(ctx, request, presented)
    if (token !== undefined && !cookie) return session.tokens
    await endReplaced(ctx, request, session.id)
    return keepInCookie(ctx, reply, session)
  })
}

/** As a login does: nobody could use the session of the former cookie any more. */
async function endReplaced(ctx: Context, request: FastifyRequest, id: string): Promise<void> {
  const replacedIds = sessionIdsIn(ctx, request).filter((replaced) => replaced !== id)
  if (replacedIds.length === 0) return
  await commit(ctx, causeOf(request), async (write) => {
    for (const replaced of replacedIds) await logOut(write, replaced)
  })
}

type Presented = NonNullable<ReturnType<typeof readRefreshToken>>

/**
 * Clears a cookie that can never be right. One that is genuine stays, also when its session has ended: a login of
 * another tab may have replaced it meanwhile, and the new one would be cleared.
 */
function presentedIn(
  ctx: Context,
  { request, reply, isMeant }: { request: FastifyRequest; reply: FastifyReply; isMeant: boolean },
): Presented {
  const [token, ...others] = refreshTokensIn(ctx, request)
  if (token === undefined && isMeant) throw new AppError('authentication_required')
  if (token === undefined) throw fieldError('/refresh_token', 'required', 'This field is required.')
  const presented = others.length > 0 ? undefined : readRefreshToken(ctx.keys, token)
  if (presented !== undefined) return presented
  clearCookie(ctx, reply)
  throw new AppError('invalid_token')
}

async function renew(ctx: Context, request: FastifyRequest, presented: Presented | undefined) {
  if (presented === undefined) throw new AppError('invalid_token')
  request.state.budget.session = presented.sessionId
  const rotation = await rotate(ctx, presented, {
    client: clientOf(request),
    cause: causeOf(request),
  })
  // Thrown outside the transaction, which must commit the end of a replayed session.
  if (!('generation' in rotation)) throw new AppError('invalid_token')
  const tokens = await issueTokens(ctx, { ...presented, ...rotation })
  return { id: presented.sessionId, tokens, expiresAt: rotation.expiresAt }
}

/** Nearly always one statement that commits by itself; all others are judged in a transaction. */
async function rotate(
  ctx: Context,
  presented: Presented,
  { client, cause }: { client: Client; cause: Cause },
): Promise<Rotation> {
  const asked = (nowMs: number) => ({
    ...presented,
    client,
    nowMs,
    idleLifetimeMs: ctx.config.sessionIdleLifetimeMs,
    lifetimeMs: ctx.config.sessionLifetimeMs,
    graceMs: ctx.config.refreshGraceMs,
  })
  const [rotated] = await ctx.autocommit(rotateNewest, rotationValues(asked(ctx.now())))
  if (rotated !== undefined) return renewed('rotated', rotated)
  return commit(ctx, cause, async (write) => {
    const { tx, nowMs, record } = write
    // Once more, because a change since may have let it rotate.
    const rotation = await rotateSession(tx, asked(nowMs))
    const changes = { session_id: presented.sessionId }
    if (rotation.outcome === 'unissued') {
      const subjectId = rotation.userId
      await record('session.ended', {
        subjectId,
        changes: { ...changes, reason: 'unissued_token' },
      })
    }
    if (rotation.outcome === 'replayed') {
      const { userId } = rotation
      await notifyReplayed(write, userId, client)
      await record('session.replayed', { subjectId: userId, changes })
    }
    return rotation
  })
}

/** Five times per hour: whoever logs in and replays over and over must not flood the owner's mailbox. */
async function notifyReplayed(
  { ctx, tx, nowMs, enqueue }: Write,
  userId: number,
  client: Client,
): Promise<void> {
  const user = await lockUser(tx, userId)
  if (user === undefined) return
  const { email_canonical: email } = user
  if (ctx.config.rateLimit && !(await mayNotify(tx, 'session_replayed', { email, nowMs }))) return
  const payload = { userId, endedAt: toIso(nowMs), ...client }
  await enqueue('session_replayed', payload, { userId, email })
}
