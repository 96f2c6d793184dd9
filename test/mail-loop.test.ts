import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LANES, runDelivery } from '../server/outbox/run.ts'
import { SECOND_MS } from '../server/lib/units.ts'
import type { Mailer, Mail } from '../server/outbox/transports/mailer.ts'
import { deliveryBy, outboxRows } from './support/mailers.ts'
import { type Service, startService } from './support/service.ts'

const run = (service: Service, mailer: Mailer) =>
  runDelivery(service.ctx, deliveryBy(service, mailer))

/** Tells when a mail arrives; each waits until it is let go. */
function createGate() {
  const arrived: Mail[] = []
  const letGo: (() => void)[] = []
  let announce = () => {}
  return {
    timeoutMs: 2 * SECOND_MS,
    arrived,
    letGo: (index = 0) => letGo.splice(index, 1)[0]?.(),
    /** Resolves once `count` mails have arrived. */
    async reached(count: number): Promise<void> {
      while (arrived.length < count) await new Promise<void>((resolve) => (announce = resolve))
    },
    send(mail: Mail): Promise<void> {
      arrived.push(mail)
      announce()
      return new Promise((resolve) => letGo.push(resolve))
    },
  }
}

describe('the mail loop', () => {
  test('sends what lies there at its start, and what it is woken for', async () => {
    await using service = await startService()
    const gate = createGate()
    await service.signUp('ann@example.com')
    const loop = run(service, gate)

    await gate.reached(1)
    gate.letGo()
    await service.signUp('bob@example.com')
    loop.wake()
    await gate.reached(2)
    gate.letGo()
    await loop.stop()

    assert.deepEqual(
      gate.arrived.map((mail) => mail.to),
      ['ann@example.com', 'bob@example.com'],
    )
  })

  test('a wake-up while a mail is in hand is not lost', async () => {
    await using service = await startService()
    const gate = createGate()
    await service.signUp('ann@example.com')
    const loop = run(service, gate)
    await gate.reached(1)

    await service.signUp('bob@example.com')
    loop.wake()
    gate.letGo()
    await gate.reached(2)
    gate.letGo()
    await loop.stop()

    assert.equal(gate.arrived[1]?.to, 'bob@example.com')
  })

  test('has four mails in hand at once, so that one that hangs holds up no other', async () => {
    await using service = await startService()
    const gate = createGate()
    for (let n = 0; n < LANES + 3; n++) {
      await service.signUp(`user${n}@example.com`)
      service.advance(1)
    }
    const loop = run(service, gate)
    await gate.reached(LANES)
    const atOnce = gate.arrived.length

    // The first one stays where it is.
    for (let n = 1; n <= 3; n++) {
      gate.letGo(1)
      await gate.reached(LANES + n)
    }
    for (let n = 0; n < LANES; n++) gate.letGo()
    await loop.stop()

    assert.equal(atOnce, 4)
    const to = gate.arrived.map((mail) => mail.to)
    assert.equal(new Set(to).size, LANES + 3)
    assert.ok((await outboxRows(service)).every((row) => row.state === 'sent'))
  })

  test('stopping finishes the mails in hand and takes no other', async () => {
    await using service = await startService()
    const gate = createGate()
    for (let n = 0; n <= LANES; n++) {
      await service.signUp(`user${n}@example.com`)
      service.advance(1)
    }
    const loop = run(service, gate)
    await gate.reached(LANES)

    const stopping = loop.stop()
    for (let n = 0; n < LANES; n++) gate.letGo()
    await stopping

    const rows = await outboxRows(service)
    assert.deepEqual(
      rows.map((row) => [row.claims, row.state]),
      [...Array.from({ length: LANES }, () => [1, 'sent']), [0, 'waiting']],
    )
    assert.equal(gate.arrived.length, LANES)
  })
})
