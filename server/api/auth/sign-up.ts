import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import { blankEventsOf, recordEvent } from '../../audit/events.ts'
import type { Context } from '../../context.ts'
import type { Tx } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { type Cause, causeOf, type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { Email, Uuid } from '../../http/schemas.ts'
import { adoptMessages, countMailsTo, enqueueMail, SIGN_UP_MAILS } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { type Locale, preferredLocale } from '../../lib/locales.ts'
import { newId } from '../../lib/random.ts'
import { didYouMean } from '../../accounts/typos.ts'
import { HOUR_MS, SECOND_MS } from '../../lib/units.ts'
import { insertUnverifiedUser } from '../../accounts/addresses.ts'
import { isEmailReserved } from '../../accounts/email-changes.ts'
import { assertGoodPassword, Password } from '../current-password.ts'
import { addSignUp, lookForNothing, PENDING_MAX } from '../../accounts/sign-ups.ts'
import { FullName } from '../schemas.ts'
import {
  deleteExpiredUser,
  isExpired,
  lockUserByEmail,
  type PublicUserRow,
  userForLogin,
} from '../../accounts/users.ts'
import { normalFullName } from '../../accounts/names.ts'
import {
  replacementCutoff,
  signUpsCountedSinceMs,
  verificationExpiresAt,
} from '../../accounts/expiry.ts'

/**
 * With HIDE_REGISTERED_EMAILS every address takes as many statements, but not the same: a registered one
 * was told from others in 55 of 100 tries. So answers come by a timer, too, which runs from the hash.
 */
const HIDDEN_FOR_MS = 20
const RETRY_AFTER_S = HOUR_MS / SECOND_MS

const schema = {
  operationId: 'signUp',
  tags: ['Authentication'],
  summary: 'Sign up',
  description:
    'Mails a six-digit code that verifies the address and activates the password of this very attempt. An address that nobody has verified yet can be signed up again, up to five times; keep `sign_up_id` and send it to verify, so that only your own attempt can be activated. Mails are in English or German, as `Accept-Language` prefers. An account not verified in time (two days by default) is deleted.',
  body: Type.Object(
    { email: Email, password: Password, full_name: Type.Optional(FullName) },
    { additionalProperties: false },
  ),
  response: {
    201: Type.Object(
      {
        message: Type.String({ examples: ['User registered successfully. …'] }),
        email: Type.String({ description: 'As typed.', examples: ['ann@example.com'] }),
        sign_up_id: Uuid('This attempt.'),
        did_you_mean: Type.Optional(
          Type.String({
            description:
              'The address that was perhaps meant, where the domain looks like a typo. The mail went to the one that was sent.',
            examples: ['ann@gmail.com'],
          }),
        ),
      },
      { description: 'The code is on its way.' },
    ),
  },
  errors: ['email_taken', 'too_many_sign_ups', 'overloaded'] as const,
}

interface Attempt {
  readonly email: string
  readonly emailCanonical: string
  readonly fullName: string | null
  readonly passwordHash: string
  readonly client: Client
  readonly cause: Cause
  readonly locale: Locale | null
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
    // A taken address is refused before the hash, which costs more than all the rest.
    const known = await ctx.lookUp(userForLogin, emailCanonical)
    if (known?.verified_at != null && !ctx.config.hideRegisteredEmails)
      throw new AppError('email_taken')

    const passwordHash = await ctx.hasher.hash(password, { signal: request.state.hangUp })
    const attempt = {
      email,
      emailCanonical,
      fullName,
      passwordHash,
      client: clientOf(request),
      cause: causeOf(request),
      locale: preferredLocale(request.headers['accept-language']),
    }
    const signUpId = await recordInTime(ctx, attempt)
    ctx.wakeMail()
    const meant = didYouMean(email)
    return reply.code(201).send({
      message: ctx.config.signUpMessage,
      email,
      sign_up_id: signUpId,
      ...(meant === undefined ? {} : { did_you_mean: meant }),
    })
  })
}

/** What comes of it, the refusal after five and a fault included, is told no sooner than the timer says. */
async function recordInTime(ctx: Context, attempt: Attempt): Promise<string> {
  const soonest = ctx.config.hideRegisteredEmails ? delay(HIDDEN_FOR_MS) : undefined
  try {
    return await ctx.transaction((tx) => record(ctx, tx, attempt))
  } finally {
    await soonest
  }
}

