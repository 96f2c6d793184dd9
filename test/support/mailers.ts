import { deliverNext } from '../../server/jobs/delivery.ts'
import { DeliveryError } from '../../server/mail/delivery-error.ts'
import type { Mailer } from '../../server/mail/mailer.ts'
import { SECOND_MS } from '../../server/lib/units.ts'
import type { Mail } from '../../server/mail/messages.ts'
import { createDeliveries } from '../../server/worker.ts'
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

export const REFUSED = new DeliveryError('refused', '550 5.1.1 no such user')

/** Everything that is due, through a transport of which a test says how it goes. */
export async function deliverBy(
  { ctx, sms }: Pick<Service, 'ctx' | 'sms'>,
  outcome: (mail: Mail) => Error | undefined,
): Promise<void> {
  const { mail } = createDeliveries(ctx, { mail: createScriptedMailer(outcome), sms })
  while (await deliverNext(mail, true));
}

/** Somebody signed up with an address that does not exist: a message that bounced. */
export async function failedMail(
  service: Service,
  email: string,
): Promise<{ id: string; userId: number | null }> {
  await service.deliverMail()
  await service.signUp(email)
  await deliverBy(service, () => REFUSED)
  const row = await service.ctx.db
    .selectFrom('outbox')
    .select(['id', 'user_id'])
    .where('recipient', '=', email)
    .where('state', '=', 'bounced')
    .executeTakeFirstOrThrow()
  return { id: row.id, userId: row.user_id }
}
