import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Delivery } from '../server/outbox/delivery.ts'
import { enqueueMessage } from '../server/outbox/outbox.ts'
import { LANES } from '../server/outbox/run.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { createDeliveries } from '../server/worker.ts'
import {
  claimUpTo,
  createFailingMailer,
  createScriptedMailer,
  deliverAll,
  deliverNext,
  deliverOne,
  deliveryBy,
  DOWN,
  LATER,
  outboxRow,
  outboxRows,
  REFUSED,
  UNCONFIRMED,
} from './support/mailers.ts'
import { type Service, startService } from './support/service.ts'

// What a transport that fails, hangs or comes back does to the messages that wait for it.

const email = 'ann@example.com'

describe('one bad address', () => {
  for (const error of [LATER, REFUSED]) {
    test(`delays no other: ${error.message}`, async () => {
      await using service = await startService()
      await service.signUp('bad@example.com')
      service.advance(1)
      for (const name of ['ann', 'bob', 'cay']) await service.signUp(`${name}@example.com`)
      const mailer = createScriptedMailer(({ to }) =>
        to === 'bad@example.com' ? error : undefined,
      )
      const delivery = deliveryBy(service, mailer)

      await deliverAll(delivery)
      service.advance(delivery.pausedMs())
      await deliverAll(delivery)

      assert.equal(mailer.sent.length, 3)
      assert.ok(delivery.pausedMs() === 0)
    })
  }
})

