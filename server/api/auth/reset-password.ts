import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { recordEvent } from '../../audit/events.ts'
import type { Context } from '../../context.ts'
import type { Tx } from '../../database/connect.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { causeOf, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { preferredLocale } from '../../lib/locales.ts'
import { clearLogins } from './login-limits.ts'
import { endSessionsOf } from '../../accounts/sessions.ts'
import { readLinkToken } from '../../keys/links.ts'
import { clearCodeFailures } from '../../accounts/code-failures.ts'
import { deletePendingEmailChangesOf } from '../../accounts/email-changes.ts'
import { deletePasswordResetsOf, findResetOwner, usePasswordReset } from '../../accounts/resets.ts'
import {
  assertGoodPassword,
  enqueuePasswordChanged,
  Password,
  setPassword,
} from '../current-password.ts'
import { deletePhoneChangeOf } from '../../accounts/phone-changes.ts'
import { deleteSignUpsOf } from '../../accounts/sign-ups.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { activateUser, lockUser, type PublicUserRow } from '../../accounts/users.ts'

const message = 'The password was set and every session ended. Log in with the new password.'

const schema = {
  operationId: 'resetPassword',
  tags: ['Authentication'],
  summary: 'Set a new password with the mailed link',
  description:
    'The token is what follows `#token=` in the link. A password that is refused does not use it up. Ends every session, makes void whatever waits for a code, and tells the owner by mail; logs nobody in. An address that nobody has verified is verified by it, without a name. A disabled account stays disabled.',
  body: Type.Object(
    {
      token: Type.String({
        minLength: 1,
        maxLength: 512,
        description: 'From the newest link.',
        examples: [`0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.${'A'.repeat(43)}`],
      }),
      password: Password,
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object(
      { message: Type.String({ examples: [message] }) },
      { description: 'Log in now.' },
    ),
  },
  errors: ['invalid_reset_token', 'overloaded'] as const,
}

export function resetPasswordRoute(app: App, ctx: Context): void {
  const config = { limits: ['reset_network'] } as const
  app.post('/auth/password/reset', { schema, config, ...hashAdmission(ctx) }, async (request) => {
    const { token, password } = request.body
    const id = readLinkToken(ctx.keys, 'reset', token)?.id
    const owner = id && (await findResetOwner(ctx.db, id, ctx.now()))
    if (!id || !owner) throw new AppError('invalid_reset_token')
    // Only now: what a password is compared with would tell of the owner, and a refused one uses nothing up.
    await assertGoodPassword(ctx, password, {
      role: owner.role,
      email: owner.email_canonical,
      fullName: owner.full_name,
      network: networkKeyOf(request),
    })
    const passwordHash = await ctx.hasher.hash(password, { signal: request.state.hangUp })
    await ctx.transaction((tx) => reset(ctx, tx, { id, userId: owner.id, passwordHash, request }))
    await clearLogins(ctx, request, owner.email_canonical)
    ctx.wakeMail()
    return { message }
  })
}

interface Reset {
  readonly id: string
  readonly userId: number
  readonly passwordHash: string
  readonly request: FastifyRequest
}

/** Throws `invalid_reset_token` when the link was used or replaced meanwhile, or the account is gone. */
async function reset(
  ctx: Context,
  tx: Tx,
  { id, userId, passwordHash, request }: Reset,
): Promise<void> {
  const nowMs = ctx.now()
  const user = await lockUser(tx, userId)
  if (user === undefined || !(await usePasswordReset(tx, id, nowMs)))
    throw new AppError('invalid_reset_token')

  if (user.verified_at === null) {
    await verify(ctx, tx, { user, passwordHash, request })
  } else {
    await setPassword(tx, user, { passwordHash, nowMs })
  }
  const changes = { sessions_ended: await endSessionsOf(tx, userId, { nowMs }) }
  await dropPending(tx, user)
  const event = {
    event: 'password.reset',
    subjectId: userId,
    ...causeOf(request),
    changes,
  } as const
  await recordEvent(tx, event, nowMs)
  await enqueuePasswordChanged(tx, userId, { client: clientOf(request), nowMs })
}

/**
 * Who opened the mailed link has the mailbox. No name is taken over: the attempts may all be strangers'.
 * The language is the one of who sets the password.
 */
async function verify(
  ctx: Context,
  tx: Tx,
  {
    user,
    passwordHash,
    request,
  }: { user: PublicUserRow; passwordHash: string; request: FastifyRequest },
): Promise<void> {
  const activated = await activateUser(tx, user.id, {
    email: user.email,
    fullName: null,
    locale: user.locale ?? preferredLocale(request.headers['accept-language']),
    passwordHash,
    cutoff: expiryCutoff(ctx),
    nowMs: ctx.now(),
  })
  if (!activated) throw new AppError('invalid_reset_token')
  const event = { event: 'user.verified', subjectId: user.id, ...causeOf(request) } as const
  await recordEvent(tx, event, ctx.now())
}

/** Whoever was in the account, or on the way into it, is out. */
async function dropPending(tx: Tx, { id, email_canonical: email }: PublicUserRow): Promise<void> {
  await deletePasswordResetsOf(tx, id)
  await deletePendingEmailChangesOf(tx, id)
  await deletePhoneChangeOf(tx, id)
  await deleteSignUpsOf(tx, id)
  await clearCodeFailures(tx, { email, purpose: 'verify' })
}
