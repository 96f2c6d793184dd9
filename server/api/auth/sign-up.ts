import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { Db } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { hashingFor } from '../../http/hashing.ts'
import { type Cause, causeOf, type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { Email, Uuid } from '../../http/schemas.ts'
import { countMessages } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { type Locale, preferredLocale } from '../../lib/locales.ts'
import { newId } from '../../lib/random.ts'
import { didYouMean } from '../../accounts/typos.ts'
import { HOUR_MS, SECOND_MS } from '../../lib/units.ts'
import { openUnverified } from '../../accounts/addresses.ts'
import { assertGoodPassword } from '../../accounts/passwords.ts'
import { addSignUp, findPendingSignUps, PENDING_MAX } from '../../accounts/sign-ups.ts'
import { FullName, NewPassword } from '../schemas.ts'
import { type PublicUserRow, userForLogin } from '../../accounts/users.ts'
import { normalFullName } from '../../accounts/names.ts'
import {
  expiryCutoff,
  signUpsCountedSinceMs,
  verificationExpiresAt,
  SIGN_UP_MAILS,
} from '../../accounts/expiry.ts'
import { commit, type Write } from '../../accounts/write.ts'

const RETRY_AFTER_S = HOUR_MS / SECOND_MS

const schema = {
  operationId: 'signUp',
  tags: ['Authentication'],
  summary: 'Sign up',
  description:
    'Emails a six-digit code that verifies the address and activates the password of this sign-up. An unverified address can be signed up repeatedly, with up to five pending sign-ups; beyond them, the link of `/auth/password/forgot` sets a password and verifies the address. Keep `sign_up_id` and send it with the code, so that only your own sign-up can be activated. Emails are in English or German, according to `Accept-Language`. An account that is not verified in time (two days by default) is deleted.',
  body: Type.Object(
    { email: Email, password: NewPassword, full_name: Type.Optional(FullName) },
    { title: 'SignUp', additionalProperties: false },
  ),
  response: {
    201: Type.Object(
      {
        message: Type.String({ examples: ['User registered successfully. …'] }),
        email: Type.String({
          description: 'The address as it was sent.',
          examples: ['ann@example.com'],
        }),
        sign_up_id: Uuid('Identifies this sign-up.'),
        did_you_mean: Type.Optional(
          Type.String({
            description:
              'The address that was probably intended, if the domain looks like a typo. The code was sent to the address in the request.',
            examples: ['ann@gmail.com'],
          }),
        ),
      },
      { title: 'PendingSignUp', description: 'The code is being sent.' },
    ),
  },
  errors: ['email_taken', 'too_many_sign_ups', 'overloaded'] as const,
}

interface Attempt {
  /** As typed. */
  readonly email: string
  readonly emailCanonical: string
  readonly locale: Locale | null
  readonly fullName: string | null
  readonly passwordHash: string
  readonly client: Client
  readonly cause: Cause
}

export function signUpRoute(app: App, ctx: Context): void {
  const config = { limits: ['sign_up_network'] } as const
  app.post('/auth/signup', { schema, config, ...hashAdmission(ctx) }, async (request, reply) => {
    const { email, password } = request.body
    const emailCanonical = canonicalEmail(email) ?? ''
    const fullName = normalFullName(request.body.full_name ?? null)
    const network = networkKeyOf(request)
    const owner = { role: 'user' as const, email: emailCanonical, fullName, network }
    await assertGoodPassword(ctx, password, owner)
    // Refused before the hash, which is the most expensive step.
    const existing = await ctx.lookUp(userForLogin, emailCanonical)
    if (existing?.verified_at != null && !ctx.config.hideRegisteredEmails)
      throw new AppError('email_taken')
    if (await hasTooMany(ctx, ctx.db, emailCanonical)) throw tooMany(ctx)

    const passwordHash = await hashingFor(ctx, request, emailCanonical).hash(password)
    const attempt = {
      email,
      emailCanonical,
      fullName,
      passwordHash,
      client: clientOf(request),
      cause: causeOf(request),
      locale: preferredLocale(request.headers['accept-language']),
    }
    const signUpId = await (ctx.config.hideRegisteredEmails ? signUpHidden : signUp)(ctx, attempt)
    const suggested = didYouMean(email)
    return reply.code(201).send({
      message: ctx.config.signUpMessage,
      email,
      sign_up_id: signUpId,
      ...(suggested === undefined ? {} : { did_you_mean: suggested }),
    })
  })
}

/**
 * True when the address has too many sign-ups, which the transaction repeats. With HIDE_REGISTERED_EMAILS
 * it counts mails: a count of pending sign-ups would reveal a registered address, which has none.
 */
async function hasTooMany(ctx: Context, db: Db, email: string): Promise<boolean> {
  if (ctx.config.hideRegisteredEmails) {
    const since = { email, sinceMs: signUpsCountedSinceMs(ctx) }
    return (await countMessages(db, SIGN_UP_MAILS, since)) >= PENDING_MAX
  }
  const times = { nowMs: ctx.now(), cutoff: expiryCutoff(ctx) }
  return (await findPendingSignUps(db, email, times)).length >= PENDING_MAX
}

/** Returns the id of the sign-up. Throws `email_taken`, `too_many_sign_ups`. */
function signUp(ctx: Context, attempt: Attempt): Promise<string> {
  return commit(ctx, attempt.cause, async (write) => {
    const user = await openUnverified(write, attempt.emailCanonical)
    if (user === undefined) throw new AppError('email_taken')
    return addAttempt(write, user, attempt)
  })
}

/**
 * A response is sent at the next multiple of this. With the statements alone, which are fewer for a
 * registered address, 55 of 100 attempts recognized one.
 */
const HIDDEN_STEP_MS = 100

/**
 * With HIDE_REGISTERED_EMAILS, a registered address gets the same response after the same time, and its
 * owner a notice instead of a code.
 */
async function signUpHidden(ctx: Context, attempt: Attempt): Promise<string> {
  const startedAt = performance.now()
  const email = attempt.emailCanonical
  try {
    return await commit(ctx, attempt.cause, async (write) => {
      const user = await openUnverified(write, attempt.emailCanonical)
      if (await hasTooMany(ctx, write.tx, email)) throw tooMany(ctx)
      if (user !== undefined) return await addAttempt(write, user, attempt)
      await write.enqueue('already_registered', { email }, { email })
      await write.record('sign_up.received')
      return newId()
    })
  } finally {
    await delay(HIDDEN_STEP_MS - ((performance.now() - startedAt) % HIDDEN_STEP_MS))
  }
}

/** Writes the sign-up and its mail. Throws `too_many_sign_ups`. */
async function addAttempt(
  { ctx, tx, nowMs, record, enqueue }: Write,
  user: PublicUserRow,
  attempt: Attempt,
): Promise<string> {
  const accountEndsMs = Date.parse(verificationExpiresAt(ctx, user))
  const signUpId = await addSignUp(tx, ctx.keys, {
    ...attempt,
    userId: user.id,
    nowMs,
    replaceOldest: ctx.config.hideRegisteredEmails,
    expiresAtMs: Math.min(nowMs + ctx.config.codeLifetimeMs, accountEndsMs),
  })
  if (signUpId === undefined) throw tooMany(ctx)
  await enqueue('verification', { signUpId }, { email: attempt.emailCanonical, userId: user.id })
  await record('sign_up.received', { subjectId: user.id, changes: { sign_up_id: signUpId } })
  return signUpId
}

function tooMany(ctx: Context): AppError {
  const limit = {
    name: 'sign_up_address',
    quota: PENDING_MAX,
    windowS: ctx.config.codeLifetimeMs / SECOND_MS,
    retryAfterS: RETRY_AFTER_S,
    // No stored state identifies the first refusal, and without it each one would be recorded.
    isFirst: false,
  }
  return new AppError('too_many_sign_ups', { limit })
}
