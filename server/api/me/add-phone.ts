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
    // Recorded as other refusals are, though the answer does not tell.
    request.state.limitReached = await withinTextLimits(ctx, phone, send)
    return reply.code(202).send({ message })
  })
}

/** Counts what `send` sends, by number and in all; beyond that it is not called, and nobody is told. */
async function withinTextLimits(
  ctx: Context,
  phone: string,
  send: () => Promise<boolean>,
): Promise<LimitReached | undefined> {
  const toNumber = await ctx.limits.take('phone_number', phone)
  if (toNumber.refuse !== undefined) return toNumber.refuse()
  const inAll = await ctx.limits.take('text_messages', 'all')
  if (inAll.refuse !== undefined) {
    await toNumber.refund()
    const limit = await inAll.refuse()
    const details = { sms_max_per_hour: ctx.config.smsMaxPerHour }
    if (limit.isFirst)
      ctx.log.error(details, 'SMS_MAX_PER_HOUR is reached: no text message is sent. A flood?')
    return limit
  }
  let sent = false
  try {
    sent = await send()
  } finally {
    if (!sent) await Promise.all([toNumber.refund(), inAll.refund()])
  }
  return undefined
}

/** False when it sends nothing. Decided under the user's lock: asked twice at once, it sends once. */
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
