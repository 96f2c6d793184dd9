import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Claim } from '../server/jobs/claims.ts'
import { deliverNext } from '../server/jobs/delivery.ts'
import { LANES } from '../server/jobs/run.ts'
import { HOUR_MS, SECOND_MS } from '../server/lib/units.ts'
import type { Mailer } from '../server/mail/mailer.ts'
import { resendMail } from '../server/outbox/mails.ts'
import { createDeliveries } from '../server/worker.ts'
import { createHangingMailer, outboxRows } from './support/mailers.ts'
import { type Service, startService } from './support/service.ts'

// What becomes of a message when workers end with it in hand.

const email = 'ann@example.com'
const CLAIM_MS = 2 * SECOND_MS

const createDelivery = ({ ctx, sms }: Service, mail: Mailer) =>
  createDeliveries(ctx, { mail, sms }).mail
/** One message by a worker that has just started. */
const deliver = (service: Service, mailer: Mailer) =>
  deliverNext(createDelivery(service, mailer), true)
async function theRow(service: Service) {
  const rows = await outboxRows(service)
  assert.equal(rows.length, 1)
  return rows[0]!
}

describe('a worker that ends with a message in hand', () => {
  /** Takes a message and is never heard of again; `advance` ends its claim. */
  async function crash(service: Service): Promise<boolean> {
    const mailer = createHangingMailer()
    const taken = await createDelivery(service, mailer).claim({ woken: true })
    service.advance(CLAIM_MS)
    return taken !== undefined
  }

  test('is followed by another twice; the third time the message is given up until an admin resends it', async () => {
    await using service = await startService()
    await service.signUp(email)
    assert.deepEqual(
      [await crash(service), await crash(service), await crash(service)],
      [true, true, true],
    )

    const taken = await deliver(service, service.mailer)
    service.advance(HOUR_MS)
    await service.deliverMail()

    const row = await theRow(service)
    assert.equal(taken, false)
    assert.deepEqual(service.mailsTo(email), [])
    assert.deepEqual([row.state, row.crashes, row.claimed_until], ['dead', 3, null])
    assert.match(row.last_error ?? '', /^3 workers ended/)
    assert.notEqual(row.payload, '{}')
    await resendMail(service.ctx, row.id)
    const again = await theRow(service)
    assert.deepEqual([again.state, again.crashes], ['waiting', 0])
  })

  test('holds up no other message', async () => {
    await using service = await startService()
    await service.signUp(email)
    for (let n = 0; n < 3; n++) await crash(service)
    await service.signUp('bob@example.com')

    await service.deliverMail()

    assert.deepEqual(
      service.mailer.sent.map((mail) => mail.to),
      ['bob@example.com'],
    )
  })

  test('by the doing of one message costs no other: those with which one ended come one at a time', async () => {
    await using service = await startService()
    await service.signUp('poison@example.com')
    for (const name of ['ann', 'bob', 'cay']) {
      service.advance(1)
      await service.signUp(`${name}@example.com`)
    }
    service.advance(1)
    const poison = (await outboxRows(service))[0]?.id
    /** Takes what it can, and ends with all of it in hand if the poison is among it. */
    async function work(): Promise<void> {
      const delivery = createDelivery(service, service.mailer)
      const held: Claim[] = []
      for (let lane = 0; lane < LANES; lane++) {
        const claimed = await delivery.claim({ woken: true })
        if (claimed !== undefined) held.push(claimed)
      }
      if (held.some(({ id }) => id === poison)) return
      for (const claimed of held) await delivery.deliver(claimed)
    }

    for (let n = 0; n < 8; n++) {
      await work()
      service.advance(CLAIM_MS)
    }

    const rows = await outboxRows(service)
    assert.deepEqual(
      rows.map((row) => row.state),
      ['dead', 'sent', 'sent', 'sent'],
    )
    assert.ok(Math.max(...rows.slice(1).map((row) => row.crashes)) < 3)
  })

  test('and whose clock ran ahead holds its message no longer than any other', async () => {
    await using service = await startService()
    await service.signUp(email)
    service.advance(HOUR_MS)
    assert.ok(await createDelivery(service, service.mailer).claim({ woken: true }))

    service.advance(-HOUR_MS)
    await service.deliverMail()

    assert.equal(service.mailsTo(email).length, 1)
  })

  test('and wakes up later, before it sent anything, sends nothing', async () => {
    await using service = await startService()
    await service.signUp(email)
    const delivery = createDelivery(service, service.mailer)
    const held = await delivery.claim({ woken: true })
    assert.ok(held)
    service.advance(CLAIM_MS)
    await service.deliverMail()

    await delivery.deliver(held)

    assert.equal(service.mailsTo(email).length, 1)
    assert.equal((await theRow(service)).state, 'sent')
  })

  test('or wakes up before anybody took it over gives it back: no worker ended', async () => {
    await using service = await startService()
    await service.signUp(email)
    const delivery = createDelivery(service, service.mailer)
    for (let n = 0; n < 4; n++) {
      const held = await delivery.claim({ woken: true })
      assert.ok(held)
      service.advance(CLAIM_MS)
      await delivery.deliver(held)
    }

    const row = await theRow(service)
    assert.deepEqual([row.claimed_until, row.crashes, row.state], [null, 0, 'waiting'])
    assert.deepEqual(service.mailer.sent, [])
  })
})
