import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deliverNext } from '../server/jobs/delivery.ts'
import { enqueueMail } from '../server/jobs/outbox.ts'
import { HOUR_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { DeliveryError } from '../server/mail/delivery-error.ts'
import type { Mailer } from '../server/mail/mailer.ts'
import { createDeliveries } from '../server/worker.ts'
import {
  createFailingMailer,
  createHangingMailer,
  createScriptedMailer,
  failedMail,
  outboxRows,
} from './support/mailers.ts'
import { assertProblem } from './support/problem.ts'
import { type Service, startService } from './support/service.ts'

// What a fault does to everybody else's messages, and a deletion to those of one user.

const email = 'ann@example.com'

const LATER = new DeliveryError('later', '450 4.2.1 mailbox busy')
const REFUSED = new DeliveryError('refused', '550 5.1.1 no such user')

const createDelivery = ({ ctx, sms }: Service, mail: Mailer) =>
  createDeliveries(ctx, { mail, sms }).mail
/** One message by a worker that has just started. */
const deliver = (service: Service, mailer: Mailer) =>
  deliverNext(createDelivery(service, mailer), true)
/** Everything that is due, by one worker. */
async function deliverAll(service: Service, mailer: Mailer): Promise<void> {
  const delivery = createDelivery(service, mailer)
  while (await deliverNext(delivery, true));
}
async function theRow(service: Service) {
  const rows = await outboxRows(service)
  assert.equal(rows.length, 1)
  return rows[0]!
}

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
      const delivery = createDelivery(service, mailer)

      while (await deliverNext(delivery, true));
      service.advance(delivery.pausedMs())
      while (await deliverNext(delivery, true));

      assert.equal(mailer.sent.length, 3)
      assert.ok(delivery.pausedMs() === 0)
    })
  }
})

describe('a transport that is down', () => {
  const DOWN = new DeliveryError('transport', 'connect ECONNREFUSED')

  test('only puts off what was tried, and is tried again after 5 to 6.25 s, doubled up to 30 s', async () => {
    await using service = await startService()
    await service.signUp(email)
    const delivery = createDelivery(service, createFailingMailer(DOWN))
    const before = await theRow(service)
    const pauses: number[] = []
    for (let n = 0; n < 6; n++) {
      assert.equal(await deliverNext(delivery, true), true)
      pauses.push(delivery.pausedMs())
      service.advance(delivery.pausedMs() - 1)
      assert.equal(await deliverNext(delivery, true), false)
      service.advance(1)
    }

    const after = await theRow(service)
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

  test('is not paused the longer the more messages met the same fault at once', async () => {
    await using service = await startService()
    for (const name of ['ann', 'bob', 'cay']) await service.signUp(`${name}@example.com`)
    const delivery = createDelivery(service, createFailingMailer(DOWN))
    const held = [
      await delivery.claim({ woken: true }),
      await delivery.claim({ woken: true }),
      await delivery.claim({ woken: true }),
    ]

    await Promise.all(held.map((claim) => delivery.deliver(claim!)))

    assert.ok(delivery.pausedMs() <= 6.25 * SECOND_MS, `${delivery.pausedMs()}`)
  })

  test('and comes back delivers at once what waited, each once', async () => {
    await using service = await startService()
    for (let n = 0; n < 10; n++) await service.signUp(`user${n}@example.com`)
    let down = true
    const mailer = createScriptedMailer(() => (down ? DOWN : undefined))
    const delivery = createDelivery(service, mailer)
    for (let n = 0; n < 8; n++) {
      await deliverNext(delivery, true)
      service.advance(delivery.pausedMs())
    }

    down = false
    while (await deliverNext(delivery, true));

    const to = mailer.sent.map((mail) => mail.to)
    assert.deepEqual([to.length, new Set(to).size], [10, 10])
  })

  test('is taken for well at the first success, though it was to pause', async () => {
    await using service = await startService()
    await service.signUp('bad@example.com')
    service.advance(1)
    await service.signUp(email)
    const mailer = createScriptedMailer(({ to }) => (to === 'bad@example.com' ? DOWN : undefined))
    const delivery = createDelivery(service, mailer)
    const [bad, good] = [
      await delivery.claim({ woken: true }),
      await delivery.claim({ woken: true }),
    ]
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
    const delivery = createDelivery(service, mailer)

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
    const delivery = createDelivery(service, createFailingMailer(DOWN))
    await deliverNext(delivery, true)

    service.advance(-2 * HOUR_MS)

    assert.equal(delivery.pausedMs(), 0)
  })

  test('is left alone again after such a set-back: its next fault makes a pause', async () => {
    await using service = await startService()
    await service.signUp(email)
    await service.signUp('bob@example.com')
    service.advance(3 * HOUR_MS)
    const delivery = createDelivery(service, createFailingMailer(DOWN))
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
    for (let n = 0; n < 6; n++) await deliver(service, mailer)

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
      enqueueMail(tx, 'phone_code', { phoneChangeId: 'gone' }, { nowMs, channel: 'sms' }),
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

describe('the deletion of a user', () => {
  test('blanks what was sent and drops what waits or had failed', async () => {
    await using service = await startService()
    const admin = await service.addAdmin('boss@example.com')
    const ann = await service.registerUser(email)
    await service.post('/api/v1/auth/verify/resend', { email })
    await service.post('/api/v1/auth/refresh', { refresh_token: ann.refresh })
    await deliverAll(service, createFailingMailer(REFUSED))

    await service.delete(`/api/v1/users/${ann.id}`, { token: admin.access })

    const rows = await outboxRows(service)
    const hers = rows.filter((row) => row.recipient !== 'boss@example.com')
    assert.ok(hers.length >= 2)
    for (const row of hers) {
      assert.ok(['sent', 'dropped'].includes(row.state), row.state)
      assert.deepEqual(
        [row.recipient, row.email_canonical, row.payload, row.last_error],
        [null, null, '{}', null],
      )
    }
    assert.ok(!JSON.stringify(rows).includes(email))
  })

  test('drops what had bounced: nobody can have it sent again', async () => {
    await using service = await startService()
    const admin = await service.addAdmin('boss@example.com')
    const { id, userId } = await failedMail(service, email)

    await service.delete(`/api/v1/users/${userId}`, { token: admin.access })

    const url = `/api/v1/mail/${id}/resend`
    assertProblem(await service.post(url, undefined, { token: admin.access }), 'mail_not_failed')
    const rows = await outboxRows(service)
    assert.deepEqual(
      rows.map((row) => row.state),
      ['dropped'],
    )
  })

  test('takes its mail out of the hands of a worker, who writes nothing more', async () => {
    await using service = await startService()
    const admin = await service.addAdmin('boss@example.com')
    await service.signUp(email)
    const slow = createHangingMailer()
    const sending = deliver(service, slow)
    await slow.taken

    await service.delete(`/api/v1/users/${admin.id + 1}`, { token: admin.access })
    slow.answer.reject(REFUSED)
    await sending

    assert.ok(!JSON.stringify(await outboxRows(service)).includes(email))
    assert.deepEqual(
      (await outboxRows(service)).map((row) => row.state),
      ['dropped'],
    )
  })
})
