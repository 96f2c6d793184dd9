import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { assertIndistinguishable } from '../support/fingerprint.ts'
import {
  addPhone,
  askForCode,
  CONFIRM,
  newestCode,
  NUMBER,
  OTHER_NUMBER,
  PHONE,
  pendingPhones,
  phoneCodeFor,
  phoneOf,
} from '../support/phones.ts'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { countStatuses, startReplicas, times } from '../support/races.ts'
import { type Service, startService } from '../support/service.ts'

describe('POST /me/phone', () => {
  test('202 sends a code by text message; the number does not count before it is confirmed', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const mails = service.mailer.sent.length

    const answer = await service.post(PHONE, { phone: NUMBER }, { token: ann.access })
    await service.deliverMail()

    assert.equal(answer.status, 202)
    assert.deepEqual(answer.body, {
      message: 'If this number can take text messages, the code is on its way.',
    })
    assert.deepEqual(
      service.texts.map(({ to, consoleLine }) => ({ to, consoleLine })),
      [{ to: NUMBER, consoleLine: `🔑 Phone code for ${NUMBER}: ${newestCode(service)}` }],
    )
    assert.equal(service.mailer.sent.length, mails)
    assert.equal(await phoneOf(service, ann), null)
  })

  test('202 says the same of a number that is free, another’s, one’s own, or refused for now', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    await addPhone(service, bob, NUMBER)
    const ask = (phone: string) => service.post(PHONE, { phone }, { token: ann.access })

    const free = await ask(OTHER_NUMBER)
    const tooSoon = await ask(OTHER_NUMBER)
    service.advance(MINUTE_MS)
    const anothers = await ask(NUMBER)
    await service.deliverMail()
    await service.post(CONFIRM, { code: newestCode(service) }, { token: ann.access })
    service.advance(MINUTE_MS)
    const own = await ask(NUMBER)

    assertIndistinguishable({ free, tooSoon, anothers, own })
    assert.deepEqual([await phoneOf(service, ann), await phoneOf(service, bob)], [NUMBER, NUMBER])
  })

  test('202 keeps the proved number until the new one is confirmed', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await addPhone(service, ann)
    service.advance(MINUTE_MS)

    const code = await phoneCodeFor(service, ann, OTHER_NUMBER)

    assert.equal(await phoneOf(service, ann), NUMBER)
    await service.post(CONFIRM, { code }, { token: ann.access })
    assert.equal(await phoneOf(service, ann), OTHER_NUMBER)
  })

  test('202 drops the text message of a number that was replaced before it was sent', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.post(PHONE, { phone: NUMBER }, { token: ann.access })
    service.advance(MINUTE_MS)

    const sent = await askForCode(service, ann, OTHER_NUMBER)

    assert.equal(sent, 1)
    assert.deepEqual(
      service.texts.map(({ to }) => to),
      [OTHER_NUMBER],
    )
    assert.equal((await pendingPhones(service)).length, 1)
  })

  for (const [why, lateMs, sent] of [
    ['is sent until a second before its end', 10 * MINUTE_MS - SECOND_MS, 1],
    ['is not sent any more at its end', 10 * MINUTE_MS, 0],
  ] as const) {
    test(`202 for a code that ${why}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addUser()
      await service.post(PHONE, { phone: NUMBER }, { token })
      service.advance(lateMs)

      await service.deliverMail()

      assert.equal(service.texts.length, sent)
    })
  }

  test('202 and no text message when the key of its code is gone, which is logged', async () => {
    await using old = await startService()
    const { access: token } = await old.addUser()
    await old.post(PHONE, { phone: NUMBER }, { token })
    const SECRET_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'
    await using service = await startService({ SECRET_KEY }, { replicaOf: old })

    await service.deliverMail()

    assert.deepEqual(service.texts, [])
    assert.ok(service.logged.some((line) => line.includes('SECRET_KEY_PREVIOUS was removed')))
  })

  test('no row and no log line holds the code or, in the log, the number', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.post(PHONE, { phone: NUMBER }, { token: ann.access })
    const waiting = await service.ctx.db.selectFrom('outbox').selectAll().execute()
    const pending = await service.ctx.db.selectFrom('phone_changes').selectAll().execute()
    await service.deliverMail()
    const code = newestCode(service)
    const done = await service.ctx.db.selectFrom('outbox').selectAll().execute()
    await service.post(CONFIRM, { code }, { token: ann.access })

    const holds = (value: unknown) => new RegExp(`(?<![0-9])${code}(?![0-9])`).test(String(value))
    const values = [...waiting, ...pending, ...done].flatMap((row) => Object.values(row))
    assert.ok(values.length > 20)
    assert.deepEqual(values.filter(holds), [])
    assert.deepEqual(service.logged.filter(holds), [])
    assert.deepEqual(
      service.logged.filter((line) => line.includes(NUMBER)),
      [],
    )
  })
})

describe('POST /me/phone limits', () => {
  test('one text message in 60 s, whatever the number; the code that is out still works', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const code = await phoneCodeFor(service, ann)

    service.advance(MINUTE_MS - 1)
    const tooEarly = await askForCode(service, ann, OTHER_NUMBER)
    const confirmed = await service.post(CONFIRM, { code }, { token: ann.access })
    service.advance(1)
    const inTime = await askForCode(service, ann, OTHER_NUMBER)

    assert.deepEqual([tooEarly, inTime], [0, 1])
    assert.equal(confirmed.status, 200)
    assert.equal(confirmed.body.phone, NUMBER)
  })

  test('five an hour, and removing the number does not start them anew', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const sent: number[] = []
    for (let n = 0; n < 7; n++) {
      sent.push(await askForCode(service, ann))
      await service.delete(PHONE, { token: ann.access })
      service.advance(MINUTE_MS)
    }

    service.advance(HOUR_MS - 7 * MINUTE_MS)
    const anHourAfterTheFirst = await askForCode(service, await service.logIn(ann.email))

    assert.deepEqual(sent, [1, 1, 1, 1, 1, 0, 0])
    assert.equal(anHourAfterTheFirst, 1)
  })

  test('each user has their own', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]

    const sent = [await askForCode(service, ann), await askForCode(service, bob)]

    assert.deepEqual(sent, [1, 1])
  })

  test('RATE_LIMIT=off lifts them', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const ann = await service.addUser()

    for (let n = 0; n < 8; n++) assert.equal(await askForCode(service, ann), 1)
  })

  test('one text message for 20 requests at once over two replicas', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { access: token } = await first.addUser()

    const answers = await Promise.all(
      times(20).map((n) =>
        (n % 2 ? second : first).post(PHONE, { phone: `+4915100000${n + 10}` }, { token }),
      ),
    )
    await Promise.all([first.deliverMail(), second.deliverMail()])

    assert.deepEqual(countStatuses(answers), { 202: 20 })
    assert.equal(first.texts.length, 1)
    assert.equal((await pendingPhones(first)).length, 1)
  })
})

describe('POST /me/phone refuses', () => {
  let service: Service
  let token: string
  before(async () => {
    service = await startService()
    token = (await service.addUser()).access
  })
  after(() => service[Symbol.asyncDispose]())

  for (const [why, phone] of [
    ['no +', '4915123456789'],
    ['00 for the +', '004915123456789'],
    ['a country that begins with 0', '+04915123456'],
    ['six digits', '+123456'],
    ['sixteen digits', '+1234567890123456'],
    ['spaces', '+49 151 23456789'],
    ['a space before', ' +4915123456789'],
    ['a line end after', '+4915123456789\n'],
    ['a dash', '+1-5550100200'],
    ['full-width digits', '+４９１５１２３４５６７'],
    ['letters', '+1555COFFEE'],
    ['an extension', '+15550100200;ext=5'],
    ['a number', 4915123456789],
    ['a list', [NUMBER]],
    ['null', null],
    ['no phone', undefined],
  ] as const) {
    test(`422 for ${why}, and nothing is sent`, async () => {
      assertInvalid(await service.post(PHONE, { phone }, { token }), '/phone')
      await service.deliverMail()
      assert.deepEqual(service.texts, [])
      assert.deepEqual(await pendingPhones(service), [])
    })
  }

  test('422 for an unknown field', async () => {
    const body = { phone: NUMBER, phone_verified_at: '2026-01-01T00:00:00.000Z' }
    assertInvalid(await service.post(PHONE, body, { token }), '/phone_verified_at')
  })

  test('401 authentication_required before the body is looked at', async () => {
    assertProblem(await service.post(PHONE, { phone: 7 }), 'authentication_required')
  })
})
