import type { Context } from './context.ts'
import { RECURRING_JOBS } from './accounts/recurring-jobs.ts'
import { kindsOf } from './messages/kinds.ts'
import { createDelivery } from './outbox/delivery.ts'
import { type Loop, runDelivery, together } from './outbox/run.ts'
import { runSchedule } from './schedule/schedule.ts'
import type { Mailer } from './outbox/transports/mailer.ts'
import { SECOND_MS } from './lib/units.ts'
import type { SmsSender } from './outbox/transports/sms-sender.ts'

/** Time for deliveries in progress before their transports are closed; main.ts allows 15 s for the shutdown. */
const DELIVERY_GRACE_MS = 10 * SECOND_MS

export interface Senders {
  readonly mail: Mailer
  readonly sms: SmsSender
}

/** One delivery per channel, so that an outage of one transport does not block the other. */
export function createDeliveries(ctx: Context, { mail, sms }: Senders) {
  return {
    mail: createDelivery(ctx, { channel: 'mail', sender: mail, kinds: kindsOf('mail') }),
    sms: createDelivery(ctx, { channel: 'sms', sender: sms, kinds: kindsOf('sms') }),
  }
}

/** Starts the background jobs of this process. */
export function startWorker(ctx: Context, senders: Senders): Loop {
  const { mail, sms } = createDeliveries(ctx, senders)
  const loop = together([runDelivery(ctx, mail), runDelivery(ctx, sms)])
  const schedule = runSchedule(ctx, RECURRING_JOBS)
  return {
    wake: loop.wake,
    async stop() {
      const close = () => Promise.all([senders.mail.close?.(), senders.sms.close?.()])
      // A hanging mail server must not delay the shutdown until the process is killed.
      const giveUp = setTimeout(() => void close(), DELIVERY_GRACE_MS)
      await Promise.all([loop.stop(), schedule.stop()])
      clearTimeout(giveUp)
      await close()
    },
  }
}
