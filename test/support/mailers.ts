import { DeliveryError } from '../../server/mail/delivery-error.ts'
import type { Mailer } from '../../server/mail/mailer.ts'
import { SECOND_MS } from '../../server/lib/units.ts'
import type { Mail } from '../../server/mail/messages.ts'
import type { Service } from './service.ts'

const timeoutMs = 2 * SECOND_MS

/** Every message in the order in which it was written, but for the reminders that wait for days. */
export const outboxRows = ({ ctx }: Pick<Service, 'ctx'>) =>
  ctx.db
    .selectFrom('outbox')
    .selectAll()
    .where('kind', '!=', 'reminder')
    .orderBy('created_at')
    .orderBy('id')
    .execute()

/** A transport of which a test says for each mail how it goes; remembers what it was given. */
export function createScriptedMailer(outcome: (mail: Mail) => Error | undefined) {
  const ids: string[] = []
  const sent: Mail[] = []
  const mailer: Mailer = {
    timeoutMs,
    async send(mail, id) {
      ids.push(id)
      const error = outcome(mail)
      if (error !== undefined) throw error
      sent.push(mail)
    },
  }
  return { ...mailer, ids, sent }
}

/** Fails every time, in this way. */
export const createFailingMailer = (
  error: Error = new DeliveryError('transport', 'the server is gone'),
) => createScriptedMailer(() => error)

/** Takes a mail and answers only when told to, as a server that hangs. */
export function createHangingMailer() {
  const ids: string[] = []
  const taken = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const send = (_: unknown, id: string) => {
    ids.push(id)
    taken.resolve()
    return answer.promise
  }
  return { timeoutMs, ids, send, taken: taken.promise, answer }
}
