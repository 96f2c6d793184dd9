import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { hashingFor } from '../../http/hashing.ts'
import { causeOf, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { preferredLocale } from '../../lib/locales.ts'
import { clearLogins } from './login-limits.ts'
import { endSessionsOf } from '../../accounts/sessions.ts'
import { readLinkToken } from '../../keys/links.ts'
import { clearCodeFailures } from '../../accounts/code-failures.ts'
import { deletePendingEmailChangesOf } from '../../accounts/email-changes.ts'
import { revokePasswordResetsOf, findResetOwner, usePasswordReset } from '../../accounts/resets.ts'
import {
  assertGoodPassword,
  enqueuePasswordChanged,
  setPassword,
} from '../../accounts/passwords.ts'
import { NewPassword, Sentence, LinkToken } from '../schemas.ts'
import { deletePhoneChangeOf } from '../../accounts/phone-changes.ts'
import { deleteSignUpsOf } from '../../accounts/sign-ups.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { activateUser, lockUser, type PublicUserRow } from '../../accounts/users.ts'
import { commit, type Write } from '../../accounts/write.ts'

const message = 'The password was set and all sessions were ended. Log in with the new password.'

const schema = {
  operationId: 'resetPassword',
  tags: ['Authentication'],
  summary: 'Set a new password with the emailed link',
  description:
    'The token is the part after `#token=` in the link. A rejected password does not consume it. The request ends every session, invalidates pending codes and notifies the user by email; it does not start a session. An unverified address becomes verified, without a name. A disabled account stays disabled.',
  body: Type.Object(
    {
      token: LinkToken('The token from the link.'),
      password: NewPassword,
    },
    { title: 'PasswordReset', additionalProperties: false },
  ),
  response: {
    200: Sentence(message, 'The password was set. Log in with it.'),
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
    // After the lookup, because the policy's answer reveals data of the owner; before the link is consumed.
    await assertGoodPassword(ctx, password, {
      role: owner.role,
      email: owner.email_canonical,
      fullName: owner.full_name,
      network: networkKeyOf(request),
    })
    const passwordHash = await hashingFor(ctx, request, owner.email_canonical).hash(password)
    await commit(ctx, causeOf(request), (write) =>
      reset(write, { id, userId: owner.id, passwordHash, request }),
    )
    await clearLogins(ctx, request, owner.email_canonical)
    return { message }
  })
}

interface Reset {
  readonly id: string
  readonly userId: number
  readonly passwordHash: string
  readonly request: FastifyRequest
}

/** Throws `invalid_reset_token` when the link has been used or replaced, or the account deleted. */
async function reset(write: Write, { id, userId, passwordHash, request }: Reset): Promise<void> {
  const { tx, nowMs, record } = write
  const user = await lockUser(tx, userId)
  if (user === undefined || !(await usePasswordReset(tx, id, nowMs)))
    throw new AppError('invalid_reset_token')

  if (user.verified_at === null) {
    const preferred = preferredLocale(request.headers['accept-language'])
    await verify(write, user, { passwordHash, locale: user.locale ?? preferred })
  } else {
    await setPassword(tx, user, { passwordHash, nowMs })
  }
  const changes = { sessions_ended: await endSessionsOf(tx, userId, { nowMs }) }
  await dropPending(write, user)
  await record('password.reset', { subjectId: userId, changes })
  await enqueuePasswordChanged(write, userId, clientOf(request))
}

/**
 * Verifies the account, because the mailed link proves control of the mailbox. Adopts no name and no
 * spelling of the address: every pending sign-up may be an attacker's.
 */
async function verify(
  { ctx, tx, nowMs, record }: Write,
  { id, email_canonical: email }: PublicUserRow,
  given: { passwordHash: string; locale: string | null },
): Promise<void> {
  const cutoff = expiryCutoff(ctx)
  const activated = await activateUser(tx, id, { email, fullName: null, ...given, cutoff, nowMs })
  if (!activated) throw new AppError('invalid_reset_token')
  await record('user.verified', { subjectId: id })
}

/** Revokes all pending links, codes and sign-ups: an attacker may hold any of them. */
async function dropPending({ tx, nowMs }: Write, user: PublicUserRow): Promise<void> {
  const { id, email_canonical: email } = user
  await revokePasswordResetsOf(tx, user, nowMs)
  await deletePendingEmailChangesOf(tx, id)
  await deletePhoneChangeOf(tx, id)
  await deleteSignUpsOf(tx, id)
  await clearCodeFailures(tx, { email, purpose: 'verify' })
}
