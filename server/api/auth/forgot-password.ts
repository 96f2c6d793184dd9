import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { Email } from '../../http/schemas.ts'
import { canonicalEmail } from '../../lib/emails.ts'
import { enqueuePasswordReset } from '../../accounts/resets.ts'
import { commit, NO_CAUSE } from '../../accounts/write.ts'
import { Sentence } from '../schemas.ts'
import { refundIfThrown } from '../../limits/counters.ts'

const message = 'If this address has an account, a link to set a new password is on its way.'

const schema = {
  operationId: 'forgotPassword',
  tags: ['Authentication'],
  summary: 'Email a link to set a new password',
  description:
    'The link works once, for 30 minutes. While it works, another request mails the same link and renews it. Nothing changes until it is used. An unverified address also receives a link; using it verifies the address. The response is the same for known and unknown addresses. For each address, three emails per hour are sent on request from one network, and ten per hour in total; networks and devices of recent logins have places of their own. Beyond that, a link is mailed if the account has none that works, or if the last email is 20 minutes old. An address that the account left within the last 72 hours receives the link that undoes the change.',
  body: Type.Object({ email: Email }, { additionalProperties: false }),
  response: {
    202: Sentence(message, 'If the address has an account, the email is being sent.'),
  },
}

export function forgotPasswordRoute(app: App, ctx: Context): void {
  const config = { limits: ['forgot_network'] } as const
  app.post('/auth/password/forgot', { schema, config }, async (request, reply) => {
    const email = canonicalEmail(request.body.email) ?? ''
    const client = clientOf(request)
    const [here, device] = await Promise.all([
      ctx.limits.take('forgot', `${email} ${networkKeyOf(request)}`),
      ctx.limits.take('forgot_device', `${email} ${client.userAgent}`),
    ])
    // Beyond the limits, too: the worker mails a link nevertheless if the account has none that works.
    const places = { network: here.refuse === undefined, device: device.refuse === undefined }
    await refundIfThrown([here, device], () =>
      commit(ctx, NO_CAUSE, (write) => enqueuePasswordReset(write, email, { ...client, places })),
    )
    // Recorded like other refusals, although the response does not reveal it.
    request.state.limitReached = await here.refuse?.()
    return reply.code(202).send({ message })
  })
}
