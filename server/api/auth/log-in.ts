import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { Tx } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { hashingFor } from '../../http/hashing.ts'
import { isForm } from '../../http/bodies.ts'
import { causeOf, type Client, clientOf } from '../../http/client.ts'
import { assertOwnPage } from '../../http/cross-site.ts'
import type { App } from '../../http/fastify.ts'
import { Email } from '../../http/schemas.ts'
import { mayNotify } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { isHashable } from '../../passwords/policy.ts'
import { toIso } from '../../lib/units.ts'
import { Password } from '../schemas.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import {
  isExpired,
  lockUser,
  type PublicUserRow,
  upgradePasswordHash,
  userForLogin,
} from '../../accounts/users.ts'
import { isNewDevice } from '../../accounts/session-list.ts'
import { recordFailedLogin } from './failed-logins.ts'
import { takeLogin } from './login-limits.ts'
import { logOut, openSession } from '../../accounts/sessions.ts'
import { issueTokens, Tokens } from '../../accounts/tokens.ts'
import { commit } from '../../accounts/write.ts'
import { InCookie, keepInCookie, sessionIdsIn, SET_COOKIE } from './refresh-cookie.ts'

const Credentials = Type.Object(
  { email: Email, password: Password, cookie: InCookie },
  { title: 'Credentials', additionalProperties: false },
)

/** OAuth parameters that are dropped; `fromOAuthForm` refuses grant types other than `password` first. */
const OAUTH_IGNORED = ['grant_type', 'scope', 'client_id', 'client_secret'] as const
const Ignored = Type.String({ description: 'Accepted and ignored.', examples: [''] })
/** The password grant of OAuth 2 (RFC 6749 section 4.3.2), sent by Swagger UI's Authorize dialog. */
const OAuthForm = Type.Object(
  {
    username: Email,
    password: Password,
    grant_type: Type.Optional(Type.Literal('password')),
    scope: Type.Optional(Ignored),
    client_id: Type.Optional(Ignored),
    client_secret: Type.Optional(Ignored),
  },
  { title: 'LoginForm' },
)

const schema = {
  operationId: 'logIn',
  tags: ['Authentication'],
  summary: 'Log in',
  description:
    'Starts a session. In the form variant the email is sent as `username`, as OAuth 2 requires, and the refresh token cannot be put into a cookie. If the browser has a session in the cookie, a login that replaces it ends it. The response reveals that an address is unverified or an account disabled only if the password is correct.',
  body: Credentials,
  formBody: OAuthForm,
  response: { 200: { ...Tokens, headers: SET_COOKIE } },
  errors: [
    'invalid_credentials',
    'email_unverified',
    'account_disabled',
    'login_locked',
    'overloaded',
  ] as const,
}

interface Proven {
  readonly user: PublicUserRow
  readonly upgrade?: { from: string; to: string }
}

export function logInRoute(app: App, ctx: Context): void {
  const options = {
    schema,
    config: { form: true, limits: ['login_network'], refreshCookie: true } as const,
    preValidation: async (request: FastifyRequest) => {
      if (isForm(request)) request.body = fromOAuthForm(request.body)
    },
    ...hashAdmission(ctx),
  }
  app.post('/auth/login', options, async (request, reply) => {
    const { password, cookie = false } = request.body
    const email = canonicalEmail(request.body.email) ?? ''
    if (cookie) assertOwnPage(ctx, request)
    const replacedIds = cookie ? sessionIdsIn(ctx, request) : []
    try {
      const session = await tryLogin(ctx, request, { email, password, replacedIds })
      return cookie ? keepInCookie(ctx, reply, session) : session.tokens
    } catch (error) {
      await recordFailedLogin(ctx, request, { email, error })
      throw error
    }
  })
}

interface Given {
  readonly email: string
  readonly password: string
  /** The sessions whose cookie the new one replaces. */
  readonly replacedIds: readonly string[]
}

async function tryLogin(ctx: Context, request: FastifyRequest, given: Given) {
  const attempt = await takeLogin(ctx, request, given.email)
  try {
    const session = await logIn(ctx, request, given)
    await attempt.succeeded()
    return session
  } catch (error) {
    await attempt.failed(error)
    throw error
  }
}

async function logIn(ctx: Context, request: FastifyRequest, { replacedIds, ...given }: Given) {
  const proven = await provePassword(ctx, request, given)
  const { id: sessionId, expiresAt } = await openSessionFor(
    ctx,
    { ...proven, replacedIds },
    request,
  )
  const tokens = await issueTokens(ctx, { sessionId, userId: proven.user.id, generation: 0 })
  return { tokens, expiresAt }
}

