import { SECOND_MS } from '../../server/lib/units.ts'
import type { Mail } from '../../server/outbox/transports/mailer.ts'
import type { Sms } from '../../server/outbox/transports/sms-sender.ts'

/** Keep what they are given to send. */
export const createMemoryMailer = () => createMemorySender<Mail>()
export const createMemorySms = () => createMemorySender<Sms>()

function createMemorySender<Message>() {
  const sent: Message[] = []
  return {
    timeoutMs: 2 * SECOND_MS,
    sent,
    async send(message: Message) {
      sent.push(message)
    },
  }
}
