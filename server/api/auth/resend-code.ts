import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { Email, Uuid } from '../../http/schemas.ts'
import { mayRepeat } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { commit, NO_CAUSE } from '../../accounts/write.ts'
import { Sentence } from '../schemas.ts'

const message = 'If this address is waiting for verification, the code is on its way.'

const schema = {
  operationId: 'resendCode',
  tags: ['Authentication'],
  summary: 'Resend the verification code',
  description:
    'Resends the email of one sign-up. Without `sign_up_id`, resends those of every pending sign-up of the address or, if they came from several networks, of those from the network of this request. The code stays the same and is valid for another 24 hours (by default), but never longer than the account. The response is the same for known and unknown addresses. At most one email per minute and five per hour are sent.',
  body: Type.Object(
    { email: Email, sign_up_id: Type.Optional(Uuid('Resends the email of this sign-up only.')) },
    { additionalProperties: false },
  ),
  response: {
    202: Sentence(message, 'If the address has a pending sign-up, the email is being sent.'),
  },
}

export function resendCodeRoute(app: App, ctx: Context): void {
  const config = { limits: ['resend_network'] } as const
  app.post('/auth/verify/resend', { schema, config }, async (request, reply) => {
    const { body } = request
    const email = canonicalEmail(body.email) ?? ''
    const signUpId = body.sign_up_id ?? null
    const payload = { email, signUpId, network: networkKeyOf(request) }
    // One row for every address; the worker looks up the user, so timing reveals no registered address.
    const place = await ctx.limits.take('resend', `${email} ${payload.network}`)
    await commit(ctx, NO_CAUSE, async ({ tx, nowMs, enqueue }) => {
      if (place.refuse && !(await mayRepeat(tx, 'repeat_verification', { email, nowMs }))) return
      await enqueue('repeat_verification', payload, { email })
    })
    return reply.code(202).send({ message })
  })
}
