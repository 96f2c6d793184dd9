import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { Email } from '../../http/schemas.ts'
import { countMessages } from '../../outbox/outbox.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { HOUR_MS } from '../../lib/units.ts'
import { enqueuePasswordReset } from '../../accounts/resets.ts'
import { commit, NO_CAUSE } from '../../accounts/write.ts'
import { Sentence } from '../schemas.ts'

/** Per address, from all networks; limits/limits.ts has the limit per network. */
const MAILS_PER_HOUR = 10
const message = 'If this address has an account, a link to set a new password is on its way.'

const schema = {
  operationId: 'forgotPassword',
  tags: ['Authentication'],
  summary: 'Email a link to set a new password',
  description:
    'The link works once, for 30 minutes, and replaces the previous link. Nothing changes until it is used. An unverified address also receives a link; using it verifies the address. The response is the same for known and unknown addresses. For each address, at most three emails per hour are sent on request from one network, and ten per hour in total.',
  body: Type.Object({ email: Email }, { additionalProperties: false }),
  response: {
    202: Sentence(message, 'If the address has an account, the email is being sent.'),
  },
}

export function forgotPasswordRoute(app: App, ctx: Context): void {
  const config = { limits: ['forgot_network'] } as const
  app.post('/auth/password/forgot', { schema, config }, async (request, reply) => {
    const email = canonicalEmail(request.body.email) ?? ''
    const taken = await ctx.limits.take('forgot', `${email} ${networkKeyOf(request)}`)
    let written = false
    try {
      if (taken.refuse === undefined) written = await requestReset(ctx, email, clientOf(request))
    } finally {
      if (!written) await taken.refund()
    }
    // Recorded like other refusals, although the response does not reveal it.
    request.state.limitReached = await taken.refuse?.()
    return reply.code(202).send({ message })
  })
}

/** False when the address, known or unknown, has reached its hourly limit. */
function requestReset(ctx: Context, email: string, client: Client): Promise<boolean> {
  return commit(ctx, NO_CAUSE, async (write) => {
    const lastHour = { email, sinceMs: write.nowMs - HOUR_MS }
    const sent = await countMessages(write.tx, ['password_reset'], lastHour)
    if (ctx.config.rateLimit && sent >= MAILS_PER_HOUR) return false
    await enqueuePasswordReset(write, email, client)
    return true
  })
}