/** Finds the user and verifies the password. Unknown addresses cost the same hash. */
async function provePassword(
  ctx: Context,
  request: FastifyRequest,
  { email, password }: { email: string; password: string },
): Promise<Proven> {
  const hashing = hashingFor(ctx, request, email)
  const found = await ctx.lookUp(userForLogin, email)
  const user = found && isExpired(found, expiryCutoff(ctx)) ? undefined : found
  const hash = user?.verified_at == null ? user?.attempt_password_hash : user.password_hash
  const comparable = isHashable(password) ? hash : undefined
  // Before the hash, but only for a client that knows the password: it reveals a registered address.
  if (ctx.hasher.remembers(comparable, password) && user !== undefined)
    await ctx.limits.peekOrRefuse('own_logins', String(user.id))
  const matches = await hashing.verify(comparable, password, user?.id)
  if (!matches || user === undefined || hash == null) throw new AppError('invalid_credentials')

  // A sign-up for a registered address stores no attempt: `email_unverified` would reveal unregistered ones.
  if (user.verified_at === null && ctx.config.hideRegisteredEmails)
    throw new AppError('invalid_credentials')
  await countRight(ctx, { user, hash, password })
  if (user.verified_at === null) throw new AppError('email_unverified')
  if (user.disabled_at !== null) throw new AppError('account_disabled')
  // Under load, the hash is upgraded at a later login.
  if (!ctx.hasher.isOutdated(hash) || hashing.isFull()) return { user }
  return { user, upgrade: { from: hash, to: await hashing.hash(password) } }
}

/** Throws `too_many_requests`; further attempts with this password are then refused before the hash. */
async function countRight(
  ctx: Context,
  { user, hash, password }: { user: PublicUserRow; hash: string; password: string },
): Promise<void> {
  const counted = await ctx.limits.take('own_logins', String(user.id))
  if (counted.isLast) ctx.hasher.remember(hash, password)
  const limit = await counted.refuse?.()
  if (limit !== undefined) throw new AppError('too_many_requests', { limit })
}

/** Repeats the decision under the lock, so that a concurrent change of the password leaves no session open. */
function openSessionFor(
  ctx: Context,
  { user, upgrade, replacedIds }: Proven & Pick<Given, 'replacedIds'>,
  request: FastifyRequest,
): Promise<{ id: string; expiresAt: string }> {
  const client = clientOf(request)
  return commit(ctx, causeOf(request), async (write) => {
    const { tx, nowMs, record, enqueue } = write
    const current = await lockUser(tx, user.id)
    const isUnchanged =
      current?.password_changed_at === user.password_changed_at &&
      current.email_canonical === user.email_canonical
    if (current === undefined || !isUnchanged) throw new AppError('invalid_credentials')
    if (current.disabled_at !== null) throw new AppError('account_disabled')
    if (upgrade !== undefined) await upgradePasswordHash(tx, user.id, upgrade)
    const userId = user.id
    if (await needsNotice(ctx, tx, { user: current, client, nowMs })) {
      const payload = { userId, at: toIso(nowMs), ...client }
      await enqueue('new_device', payload, { email: current.email_canonical, userId })
    }
    for (const id of replacedIds) await logOut(write, id)
    const { endedIds, ...session } = await openSession(tx, userId, {
      client,
      nowMs,
      idleLifetimeMs: ctx.config.sessionIdleLifetimeMs,
      lifetimeMs: ctx.config.sessionLifetimeMs,
    })
    const changes = { session_id: session.id, ...(endedIds.length > 0 ? { ended: endedIds } : {}) }
    await record('session.opened', { actorId: userId, subjectId: userId, changes })
    return session
  })
}

interface Login {
  /** The locked row. */
  readonly user: PublicUserRow
  readonly client: Client
  readonly nowMs: number
}

/** True for a new device, five times per hour: a thief of the password must not flood the owner's mailbox. */
async function needsNotice(ctx: Context, tx: Tx, { user, client, nowMs }: Login): Promise<boolean> {
  const { userAgent } = client
  if (!(await isNewDevice(tx, user, { userAgent, nowMs }))) return false
  if (!ctx.config.rateLimit) return true
  return mayNotify(tx, 'new_device', { email: user.email_canonical, nowMs })
}

/** Maps the form to the fields of the JSON body, and drops the additional OAuth parameters. */
function fromOAuthForm(form: unknown): unknown {
  if (typeof form !== 'object' || form === null) return form
  const { username, ...fields } = form as Record<string, unknown>
  if ((fields['grant_type'] ?? 'password') !== 'password') return form
  // A repeated parameter is a list here; it stays and fails validation (RFC 6749 section 3.2).
  for (const name of OAUTH_IGNORED) if (typeof fields[name] === 'string') delete fields[name]
  return 'email' in fields || username === undefined ? form : { ...fields, email: username }
}
