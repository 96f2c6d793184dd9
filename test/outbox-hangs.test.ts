import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Claim } from '../server/jobs/claims.ts'
import { type Delivery, deliverNext } from '../server/jobs/delivery.ts'
import { LANES } from '../server/jobs/run.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { DeliveryError } from '../server/mail/delivery-error.ts'
import type { Mailer } from '../server/mail/mailer.ts'
import { createDeliveries } from '../server/worker.ts'
import { createFailingMailer, createScriptedMailer, outboxRows } from './support/mailers.ts'
import { type Service, startService } from './support/service.ts'

// A transport that takes messages and never says so, and one that fails for days.

const email = 'ann@example.com'
const DOWN = new DeliveryError('transport', 'connect ECONNREFUSED')
const HUNG = new DeliveryError('transport', 'no answer after DATA', { unconfirmed: true })
/** How long one answer is waited for. */
const ANSWER_MS = 20 * SECOND_MS

const createDelivery = ({ ctx, sms }: Service, mail: Mailer) =>
  createDeliveries(ctx, { mail, sms }).mail
async function theRow(service: Service) {
  const rows = await outboxRows(service)
  assert.equal(rows.length, 1)
  return rows[0]!
}

/** A server that hangs after the whole message until told otherwise. */
function createHangingServer() {
  const server = { hangs: true }
  const scripted = createScriptedMailer(() => (server.hangs ? HUNG : undefined))
  const copiesOf = (id: string) => scripted.ids.filter((given) => given === id).length
  return { ...scripted, timeoutMs: MINUTE_MS, server, copiesOf }
}

/** What the loop of a worker does in a second, or in as long as what it took up takes. */
async function workOnce(
  service: Service,
  delivery: Delivery,
  { server }: ReturnType<typeof createHangingServer>,
): Promise<void> {
  const held: Claim[] = []
  for (let lane = 0; lane < LANES; lane++) {
    const claimed = await delivery.claim({ woken: true })
    if (claimed === undefined) break
    held.push(claimed)
  }
  service.advance(held.length > 0 && server.hangs ? ANSWER_MS : SECOND_MS)
  await Promise.all(held.map((claimed) => delivery.deliver(claimed)))
}

