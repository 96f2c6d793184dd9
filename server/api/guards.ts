import type { FastifyContextConfig, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import type { PublicUserRow, ShownUserRow } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import type { SignedIn } from '../http/fastify.ts'
import { type AccessToken, createTokenVerifier } from '../accounts/access-tokens.ts'
import { lockUser } from '../accounts/users.ts'
import type { Write } from '../accounts/write.ts'
import { toIso } from '../lib/units.ts'
import { lockSession, signedInUser } from '../accounts/sessions.ts'

interface Guard {
  readonly onRequest: (request: FastifyRequest) => Promise<void>
  readonly config: FastifyContextConfig
}

/** Route guards, used as `app.get(url, { schema, ...guards.user }, …)`. They run before the body is read. */
export interface Guards {
  readonly user: Guard
  /**
   * As `user`, with a rate limit for writes. Not for routes that check a code or the password, which have
   * their own limits, or that end sessions: a thief must not exhaust the quota that the owner needs.
   */
  readonly writer: Guard
  readonly admin: Guard
  /**
   * Admits the user named by the path's `id`, or an admin; writes are rate-limited. Others get 403
   * whether or not that user exists.
   */
  readonly selfOrAdmin: Guard
  /** For routes that require a token only in some cases. Throws as `user` does. */
  authenticate(request: FastifyRequest): Promise<SignedIn>
}

export function createGuards(ctx: Context): Guards {
  const verifyToken = createTokenVerifier(ctx)

  async function authenticate(request: FastifyRequest): Promise<SignedIn> {
    const token = await verifyToken(bearerToken(request))
    const user = await findSignedIn(ctx, token)
    const { sessionId, userId } = token
    const cause = { actorId: userId, ip: request.state.ip, requestId: request.id }
    request.state.session = { sessionId, userId, role: user.role, user, cause }
    Object.assign(request.state.budget, { caller: `user ${userId}`, session: sessionId })
    return request.state.session
  }
  const onRequest = async (request: FastifyRequest) => void (await authenticate(request))
  return {
    authenticate,
    user: { config: { access: 'user' }, onRequest },
    writer: { config: { access: 'user', limits: ['own_writes'] }, onRequest },
    admin: {
      config: { access: 'admin' },
      async onRequest(request) {
        const { role } = await authenticate(request)
        if (role !== 'admin') throw new AppError('forbidden')
      },
    },
    selfOrAdmin: {
      config: { access: 'user', limits: ['own_writes'] },
      async onRequest(request) {
        const { role, userId } = await authenticate(request)
        const { id } = request.params as { id?: string }
        if (role !== 'admin' && id !== String(userId)) throw new AppError('forbidden')
      },
    },
  }
}

/** The authenticated session. Throws on a route without a guard, which is a bug. */
export function sessionOf(request: FastifyRequest): SignedIn {
  if (request.state.session === undefined) throw new Error('this route has no guard')
  return request.state.session
}

interface StillAllowed {
  readonly actor: SignedIn
  /** The actor's locked row. */
  readonly row: PublicUserRow | undefined
  readonly access: 'user' | 'admin'
}

/**
 * Repeats the guard's checks under the caller's lock on the actor's row, because a slow body may arrive
 * long after the headers passed the guard. Returns the row, and when the session last proved the
 * password. Throws `invalid_token` or `forbidden`.
 */
export async function assertStillAllowed(
  { tx, nowMs }: Write,
  { actor, row, access }: StillAllowed,
): Promise<{ row: PublicUserRow; authenticatedAt: string }> {
  const mayAct = row !== undefined && row.verified_at !== null && row.disabled_at === null
  const session = mayAct ? await lockSession(tx, actor.sessionId, nowMs) : undefined
  if (!mayAct || session === undefined) throw new AppError('invalid_token')
  if (access === 'admin' && row.role !== 'admin') throw new AppError('forbidden')
  return { row, authenticatedAt: session.authenticated_at }
}

/** Locks and returns the actor's own row. Throws as `assertStillAllowed` does. */
export async function lockSelf(write: Write, actor: SignedIn): Promise<PublicUserRow> {
  const row = await lockUser(write.tx, actor.userId)
  return (await assertStillAllowed(write, { actor, row, access: 'user' })).row
}

/** Reads the current session and user in one round trip. */
async function findSignedIn(ctx: Context, token: AccessToken): Promise<ShownUserRow> {
  const user = await ctx.lookUp(signedInUser, {
    sessionId: token.sessionId,
    now: toIso(ctx.now()),
  })
  if (user === undefined || user.id !== token.userId) throw new AppError('invalid_token')
  return user
}

/** RFC 6750 section 2.1. Throws `authentication_required` without a Bearer header. */
function bearerToken(request: FastifyRequest): string {
  const header = request.headers.authorization ?? ''
  const token = /^bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
  if (token !== undefined) return token
  throw new AppError(/^bearer\b/i.test(header) ? 'invalid_token' : 'authentication_required')
}
