import { Type } from 'typebox'
import type { Context } from '../context.ts'
import { clientOf } from '../http/client.ts'
import type { App } from '../http/fastify.ts'
import { Email } from '../http/schemas.ts'
import { countMailsTo } from '../jobs/outbox.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { HOUR_MS } from '../lib/units.ts'
import { enqueuePasswordReset } from './password-resets.ts'

const MAILS_PER_HOUR = 3
const message = 'If this address has an account, a link to set a new password is on its way.'

const schema = {
  operationId: 'forgotPassword',
  tags: ['Authentication'],
  summary: 'Mail a link to set a new password',
  description:
    'The link works once, for 30 minutes, and makes the one before void; until it is used, nothing changes. An address that nobody has verified gets one too: using it verifies. Always the same answer, whether the address is known or not; at most three mails an hour are sent.',
  body: Type.Object({ email: Email }, { additionalProperties: false }),
  response: {
    202: Type.Object(
      { message: Type.String({ examples: [message] }) },
      { description: 'If the address has an account, the mail is on its way.' },
    ),
  },
}

export function forgotPasswordRoute(app: App, ctx: Context): void {
  const config = { limits: ['forgot_network'] } as const
  app.post('/auth/password/forgot', { schema, config }, async (request, reply) => {
    const email = canonicalEmail(request.body.email) ?? ''
    const client = clientOf(request)
    await ctx.transaction(async (tx) => {
      const nowMs = ctx.now()
      const counted = { email, sinceMs: nowMs - HOUR_MS }
      const sent = await countMailsTo(tx, ['password_reset'], counted)
      if (ctx.config.rateLimit && sent >= MAILS_PER_HOUR) return
      await enqueuePasswordReset(tx, { email, client, nowMs })
    })
    ctx.wakeMail()
    return reply.code(202).send({ message })
  })
}
