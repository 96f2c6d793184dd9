import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MINUTE_MS } from '../../../server/lib/units.ts'
import { assertIndistinguishable } from '../../support/fingerprint.ts'
import {
  addPhone,
  confirmPhone,
  newestCode,
  NUMBER,
  OTHER_NUMBER,
  pendingPhones,
  PHONE,
  phoneCodeFor,
  phoneOf,
  wantPhone,
} from '../../support/phones.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { type Service, startService } from '../../support/service.ts'

describe('POST /me/phone', () => {
  test('202 sends a code by text message; the number does not count before it is confirmed', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const mails = service.mailer.sent.length

    const answer = await wantPhone(service, ann)
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

    const free = await wantPhone(service, ann, OTHER_NUMBER)
    const tooSoon = await wantPhone(service, ann, OTHER_NUMBER)
    service.advance(MINUTE_MS)
    const anothers = await wantPhone(service, ann)
    await service.deliverMail()
    await confirmPhone(service, ann, newestCode(service))
    service.advance(MINUTE_MS)
    const own = await wantPhone(service, ann)

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
    await confirmPhone(service, ann, code)
    assert.equal(await phoneOf(service, ann), OTHER_NUMBER)
  })

  test('no row and no log line holds the code or, in the log, the number', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await wantPhone(service, ann)
    const waiting = await service.ctx.db.selectFrom('outbox').selectAll().execute()
    const pending = await service.ctx.db.selectFrom('phone_changes').selectAll().execute()
    await service.deliverMail()
    const code = newestCode(service)
    const done = await service.ctx.db.selectFrom('outbox').selectAll().execute()
    await confirmPhone(service, ann, code)

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