describe('a transport that is down', () => {
  test('only puts off what was tried, and is tried again after 5 to 6.25 s, doubled up to 30 s', async () => {
    await using service = await startService()
    await service.signUp(email)
    const delivery = deliveryBy(service, createFailingMailer(DOWN))
    const before = await outboxRow(service)
    const pauses: number[] = []
    for (let n = 0; n < 6; n++) {
      assert.equal(await deliverNext(delivery, true), true)
      pauses.push(delivery.pausedMs())
      service.advance(delivery.pausedMs() - 1)
      assert.equal(await deliverNext(delivery, true), false)
      service.advance(1)
    }

    const after = await outboxRow(service)
    const expected = {
      ...before,
      claims: after.claims,
      last_error: DOWN.message,
      recipient: email,
      // When the pause ends: with its old one it would go first for ever, before all others.
      due_at: toIso(service.clock.nowMs),
      first_failed_at: before.due_at,
    }
    assert.deepEqual({ ...after }, expected)
    for (const [n, mean] of [5, 10, 20, 24, 24, 24].entries()) {
      const seconds = (pauses[n] ?? 0) / SECOND_MS
      assert.ok(seconds >= mean && seconds <= mean * 1.25, `pause ${n}: ${seconds} s`)
    }
  })

  test('is neither paused nor logged the more, the more messages met the same fault at once', async () => {
    await using service = await startService()
    for (const name of ['ann', 'bob', 'cay']) await service.signUp(`${name}@example.com`)
    const delivery = deliveryBy(service, createFailingMailer(DOWN))
    const held = await claimUpTo(3, delivery)

    await Promise.all(held.map((claim) => delivery.deliver(claim)))

    assert.ok(delivery.pausedMs() <= 6.25 * SECOND_MS, `${delivery.pausedMs()}`)
    const lines = service.logged.filter((line) => line.includes('message not delivered'))
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /"fault":"transport",.*"reason":"connect ECONNREFUSED"/)
  })

  test('and comes back delivers at once what waited, each once', async () => {
    await using service = await startService()
    for (let n = 0; n < 10; n++) await service.signUp(`user${n}@example.com`)
    let down = true
    const mailer = createScriptedMailer(() => (down ? DOWN : undefined))
    const delivery = deliveryBy(service, mailer)
    for (let n = 0; n < 8; n++) {
      await deliverNext(delivery, true)
      service.advance(delivery.pausedMs())
    }

    down = false
    await deliverAll(delivery)

    const to = mailer.sent.map((mail) => mail.to)
    assert.deepEqual([to.length, new Set(to).size], [10, 10])
  })

  test('is taken for well at the first success, though it was to pause', async () => {
    await using service = await startService()
    await service.signUp('bad@example.com')
    service.advance(1)
    await service.signUp(email)
    const mailer = createScriptedMailer(({ to }) => (to === 'bad@example.com' ? DOWN : undefined))
    const delivery = deliveryBy(service, mailer)
    const [bad, good] = await claimUpTo(2, delivery)
    assert.ok(bad && good)

    await delivery.deliver(bad)
    const before = delivery.pausedMs()
    await delivery.deliver(good)

    assert.ok(before > 0)
    assert.equal(delivery.pausedMs(), 0)
  })

  test('asks with another message each time: it may be the message that ails it', async () => {
    await using service = await startService()
    await service.signUp('bad@example.com')
    service.advance(1)
    await service.signUp(email)
    const mailer = createScriptedMailer(({ to }) => (to === 'bad@example.com' ? DOWN : undefined))
    const delivery = deliveryBy(service, mailer)

    await deliverNext(delivery, true)
    service.advance(delivery.pausedMs())
    await deliverNext(delivery, true)

    assert.deepEqual(
      mailer.sent.map((mail) => mail.to),
      [email],
    )
  })

  test('is not left alone for days by a clock that was set back', async () => {
    await using service = await startService()
    await service.signUp(email)
    service.advance(3 * HOUR_MS)
    const delivery = deliveryBy(service, createFailingMailer(DOWN))
    await deliverNext(delivery, true)

    service.advance(-2 * HOUR_MS)

    assert.equal(delivery.pausedMs(), 0)
  })

  test('is left alone again after such a set-back: its next fault makes a pause', async () => {
    await using service = await startService()
    await service.signUp(email)
    await service.signUp('bob@example.com')
    service.advance(3 * HOUR_MS)
    const delivery = deliveryBy(service, createFailingMailer(DOWN))
    await deliverNext(delivery, true)

    service.advance(-2 * HOUR_MS)
    await deliverNext(delivery, true)

    assert.ok(delivery.pausedMs() > 0)
  })

  test('by the fault of many messages keeps no other from its turn, whichever worker', async () => {
    await using service = await startService()
    for (let n = 0; n < 5; n++) await service.signUp(`bad${n}@example.com`)
    service.advance(1)
    await service.signUp(email)
    const mailer = createScriptedMailer(({ to }) => (to.startsWith('bad') ? DOWN : undefined))

    // Each one has just started and remembers nothing.
    for (let n = 0; n < 6; n++) await deliverOne(service, mailer)

    assert.deepEqual(
      mailer.sent.map((mail) => mail.to),
      [email],
    )
  })

  test('holds up no other channel', async () => {
    await using service = await startService()
    await service.signUp(email)
    const nowMs = service.clock.nowMs
    await service.ctx.transaction((tx) =>
      enqueueMessage(tx, 'phone_code', { phoneChangeId: 'gone' }, { nowMs, channel: 'sms' }),
    )
    const deliveries = createDeliveries(service.ctx, {
      mail: createFailingMailer(DOWN),
      sms: service.sms,
    })

    await deliverNext(deliveries.mail, true)
    const taken = await deliverNext(deliveries.sms, true)

    assert.equal(taken, true)
    const rows = await outboxRows(service)
    assert.deepEqual(Object.fromEntries(rows.map((row) => [row.channel, row.state])), {
      mail: 'waiting',
      sms: 'dropped',
    })
  })
})

