import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { LimitReached } from '../../errors.ts'
import type { App, SignedIn } from '../../http/fastify.ts'
import { countMailsTo, enqueueMail } from '../../outbox/outbox.ts'
import { HOUR_MS, MINUTE_MS } from '../../lib/units.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { replacePhoneChange } from '../../accounts/phone-changes.ts'
import { Phone } from '../schemas.ts'

const SENDS_PER_HOUR = 5
const message = 'If this number can take text messages, the code is on its way.'

const schema = {
  operationId: 'addPhone',
  tags: ['Me'],
  summary: 'Add or change my phone number',
  description:
    'Sends a six-digit code that works for ten minutes; the number counts once it is confirmed, until then the one before stays. A further call voids the code before it. At most one text message a minute and five an hour are sent, and five an hour to each number; beyond that the answer is the same, nothing is sent, and the code before still works. Numbers are not unique: a family may share one.',
  body: Type.Object({ phone: Phone }, { additionalProperties: false }),
  response: {
    202: Type.Object(
      { message: Type.String({ examples: [message] }) },
      { description: 'Always the same.' },
    ),
  },
}

export function addPhoneRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/me/phone', { schema, ...guards.writer }, async (request, reply) => {
    const { phone } = request.body
    const send = () => sendNewCode(ctx, sessionOf(request), phone)
    // Recorded as other refusals are, though the answer does not tell.
    request.state.limitReached = await withinTextLimits(ctx, phone, send)
    ctx.wakeMail()
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
  return ctx.transaction(async (tx) => {
    const user = await lockSelf(ctx, tx, actor)
    const userId = user.id
    const nowMs = ctx.now()
    const email = user.email_canonical
    if (ctx.config.rateLimit) {
      const sent = (sinceMs: number) => countMailsTo(tx, ['phone_code'], { email, sinceMs })
      if ((await sent(nowMs - MINUTE_MS)) > 0) return false
      if ((await sent(nowMs - HOUR_MS)) >= SENDS_PER_HOUR) return false
    }
    const phoneChangeId = await replacePhoneChange(tx, ctx.keys, { userId, phone, nowMs })
    const options = { nowMs, email, userId, channel: 'sms' } as const
    await enqueueMail(tx, 'phone_code', { phoneChangeId }, options)
    return true
  })
}
