import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { type Cause, causeOf, type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { toIso } from '../../lib/units.ts'
import {
  readRefreshToken,
  rotateNewest,
  rotateSession,
  type Rotation,
  rotationValues,
} from '../../accounts/sessions.ts'
import { issueTokens, RefreshToken, Tokens } from '../../accounts/tokens.ts'
import { lockUser } from '../../accounts/users.ts'
import { commit, type Write } from '../../accounts/write.ts'
import { mayNotify } from '../../outbox/outbox.ts'

const schema = {
  operationId: 'refresh',
  tags: ['Authentication'],
  summary: 'Refresh the tokens',
  description:
    'Refresh tokens rotate: keep the new one. If a response is lost, the previous token can be used again for a short grace period (30 seconds by default) and returns the same successor. An older token ends the session, because it may have been copied, and the user is notified by email.',
  body: Type.Object({ refresh_token: RefreshToken }, { additionalProperties: false }),
  response: { 200: Tokens },
  errors: ['invalid_token'] as const,
}

export function refreshRoute(app: App, ctx: Context): void {
  const config = { form: true, limits: ['refresh_network'] } as const
  app.post('/auth/refresh', { schema, config }, async (request) => {
    const presented = readRefreshToken(ctx.keys, request.body.refresh_token)
    if (presented === undefined) throw new AppError('invalid_token')
    request.state.budget.session = presented.sessionId
    const rotation = await rotate(ctx, presented, {
      client: clientOf(request),
      cause: causeOf(request),
    })
    // Thrown outside the transaction, which must commit the end of a replayed session.
    if (!('generation' in rotation)) throw new AppError('invalid_token')
    return issueTokens(ctx, { ...presented, ...rotation })
  })
}

/** Nearly always one statement that commits by itself; all others are judged in a transaction. */
async function rotate(
  ctx: Context,
  presented: { sessionId: string; generation: number },
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
  if (rotated !== undefined)
    return { outcome: 'rotated', userId: rotated.user_id, generation: rotated.generation }
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