/** Writes the attempt and its mail; the id of what the caller may believe to be an attempt. */
async function record(ctx: Context, tx: Tx, attempt: Attempt): Promise<string> {
  const { user, spared } = await placeFor(ctx, tx, attempt)
  const nowMs = ctx.now()
  const email = attempt.emailCanonical
  if (ctx.config.hideRegisteredEmails) {
    await assertFewMails(ctx, tx, email)
    await lookForNothing(tx, spared)
  }
  if (user === undefined) return recordTaken(ctx, tx, attempt)
  const signUpId = await addSignUp(tx, ctx.keys, {
    ...attempt,
    userId: user.id,
    nowMs,
    replaceOldest: ctx.config.hideRegisteredEmails,
    expiresAtMs: Math.min(
      nowMs + ctx.config.codeLifetimeMs,
      Date.parse(verificationExpiresAt(ctx, user)),
    ),
  })
  if (signUpId === undefined) throw tooMany(ctx)
  await enqueueMail(tx, 'verification', { signUpId }, { nowMs, email, userId: user.id })
  const changes = { sign_up_id: signUpId }
  const event = {
    event: 'sign_up.received' as const,
    subjectId: user.id,
    ...attempt.cause,
    changes,
  }
  await recordEvent(tx, event, nowMs)
  return signUpId
}

interface Place {
  /** The locked row of an address that nobody has verified, new if need be; undefined for a taken one. */
  readonly user: PublicUserRow | undefined
  /** How many statements the whole takes less than for a new address. */
  readonly spared: number
}

async function placeFor(ctx: Context, tx: Tx, attempt: Attempt): Promise<Place> {
  const inserted = await insertUser(ctx, tx, attempt)
  if (inserted !== undefined) return { user: inserted, spared: 0 }
  const user = await lockUserByEmail(tx, attempt.emailCanonical)
  if (user === undefined) {
    if (await isEmailReserved(tx, attempt.emailCanonical, ctx.now()))
      return { user: undefined, spared: 0 }
    // Deleted between the two statements: the address is free again, and the next try inserts it.
    return placeFor(ctx, tx, attempt)
  }
  if (user.verified_at !== null) return { user: undefined, spared: 3 }
  if (!isExpired(user, replacementCutoff(ctx))) return { user, spared: 1 }
  return { user: await replaceExpired(ctx, tx, user.id, attempt), spared: 0 }
}

/** The old account leaves nothing behind but its mails, which count for the address: they are the new one’s. */
async function replaceExpired(
  ctx: Context,
  tx: Tx,
  id: number,
  attempt: Attempt,
): Promise<PublicUserRow | undefined> {
  if (await deleteExpiredUser(tx, id, replacementCutoff(ctx))) {
    const event = { event: 'user.deleted', subjectId: id, ...attempt.cause } as const
    await recordEvent(tx, event, ctx.now())
  }
  const inserted = await insertUser(ctx, tx, attempt)
  if (inserted !== undefined) await adoptMessages(tx, { from: id, to: inserted.id })
  await blankEventsOf(tx, [id], ctx.batchMax)
  return inserted
}

/** With a reminder for halfway through the account's life; it asks then whether it is still wanted. */
async function insertUser(
  ctx: Context,
  tx: Tx,
  attempt: Attempt,
): Promise<PublicUserRow | undefined> {
  const nowMs = ctx.now()
  const user = await insertUnverifiedUser(tx, { ...attempt, nowMs })
  if (user === undefined) return undefined
  const dueAtMs = nowMs + ctx.config.unverifiedLifetimeMs / 2
  await enqueueMail(tx, 'reminder', { userId: user.id }, { nowMs, userId: user.id, dueAtMs })
  return user
}

/** With HIDE_REGISTERED_EMAILS the owner is told instead of the caller. */
async function recordTaken(ctx: Context, tx: Tx, attempt: Attempt): Promise<string> {
  if (!ctx.config.hideRegisteredEmails) throw new AppError('email_taken')
  const nowMs = ctx.now()
  const email = attempt.emailCanonical
  await enqueueMail(tx, 'already_registered', { email }, { nowMs, email })
  await recordEvent(tx, { event: 'sign_up.received', ...attempt.cause }, nowMs)
  return newId()
}

/**
 * One rule for every address, by what was mailed to it: counting the attempts that wait would tell a
 * registered address, which has none, and the moment in which its owner verifies.
 */
async function assertFewMails(ctx: Context, tx: Tx, email: string): Promise<void> {
  const sinceMs = signUpsCountedSinceMs(ctx)
  const sent = await countMailsTo(tx, SIGN_UP_MAILS, { email, sinceMs })
  if (sent >= PENDING_MAX) throw tooMany(ctx)
}

function tooMany(ctx: Context): AppError {
  const limit = {
    name: 'sign_up_address',
    quota: PENDING_MAX,
    windowS: ctx.config.codeLifetimeMs / SECOND_MS,
    retryAfterS: RETRY_AFTER_S,
    // Nothing of it is kept from which the first could be told, and each would be recorded.
    isFirst: false,
  }
  return new AppError('too_many_sign_ups', { limit })
}
