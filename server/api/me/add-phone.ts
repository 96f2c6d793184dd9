import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { LimitReached } from '../../errors.ts'
import type { App, SignedIn } from '../../http/fastify.ts'
import { mayRepeat } from '../../outbox/outbox.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { replacePhoneChange } from '../../accounts/phone-changes.ts'
import { Phone, Sentence } from '../schemas.ts'
import { commit } from '../../accounts/write.ts'

const message = 'If this number can take text messages, the code is on its way.'

const schema = {
  operationId: 'addPhone',
  tags: ['Me'],
  summary: 'Add or change my phone number',
  description:
    'Sends a six-digit code by text message, valid for ten minutes. The current number stays in use until the new one is confirmed. Another request invalidates the previous code. At most one text message per minute and five per hour are sent for each user, and five per hour to each number. Beyond these limits the response is the same, no message is sent, and the previous code stays valid. Phone numbers are not unique: several users may share one.',
  body: Type.Object({ phone: Phone }, { additionalProperties: false }),
  response: {
    202: Sentence(message, 'The code is being sent, unless a limit was reached.'),
  },
}

export function addPhoneRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/me/phone', { schema, ...guards.writer }, async (request, reply) => {
    const { phone } = request.body
    const send = () => sendNewCode(ctx, sessionOf(request), phone)
    // Recorded like other refusals, although the response does not reveal it.
    request.state.limitReached = await withinTextLimits(ctx, phone, send)
    return reply.code(202).send({ message })
  })
}

/** Calls `send` within the limits per number and in total, and counts only messages that it enqueues. */
async function withinTextLimits(
  ctx: Context,
  phone: string,
  send: () => Promise<boolean>,
): Promise<LimitReached | undefined> {
  const toNumber = await ctx.limits.take('phone_number', phone)
  if (toNumber.refuse !== undefined) return toNumber.refuse()
  const total = await ctx.limits.take('text_messages', 'all')
  if (total.refuse !== undefined) {
    await toNumber.refund()
    const limit = await total.refuse()
    const details = { sms_max_per_hour: ctx.config.smsMaxPerHour }
    if (limit.isFirst)
      ctx.log.error(
        details,
        'SMS_MAX_PER_HOUR reached: no text messages are sent. Check for a flood',
      )
    return limit
  }
  let sent = false
  try {
    sent = await send()
  } finally {
    if (!sent) await Promise.all([toNumber.refund(), total.refund()])
  }
  return undefined
}

/** False at the user's limit. The lock serializes concurrent requests, so that they send one message. */
function sendNewCode(ctx: Context, actor: SignedIn, phone: string): Promise<boolean> {
  return commit(ctx, actor.cause, async (write) => {
    const { tx, nowMs, enqueue } = write
    const { id: userId, email_canonical: email } = await lockSelf(write, actor)
    const isAllowed = !ctx.config.rateLimit || (await mayRepeat(tx, 'phone_code', { email, nowMs }))
    if (!isAllowed) return false
    const phoneChangeId = await replacePhoneChange(tx, ctx.keys, { userId, phone, nowMs })
    await enqueue('phone_code', { phoneChangeId }, { email, userId, channel: 'sms' })
    return true
  })
}
