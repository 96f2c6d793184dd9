import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { recordEvent } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { hashAdmission } from '../http/admission.ts'
import { isForm } from '../http/bodies.ts'
import { type Cause, causeOf, type Client, clientOf } from '../http/client.ts'
import type { App } from '../http/fastify.ts'
import { Email } from '../http/schemas.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { isHashable } from '../lib/password-policy.ts'
import { Password } from '../users/passwords.ts'
import { expiryCutoff } from '../users/user.ts'
import {
  isExpired,
  lockUser,
  type PublicUserRow,
  upgradePasswordHash,
  userForLogin,
} from '../users/users.ts'
import { openSession } from './sessions.ts'
import { issueTokens, Tokens } from './tokens.ts'

const Credentials = Type.Object(
  { email: Email, password: Password },
  { additionalProperties: false },
)

/** Of these OAuth only wants to be heard; a grant other than `password` is refused before. */
const OAUTH_IGNORED = ['grant_type', 'scope', 'client_id', 'client_secret'] as const
const Ignored = Type.String({ description: 'Accepted and ignored.', examples: [''] })
/** OAuth 2's password form (RFC 6749 section 4.3.2), which Swagger UI's Authorize sends. */
const OAuthForm = Type.Object({
  username: Email,
  password: Password,
  grant_type: Type.Optional(Type.Literal('password')),
  scope: Type.Optional(Ignored),
  client_id: Type.Optional(Ignored),
  client_secret: Type.Optional(Ignored),
})

const schema = {
  operationId: 'logIn',
  tags: ['Authentication'],
  summary: 'Log in',
  description:
    'Opens a session. As a form, the email is the field `username`, as OAuth 2 wants it. That an address is unverified or an account disabled is told only to whoever knows the password.',
  body: Credentials,
  formBody: OAuthForm,
  response: { 200: Tokens },
  errors: ['invalid_credentials', 'email_unverified', 'account_disabled', 'overloaded'] as const,
}

interface Proven {
  readonly user: PublicUserRow
  readonly upgrade?: { from: string; to: string }
}

export function logInRoute(app: App, ctx: Context): void {
  const options = {
    schema,
    config: { form: true as const },
    preValidation: async (request: FastifyRequest) => {
      if (isForm(request)) request.body = fromOAuthForm(request.body)
    },
    ...hashAdmission(ctx),
  }
  app.post('/auth/login', options, async (request) => {
    const { email, password } = request.body
    const proven = await provePassword(ctx, canonicalEmail(email) ?? '', password)
    const sessionId = await openSessionFor(ctx, proven, {
      client: clientOf(request),
      cause: causeOf(request),
    })
    return issueTokens(ctx, { sessionId, userId: proven.user.id, generation: 0 })
  })
}

/** The user whose password it is and who may log in. Unknown addresses cost the same hash. */
async function provePassword(ctx: Context, email: string, password: string): Promise<Proven> {
  const found = await ctx.lookUp(userForLogin, email)
  const user = found && isExpired(found, expiryCutoff(ctx)) ? undefined : found
  const hash = user?.verified_at == null ? user?.attempt_password_hash : user.password_hash
  const matches = await ctx.hasher.verify(isHashable(password) ? hash : undefined, password)
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
  { client, cause }: { client: Client; cause: Cause },
): Promise<string> {
  return ctx.transaction(async (tx) => {
    const now = await lockUser(tx, user.id)
    if (now === undefined || now.password_changed_at !== user.password_changed_at) {
      throw new AppError('invalid_credentials')
    }
    if (now.disabled_at !== null) throw new AppError('account_disabled')
    if (upgrade !== undefined) await upgradePasswordHash(tx, user.id, upgrade)
    const nowMs = ctx.now()
    const sessionId = await openSession(tx, user.id, client, {
      nowMs,
      idleLifetimeMs: ctx.config.sessionIdleLifetimeMs,
      lifetimeMs: ctx.config.sessionLifetimeMs,
    })
    const event = { ...cause, actorId: user.id, subjectId: user.id }
    const changes = { session_id: sessionId }
    await recordEvent(tx, { event: 'session.opened', ...event, changes }, nowMs)
    return sessionId
  })
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
