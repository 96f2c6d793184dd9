import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../lib/units.ts'
import { mailAgain } from '../../messages/repeat-codes.ts'
import { REPEATS_PER_HOUR } from '../../outbox/outbox.ts'
import { expiryCutoff } from '../../accounts/expiry.ts'
import { findSignUpsOf } from '../../accounts/sign-ups.ts'
import { isExpired } from '../../accounts/users.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { Sentence } from '../schemas.ts'
import { commitCounted, lockForChange } from '../user-changes.ts'

const message = 'The verification code is on its way.'

const schema = {
  operationId: 'resendUserCode',
  tags: ['Users'],
  summary: 'Email the verification codes of a user again',
  description:
    'Repeats the email of every pending sign-up of an unverified user, each with its own code and origin. The codes stay the same and are valid for another 24 hours (by default), but never longer than the account. At most one email per minute and five per hour are sent to an address. 404 `not_found` for an invited user who has not signed up: `POST /users/{id}/invitation` repeats the invitation.',
  params: UserIdParams,
  response: { 202: Sentence(message, 'The emails are being sent.') },
  errors: ['not_found', 'user_verified', 'user_disabled', 'too_many_requests'] as const,
}

export function resendUserCodeRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/users/:id/verification', { schema, ...guards.admin }, async (request, reply) => {
    const { id } = request.params
    const actor = sessionOf(request)
    await commitCounted(ctx, { actor, limit: 'admin_mails' }, async (write) => {
      const options = { actor, touchesRights: false, access: 'admin' } as const
      const { user } = await lockForChange(write, id, options)
      if (user.verified_at !== null) throw new AppError('user_verified')
      if (user.disabled_at !== null) throw new AppError('user_disabled')
      const signUps = await findSignUpsOf(write.tx, id)
      if (signUps.length === 0 || isExpired(user, expiryCutoff(ctx)))
        throw new AppError('not_found')
      const mails = await mailAgain(write, user, signUps)
      if (mails === 0) throw tooMany()
      await write.record('verification.resent', { subjectId: id, changes: { mails } })
    })
    return reply.code(202).send({ message })
  })
}

/** The limits of the address, which are counted in the database: no stored state identifies the first refusal. */
function tooMany(): AppError {
  const window = { quota: REPEATS_PER_HOUR, windowS: HOUR_MS / SECOND_MS }
  const limit = { name: 'resend', ...window, retryAfterS: MINUTE_MS / SECOND_MS, isFirst: false }
  return new AppError('too_many_requests', { limit })
}
