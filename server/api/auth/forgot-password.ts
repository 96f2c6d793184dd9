import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { Email } from '../../http/schemas.ts'
import { countMailsTo } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { HOUR_MS } from '../../lib/units.ts'
import { enqueuePasswordReset } from '../../accounts/resets.ts'

/** Whoever asks; how many from one network, limits/limits.ts says. */
const MAILS_PER_HOUR = 10
const message = 'If this address has an account, a link to set a new password is on its way.'

const schema = {
  operationId: 'forgotPassword',
  tags: ['Authentication'],
  summary: 'Mail a link to set a new password',
  description:
    'The link works once, for 30 minutes, and makes the one before void; until it is used, nothing changes. An address that nobody has verified gets one too: using it verifies. Always the same answer, whether the address is known or not; at most three mails an hour are sent that are asked for from one network, and ten in all.',
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
    const taken = await ctx.limits.take('forgot', `${email} ${networkKeyOf(request)}`)
    let written = false
    try {
      if (taken.refuse === undefined) written = await ask(ctx, email, clientOf(request))
    } finally {
      if (!written) await taken.refund()
    }
    // Recorded as other refusals are, though the answer does not tell.
    request.state.limitReached = await taken.refuse?.()
    ctx.wakeMail()
    return reply.code(202).send({ message })
  })
}

/** False when the address, known or not, had its mails of this hour. */
function ask(ctx: Context, email: string, client: Client): Promise<boolean> {
  return ctx.transaction(async (tx) => {
    const nowMs = ctx.now()
    const counted = { email, sinceMs: nowMs - HOUR_MS }
    const sent = await countMailsTo(tx, ['password_reset'], counted)
    if (ctx.config.rateLimit && sent >= MAILS_PER_HOUR) return false
    await enqueuePasswordReset(tx, { email, client, nowMs })
    return true
  })
}