describe('a transport in doubt', () => {
  test('is asked by one message at a time, and by four once it works', async () => {
    await using service = await startService()
    for (let n = 0; n < 6; n++) await service.signUp(`user${n}@example.com`)
    let down = true
    const mailer = createScriptedMailer(() => (down ? DOWN : undefined))
    const delivery = deliveryBy(service, mailer)
    await deliverNext(delivery, true)
    service.advance(delivery.pausedMs())
    down = false

    const probe = await delivery.claim({ woken: true })
    const second = await delivery.claim({ woken: true })
    const held = delivery.isHeld()
    assert.ok(probe)
    await delivery.deliver(probe)
    const others = await claimUpTo(LANES, delivery)

    assert.deepEqual([second, held, delivery.isHeld()], [undefined, true, false])
    assert.equal(others.length, 4)
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
    const startedAtMs = service.clock.nowMs
    for (const hours of [0, 1, 24, 71]) {
      service.clock.nowMs = startedAtMs + hours * HOUR_MS
      assert.equal(await deliverOne(service, mailer), true)
      assert.equal((await outboxRow(service)).state, 'waiting', `after ${hours} h`)
    }

    service.clock.nowMs = startedAtMs + 3 * DAY_MS
    await deliverOne(service, mailer)

    const row = await outboxRow(service)
    assert.deepEqual([row.state, row.refusals, row.bugs, row.crashes], ['dead', 0, 0, 0])
    assert.deepEqual([row.first_failed_at, row.last_error], [toIso(startedAtMs), DOWN.message])
    assert.notEqual(row.payload, '{}')
  })
})

/** How long one answer is waited for. */
const ANSWER_MS = 20 * SECOND_MS

/** A server that hangs after the whole message until told otherwise. */
function createHangingServer() {
  const server = { hangs: true }
  const scripted = createScriptedMailer(() => (server.hangs ? UNCONFIRMED : undefined))
  const copiesOf = (id: string) => scripted.ids.filter((given) => given === id).length
  return { ...scripted, timeoutMs: MINUTE_MS, server, copiesOf }
}

/** What the loop of a worker does in a second, or in as long as what it took up takes. */
async function workOnce(
  service: Service,
  delivery: Delivery,
  { server }: ReturnType<typeof createHangingServer>,
): Promise<void> {
  const held = await claimUpTo(LANES, delivery)
  service.advance(held.length > 0 && server.hangs ? ANSWER_MS : SECOND_MS)
  await Promise.all(held.map((claimed) => delivery.deliver(claimed)))
}

describe('a server that hangs after each message', () => {
  test('for half an hour takes one copy at a time, no second one, and all is sent within a minute', async () => {
    await using service = await startService()
    const mailer = createHangingServer()
    const delivery = deliveryBy(service, mailer)
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
    const delivery = deliveryBy(service, mailer)
    const startedAtMs = service.clock.nowMs
    while (service.clock.nowMs < startedAtMs + 4 * MINUTE_MS)
      await workOnce(service, delivery, mailer)
    const meanwhile = mailer.ids.length

    mailer.server.hangs = false
    while (service.clock.nowMs < startedAtMs + 6 * MINUTE_MS)
      await workOnce(service, delivery, mailer)

    assert.equal(meanwhile, 1)
    assert.deepEqual([mailer.ids.length, (await outboxRow(service)).state], [2, 'sent'])
  })

  test('is asked with what was never handed over before what was', async () => {
    await using service = await startService()
    await service.signUp(email)
    const mailer = createHangingServer()
    const delivery = deliveryBy(service, mailer)
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
    const delivery = deliveryBy(service, mailer)
    const held = await claimUpTo(2, delivery)
    // By another worker, which ends.
    await deliverOne(service, mailer)
    for (const claimed of held) await delivery.deliver(claimed)
    await service.ctx.transaction((tx) =>
      tx.updateTable('outbox').set({ refusals: 1 }).where('recipient', '=', email).execute(),
    )
    const [refused] = await outboxRows(service)

    mailer.server.hangs = false
    service.advance(delivery.pausedMs())
    await deliverAll(delivery)

    const [first, ...second] = mailer.sent.map(({ to }) => to.slice(0, 3))
    assert.deepEqual([first, ...second.toSorted()], ['dan', 'bob', 'cay'])
    assert.deepEqual((await outboxRows(service))[0], refused)
  })
})
