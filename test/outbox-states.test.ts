import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deliverNext } from '../server/jobs/delivery.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../server/lib/units.ts'
import { DeliveryError } from '../server/mail/delivery-error.ts'
import type { Mailer } from '../server/mail/mailer.ts'
import { createDeliveries } from '../server/worker.ts'
import { createFailingMailer, createScriptedMailer, outboxRows } from './support/mailers.ts'
import { type Service, startService } from './support/service.ts'

// What becomes of a message, by what its transport says.

const email = 'ann@example.com'

const LATER = new DeliveryError('later', '450 4.2.1 mailbox busy')
const REFUSED = new DeliveryError('refused', '550 5.1.1 no such user')
const UNCONFIRMED = new DeliveryError('transport', 'closed after DATA', { unconfirmed: true })

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
const update = ({ ctx }: Service, values: object) =>
  ctx.transaction((tx) =>
    tx.updateTable('outbox').set(values).where('kind', '=', 'verification').execute(),
  )

describe('a message', () => {
  test('that was sent says where to, and nothing else any more', async () => {
    await using service = await startService()
    await service.signUp('Ann@Example.com')

    await service.deliverMail()

    const row = await theRow(service)
    assert.deepEqual(
      [row.state, row.recipient, row.payload, row.last_error, row.claimed_until],
      ['sent', 'Ann@Example.com', '{}', null, null],
    )
    assert.notEqual(row.finished_at, null)
  })

  test('whose code expired before it could be sent is dropped', async () => {
    await using service = await startService({ VERIFICATION_CODE_EXPIRE_HOURS: '1' })
    await service.signUp(email)
    service.advance(HOUR_MS)

    await service.deliverMail()

    const row = await theRow(service)
    assert.deepEqual([row.state, row.recipient, row.payload], ['dropped', null, '{}'])
    assert.deepEqual(service.mailsTo(email), [])
  })

  test('that is to be tried later is tried eight times over 24 hours, with one id, then dead', async () => {
    await using service = await startService({
      VERIFICATION_CODE_EXPIRE_HOURS: '168',
      UNVERIFIED_USER_TTL_HOURS: '168',
    })
    await service.signUp(email)
    const mailer = createFailingMailer(LATER)
    const startedAtMs = service.clock.nowMs
    const waits: number[] = []
    for (let n = 1; n < 8; n++) {
      assert.equal(await deliver(service, mailer), true)
      const row = await theRow(service)
      const waitMs = Date.parse(row.due_at) - service.clock.nowMs
      assert.deepEqual([row.state, row.refusals], ['waiting', n])
      waits.push(waitMs / MINUTE_MS)
      service.advance(waitMs - 1)
      assert.equal(await deliver(service, mailer), false)
      service.advance(1)
    }

    assert.equal(await deliver(service, mailer), true)

    const row = await theRow(service)
    assert.deepEqual(waits, [5, 15, 40, 60, 240, 360, 720])
    assert.equal(service.clock.nowMs - startedAtMs, DAY_MS)
    assert.deepEqual([mailer.ids.length, new Set(mailer.ids).size], [8, 1])
    assert.deepEqual([row.state, row.last_error], ['dead', LATER.message])
    assert.notEqual(row.payload, '{}')
    service.advance(DAY_MS)
    assert.equal(await deliver(service, mailer), false)
  })

  test('that was refused bounces at once, and is kept for an admin', async () => {
    await using service = await startService()
    await service.signUp(email)

    await deliver(service, createFailingMailer(REFUSED))

    const row = await theRow(service)
    assert.deepEqual(
      [row.state, row.recipient, row.last_error],
      ['bounced', email, REFUSED.message],
    )
    assert.notEqual(row.payload, '{}')
    assert.notEqual(row.finished_at, null)
    service.advance(DAY_MS)
    assert.equal(await service.deliverMail(), 1, 'the reminder alone')
  })

  test('that nobody confirmed comes once more after five minutes, and never a third time', async () => {
    await using service = await startService()
    await service.signUp(email)
    const mailer = createFailingMailer(UNCONFIRMED)

    await deliver(service, mailer)
    service.advance(5 * MINUTE_MS - 1)
    const tooEarly = await deliver(service, mailer)
    service.advance(1)
    await deliver(service, mailer)
    service.advance(HOUR_MS)
    const third = await deliver(service, mailer)

    assert.deepEqual([tooEarly, third], [false, false])
    assert.deepEqual([mailer.ids.length, new Set(mailer.ids).size], [2, 1])
    assert.equal((await theRow(service)).state, 'dead')
  })

  for (const [why, values] of [
    ['with a payload of another shape', { payload: 'null' }],
    ['with a broken payload', { payload: '{' }],
  ] as const) {
    test(`${why} is a bug of ours: dead after three tries`, async () => {
      await using service = await startService()
      await service.signUp(email)
      await update(service, values)

      const states: string[] = []
      for (let n = 0; n < 3; n++) {
        await deliver(service, service.mailer)
        states.push((await theRow(service)).state)
        service.advance(15 * MINUTE_MS)
      }

      assert.deepEqual(states, ['waiting', 'waiting', 'dead'])
      const { last_error, refusals, crashes } = await theRow(service)
      assert.match(last_error ?? '', /^\w*Error$/)
      assert.deepEqual([refusals, crashes], [0, 0])
      assert.equal(await deliver(service, service.mailer), false)
    })
  }

  for (const counts of [{ refusals: 7 }, { crashes: 2 }, { unconfirmed: 1 }]) {
    test(`with ${Object.keys(counts).join()} is not given up any sooner for a bug of ours`, async () => {
      await using service = await startService()
      await service.signUp(email)
      await update(service, { ...counts, payload: '{' })

      for (let n = 0; n < 2; n++) {
        await deliver(service, service.mailer)
        service.advance(15 * MINUTE_MS)
      }

      const { state, bugs } = await theRow(service)
      assert.deepEqual([state, bugs], ['waiting', 2])
    })
  }

  test('whose sender throws what it should not is a bug of ours, too', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = /\b\d{6}\b/
    const mailer = createScriptedMailer((mail) => new Error(`it broke: ${mail.text}`))

    await deliver(service, mailer)

    const row = await theRow(service)
    assert.deepEqual([row.state, row.bugs, row.last_error], ['waiting', 1, 'Error'])
    assert.doesNotMatch(JSON.stringify({ ...row, id: '', payload: '' }), code)
  })

  test('keeps of what the server said neither codes, keys nor controls, and at most 200 characters', async () => {
    await using service = await startService()
    await service.signUp(email)
    const key = 'SG.aBcdefghijklmnopqrstuvwxyz0123456789'
    let code = ''
    const mailer = createScriptedMailer((mail) => {
      code = /\b\d{6}\b/.exec(mail.text)?.[0] ?? ''
      return new DeliveryError('later', `450\r\n4.7.1 ${code} ${key} ${'to big '.repeat(99)}`)
    })

    await deliver(service, mailer)

    const { last_error: kept } = await theRow(service)
    assert.match(code, /^\d{6}$/)
    assert.match(kept ?? '', /^450 4\.7\.1 … SG\.… to big /)
    assert.equal(kept?.length, 200)
    assert.ok(!service.logged.some((line) => line.includes(code) || line.includes(key)))
  })
})
