import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { Tx } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { isForm } from '../../http/bodies.ts'
import { causeOf, type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { Email } from '../../http/schemas.ts'
import { countMessages } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { isHashable } from '../../passwords/policy.ts'
import { HOUR_MS, toIso } from '../../lib/units.ts'
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
import { takeLogin } from './login-limits.ts'
import { openSession } from '../../accounts/sessions.ts'
import { issueTokens, Tokens } from '../../accounts/tokens.ts'
import { commit } from '../../accounts/write.ts'

const Credentials = Type.Object(
  { email: Email, password: Password },
  { title: 'Credentials', additionalProperties: false },
)

const NEW_DEVICE_MAILS_PER_HOUR = 5

/** Of these OAuth only wants to be heard; a grant other than `password` is refused before. */
const OAUTH_IGNORED = ['grant_type', 'scope', 'client_id', 'client_secret'] as const
const Ignored = Type.String({ description: 'Accepted and ignored.', examples: [''] })
/** OAuth 2's password form (RFC 6749 section 4.3.2), which Swagger UI's Authorize sends. */
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
    'Starts a session. In the form variant the email is sent as `username`, as OAuth 2 requires. The response reveals that an address is unverified or an account disabled only if the password is correct.',
  body: Credentials,
  formBody: OAuthForm,
  response: { 200: Tokens },
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
    config: { form: true, limits: ['login_network'] } as const,
    preValidation: async (request: FastifyRequest) => {
      if (isForm(request)) request.body = fromOAuthForm(request.body)
    },
    ...hashAdmission(ctx),
  }
  app.post('/auth/login', options, async (request) => {
    const email = canonicalEmail(request.body.email) ?? ''
    const taken = await takeLogin(ctx, request, email)
    try {
      const tokens = await logIn(ctx, request, { email, password: request.body.password })
      await taken.succeeded()
      return tokens
    } catch (error) {
      await taken.failed(error)
      throw error
    }
  })
}

async function logIn(
  ctx: Context,
  request: FastifyRequest,
  given: { email: string; password: string },
) {
  const proven = await provePassword(ctx, given, request.state.hangUp)
  await ctx.limits.takeOrRefuse('own_logins', String(proven.user.id))
  const sessionId = await openSessionFor(ctx, proven, request)
  return issueTokens(ctx, { sessionId, userId: proven.user.id, generation: 0 })
}

/** The user whose password it is and who may log in. Unknown addresses cost the same hash. */
async function provePassword(
  ctx: Context,
  { email, password }: { email: string; password: string },
  signal: AbortSignal | undefined,
): Promise<Proven> {
  const found = await ctx.lookUp(userForLogin, email)
  const user = found && isExpired(found, expiryCutoff(ctx)) ? undefined : found
  const hash = user?.verified_at == null ? user?.attempt_password_hash : user.password_hash
  const known = isHashable(password) ? hash : undefined
  const matches = await ctx.hasher.verify(known, password, { signal })
  if (!matches || user === undefined || hash == null) throw new AppError('invalid_credentials')

  if (user.verified_at === null) {
    // A sign-up of a registered address opens no attempt: this answer would give the others away.
    throw new AppError(ctx.config.hideRegisteredEmails ? 'invalid_credentials' : 'email_unverified')
  }
  if (user.disabled_at !== null) throw new AppError('account_disabled')
  // A busy service upgrades the hash at a later login.
  if (!ctx.hasher.isOutdated(hash) || ctx.hasher.isFull()) return { user }
  return { user, upgrade: { from: hash, to: await ctx.hasher.hash(password) } }
}

/** Decides again under the lock: a login that began before a change of password leaves no session behind it. */
function openSessionFor(
  ctx: Context,
  { user, upgrade }: Proven,
  request: FastifyRequest,
): Promise<string> {
  const client = clientOf(request)
  return commit(ctx, causeOf(request), async ({ tx, nowMs, record, enqueue }) => {
    const now = await lockUser(tx, user.id)
    // Another password, or another address: this one logs in no longer.
    const isAsProven =
      now?.password_changed_at === user.password_changed_at &&
      now.email_canonical === user.email_canonical
    if (now === undefined || !isAsProven) throw new AppError('invalid_credentials')
    if (now.disabled_at !== null) throw new AppError('account_disabled')
    if (upgrade !== undefined) await upgradePasswordHash(tx, user.id, upgrade)
    const userId = user.id
    if (await isWorthNotice(ctx, tx, { user: now, client, nowMs })) {
      const payload = { userId, at: toIso(nowMs), ...client }
      await enqueue('new_device', payload, { email: now.email_canonical, userId })
    }
    const { id: sessionId, ended } = await openSession(tx, userId, {
      client,
      nowMs,
      idleLifetimeMs: ctx.config.sessionIdleLifetimeMs,
      lifetimeMs: ctx.config.sessionLifetimeMs,
    })
    const changes = { session_id: sessionId, ...(ended.length > 0 ? { ended } : {}) }
    await record('session.opened', { actorId: userId, subjectId: userId, changes })
    return sessionId
  })
}

interface Login {
  /** Locked, as it is now. */
  readonly user: PublicUserRow
  readonly client: Client
  readonly nowMs: number
}

/** True for a new device, five times an hour: who knows the password must not flood its owner's mailbox. */
async function isWorthNotice(
  ctx: Context,
  tx: Tx,
  { user, client, nowMs }: Login,
): Promise<boolean> {
  const { userAgent } = client
  if (!(await isNewDevice(tx, user, { userAgent, nowMs }))) return false
  if (!ctx.config.rateLimit) return true
  const counted = { email: user.email_canonical, sinceMs: nowMs - HOUR_MS }
  const sent = await countMessages(tx, ['new_device'], counted)
  return sent < NEW_DEVICE_MAILS_PER_HOUR
}

/** The form's fields as those of the JSON body; what OAuth adds is dropped once it was looked at. */
function fromOAuthForm(form: unknown): unknown {
  if (typeof form !== 'object' || form === null) return form
  const { username, ...fields } = form as Record<string, unknown>
  if ((fields['grant_type'] ?? 'password') !== 'password') return form
  // A parameter sent twice came as a list and stays, to be refused (RFC 6749 section 3.2).
  for (const name of OAUTH_IGNORED) if (typeof fields[name] === 'string') delete fields[name]
  return 'email' in fields || username === undefined ? form : { ...fields, email: username }
}
