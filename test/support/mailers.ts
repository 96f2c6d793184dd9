import assert from 'node:assert/strict'
import type { Claim } from '../../server/outbox/claims.ts'
import type { Delivery } from '../../server/outbox/delivery.ts'
import { DeliveryError } from '../../server/outbox/transports/delivery-error.ts'
import type { Mailer, Mail } from '../../server/outbox/transports/mailer.ts'
import { SECOND_MS } from '../../server/lib/units.ts'
import { createDeliveries } from '../../server/worker.ts'
import type { Service } from './service.ts'

const timeoutMs = 2 * SECOND_MS

export const DOWN = new DeliveryError('transport', 'connect ECONNREFUSED')
export const LATER = new DeliveryError('later', '450 4.2.1 mailbox busy')
export const REFUSED = new DeliveryError('refused', '550 5.1.1 no such user')
/** Handed over whole, and nobody knows whether it was taken. */
export const UNCONFIRMED = new DeliveryError('transport', 'closed after DATA', {
  unconfirmed: true,
})

/** Every message in the order in which it was written, but for the reminders that wait for days. */
export const outboxRows = ({ ctx }: Pick<Service, 'ctx'>) =>
  ctx.db
    .selectFrom('outbox')
    .selectAll()
    .where('kind', '!=', 'reminder')
    .orderBy('created_at')
    .orderBy('id')
    .execute()

/** The only message that there is. */
export async function outboxRow(service: Pick<Service, 'ctx'>) {
  const [row, ...others] = await outboxRows(service)
  assert.ok(row && others.length === 0)
  return row
}

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
export const createFailingMailer = (error: Error = DOWN) => createScriptedMailer(() => error)

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

type Delivering = Pick<Service, 'ctx' | 'sms'>

/** What a worker that has just started delivers mail with. */
export const deliveryBy = ({ ctx, sms }: Delivering, mail: Mailer): Delivery =>
  createDeliveries(ctx, { mail, sms }).mail

/** Claims and delivers one message; false when there is none to be had now. */
export async function deliverNext(delivery: Delivery, woken: boolean): Promise<boolean> {
  const claimed = await delivery.claim({ woken })
  if (claimed === undefined) return false
  await delivery.deliver(claimed)
  return true
}

/** The next mail, by a worker that has just started and was woken; false when none is due. */
export const deliverOne = (service: Delivering, mailer: Mailer): Promise<boolean> =>
  deliverNext(deliveryBy(service, mailer), true)

/** What a worker takes in hand at once, so much at the most. */
export async function claimUpTo(count: number, delivery: Delivery): Promise<Claim[]> {
  const held: Claim[] = []
  while (held.length < count) {
    const claimed = await delivery.claim({ woken: true })
    if (claimed === undefined) break
    held.push(claimed)
  }
  return held
}

/** Everything that is due, by one worker. */
export async function deliverAll(delivery: Delivery): Promise<void> {
  while (await deliverNext(delivery, true));
}

/** Everything that is due, through a transport of which a test says how it goes. */
export const deliverBy = (
  service: Delivering,
  outcome: (mail: Mail) => Error | undefined,
): Promise<void> => deliverAll(deliveryBy(service, createScriptedMailer(outcome)))

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