describe('a server that hangs after each message', () => {
  test('for half an hour takes one copy at a time, no second one, and all is sent within a minute', async () => {
    await using service = await startService()
    const mailer = createHangingServer()
    const delivery = createDelivery(service, mailer)
    const endMs = service.clock.nowMs + 30 * MINUTE_MS
    let signUps = 0
    let nextMs = service.clock.nowMs
    while (service.clock.nowMs < endMs) {
      for (; nextMs <= service.clock.nowMs; nextMs += 40 * SECOND_MS)
        await service.signUp(`user${signUps++}@example.com`)
      await workOnce(service, delivery, mailer)
    }
    const wasted = mailer.ids.length
    const wastedTwice = wasted - new Set(mailer.ids).size

    mailer.server.hangs = false
    const backMs = service.clock.nowMs
    while (mailer.sent.length < signUps && service.clock.nowMs < backMs + MINUTE_MS)
      await workOnce(service, delivery, mailer)

    assert.equal(wastedTwice, 0)
    assert.ok(wasted > 30 && wasted < 30 * 2, `${wasted} copies`)
    assert.equal(mailer.sent.length, signUps)
    const rows = await outboxRows(service)
    assert.deepEqual([...new Set(rows.map((row) => row.state))], ['sent'])
    assert.ok(rows.every(({ id }) => mailer.copiesOf(id) <= 2))
  })

  test('for four minutes keeps the only message waiting, and its second copy arrives', async () => {
    await using service = await startService()
    await service.signUp(email)
    const mailer = createHangingServer()
    const delivery = createDelivery(service, mailer)
    const startedAtMs = service.clock.nowMs
    while (service.clock.nowMs < startedAtMs + 4 * MINUTE_MS)
      await workOnce(service, delivery, mailer)
    const meanwhile = mailer.ids.length

    mailer.server.hangs = false
    while (service.clock.nowMs < startedAtMs + 6 * MINUTE_MS)
      await workOnce(service, delivery, mailer)

    assert.equal(meanwhile, 1)
    assert.deepEqual([mailer.ids.length, (await theRow(service)).state], [2, 'sent'])
  })

  test('is asked with what was never handed over before what was', async () => {
    await using service = await startService()
    await service.signUp(email)
    const mailer = createHangingServer()
    const delivery = createDelivery(service, mailer)
    await deliverNext(delivery, true)
    service.advance(6 * MINUTE_MS)
    await service.signUp('bob@example.com')

    await deliverNext(delivery, true)

    assert.equal(new Set(mailer.ids).size, 2)
  })

  test('and works again lets all second copies go, but what its recipient’s side put off', async () => {
    await using service = await startService()
    for (const name of ['ann', 'bob', 'cay', 'dan']) {
      await service.signUp(`${name}@example.com`)
      service.advance(1)
    }
    const mailer = createHangingServer()
    const delivery = createDelivery(service, mailer)
    const held = [await delivery.claim({ woken: true }), await delivery.claim({ woken: true })]
    // By another worker, which ends.
    await deliverNext(createDelivery(service, mailer), true)
    for (const claimed of held) await delivery.deliver(claimed!)
    await service.ctx.transaction((tx) =>
      tx.updateTable('outbox').set({ refusals: 1 }).where('recipient', '=', email).execute(),
    )
    const [refused] = await outboxRows(service)

    mailer.server.hangs = false
    service.advance(delivery.pausedMs())
    while (await deliverNext(delivery, true));

    const [first, ...second] = mailer.sent.map(({ to }) => to.slice(0, 3))
    assert.deepEqual([first, ...second.toSorted()], ['dan', 'bob', 'cay'])
    assert.deepEqual((await outboxRows(service))[0], refused)
  })
})

describe('a transport in doubt', () => {
  test('is asked by one message at a time, and by four once it works', async () => {
    await using service = await startService()
    for (let n = 0; n < 6; n++) await service.signUp(`user${n}@example.com`)
    let down = true
    const mailer = createScriptedMailer(() => (down ? DOWN : undefined))
    const delivery = createDelivery(service, mailer)
    await deliverNext(delivery, true)
    service.advance(delivery.pausedMs())
    down = false

    const probe = await delivery.claim({ woken: true })
    const second = await delivery.claim({ woken: true })
    const held = delivery.isHeld()
    assert.ok(probe)
    await delivery.deliver(probe)
    const others = [await delivery.claim({ woken: true }), await delivery.claim({ woken: true })]

    assert.deepEqual([second, held, delivery.isHeld()], [undefined, true, false])
    assert.ok(others.every((claimed) => claimed !== undefined))
  })
})

describe('a transport that fails for days', () => {
  test('has three days for a message from its first fault on; then it is dead, and counted no refusal', async () => {
    await using service = await startService({
      VERIFICATION_CODE_EXPIRE_HOURS: '168',
      UNVERIFIED_USER_TTL_HOURS: '8760',
    })
    await service.signUp(email)
    service.advance(DAY_MS)
    const mailer = createFailingMailer(DOWN)
    const deliver = () => deliverNext(createDelivery(service, mailer), true)
    const startedAtMs = service.clock.nowMs
    for (const hours of [0, 1, 24, 71]) {
      service.clock.nowMs = startedAtMs + hours * HOUR_MS
      assert.equal(await deliver(), true)
      assert.equal((await theRow(service)).state, 'waiting', `after ${hours} h`)
    }

    service.clock.nowMs = startedAtMs + 3 * DAY_MS
    await deliver()

    const row = await theRow(service)
    assert.deepEqual([row.state, row.refusals, row.bugs, row.crashes], ['dead', 0, 0, 0])
    assert.deepEqual([row.first_failed_at, row.last_error], [toIso(startedAtMs), DOWN.message])
    assert.notEqual(row.payload, '{}')
  })
})
