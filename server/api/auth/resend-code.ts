import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { Email, Uuid } from '../../http/schemas.ts'
import { mayRepeatMail } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { commit, NO_CAUSE } from '../../outbox/write.ts'

const message = 'If this address is waiting for verification, the code is on its way.'

const schema = {
  operationId: 'resendCode',
  tags: ['Authentication'],
  summary: 'Mail the code again',
  description:
    'Repeats the mail of one attempt, or of each one that waits. The same code is sent and works for 24 hours from then (by default), never past the account’s end. Always the same answer, whether the address is known or not; at most one mail a minute and five an hour are sent.',
  body: Type.Object(
    { email: Email, sign_up_id: Type.Optional(Uuid('Only this attempt’s mail.')) },
    { additionalProperties: false },
  ),
  response: {
    202: Type.Object(
      { message: Type.String({ examples: [message] }) },
      { description: 'If this address waits for a code, the mail is on its way.' },
    ),
  },
}

export function resendCodeRoute(app: App, ctx: Context): void {
  const config = { limits: ['resend_network'] } as const
  app.post('/auth/verify/resend', { schema, config }, async ({ body }, reply) => {
    const email = canonicalEmail(body.email) ?? ''
    const payload = { email, signUpId: body.sign_up_id ?? null }
    // One row whatever the address: the job looks the user up, so known and unknown cost the same.
    await commit(ctx, NO_CAUSE, async ({ tx, nowMs, enqueue }) => {
      if (ctx.config.rateLimit && !(await mayRepeatMail(tx, email, nowMs))) return
      await enqueue('repeat_verification', payload, { email })
    })
    return reply.code(202).send({ message })
  })
}
