import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../server/lib/units.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'

const RESEND = '/api/v1/auth/verify/resend'
const VERIFY = '/api/v1/auth/verify'
const email = 'ann@example.com'
const HOME = { ip: '192.0.2.1' }
const ACCEPTED = {
  message: 'If this address is waiting for verification, the code is on its way.',
}

/** Asks for the mail again and delivers; how many mails that sent. */
async function resend(
  service: Service,
  body: object = { email },
  from: { ip?: string } = {},
): Promise<number> {
  const before = service.mailer.sent.length
  const answer = await service.post(RESEND, body, from)
  assert.equal(answer.status, 202)
  assert.deepEqual(answer.body, ACCEPTED)
  await service.deliverMail()
  return service.mailer.sent.length - before
}

function codesTo(service: Service, to = email): string[] {
  return service.mailsTo(to).map((mail) => /\b[0-9]{6}\b/.exec(mail.text)?.[0] ?? '')
}

describe('POST /auth/verify/resend', () => {
  test('202 repeats the same code, saying when the sign-up came and until when it works now', async () => {
    await using service = await startService()
    await service.signUp(email)
    await service.deliverMail()
    service.advance(HOUR_MS)

    const sent = await resend(service)

    assert.equal(sent, 1)
    const [first, second] = codesTo(service)
    assert.equal(second, first)
    const text = service.mailsTo(email)[1]?.text ?? ''
    assert.match(text, /with this address on 2026-01-01 12:00 UTC/)
    assert.match(text, /is valid until 2026-01-02 13:00 UTC/)
  })

  test('202 repeats the mail of every pending attempt, if they came from one network', async () => {
    await using service = await startService()
    for (let n = 0; n < 3; n++) await service.signUp(email, PASSWORD, undefined, HOME)
    await service.deliverMail()
    const codes = codesTo(service)

    const sent = await resend(service)

    assert.equal(sent, 3)
    assert.deepEqual(codesTo(service).slice(3).sort(), codes.toSorted())
  })

  test('202 repeats only the attempt named by sign_up_id', async () => {
    await using service = await startService()
    const sign_up_id = await service.signUp(email)
    const code = await service.codeFor(email)
    await service.signUp(email)
    await service.deliverMail()

    const sent = await resend(service, { email, sign_up_id })

    assert.equal(sent, 1)
    assert.equal(codesTo(service).at(-1), code)
  })

  test('202 finds every spelling of the address, and mails to it as it was typed', async () => {
    await using service = await startService()
    await service.signUp('Ann@Example.com')
    await service.deliverMail()

    await resend(service, { email: 'aNN@EXAMPLE.com' })

    assert.equal(service.mailsTo('Ann@Example.com').length, 2)
  })

  test('202 and no mail for an unknown address', async () => {
    await using service = await startService()

    assert.equal(await resend(service), 0)
  })

  test('202 and no mail for a verified or disabled account', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const bob = await service.addUser('bob@example.com')
    const verified = await resend(service, { email: bob.email })
    await service.patch(`/api/v1/users/${bob.id}`, { disabled: true }, { token: admin.access })
    service.advance(HOUR_MS)

    const disabled = await resend(service, { email: bob.email })

    assert.deepEqual([verified, disabled], [0, 0])
  })

  test('202 and no mail for the attempt of another address, to neither of them', async () => {
    await using service = await startService()
    await service.signUp(email)
    const sign_up_id = await service.signUp('bob@example.com')
    await service.deliverMail()

    assert.equal(await resend(service, { email, sign_up_id }), 0)
  })

  test('202 and no mail when the account was verified before the mail’s turn came', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = await service.codeFor(email)
    await service.post(RESEND, { email })
    await service.post(VERIFY, { email, code })

    await service.deliverMail()

    assert.equal(service.mailsTo(email).length, 1)
  })

  for (const [why, change, pointer] of [
    ['no email', { email: undefined }, '/email'],
    ['what is no address', { email: 'ann' }, '/email'],
    ['what is no attempt’s id', { sign_up_id: '1' }, '/sign_up_id'],
    ['an unknown field', { code: '123456' }, '/code'],
  ] as const) {
    test(`422 for ${why}`, async () => {
      await using service = await startService()

      assertInvalid(await service.post(RESEND, { email, ...change }), pointer)
    })
  }
})

describe('the lifetime of a code that is mailed again', () => {
  for (const [why, afterMs, status] of [
    ['24 hours from then', DAY_MS - 1, 200],
    ['not longer', DAY_MS, 400],
  ] as const) {
    test(why, async () => {
      await using service = await startService()
      await service.signUp(email)
      const code = await service.codeFor(email)
      service.advance(23 * HOUR_MS)
      await resend(service)

      service.advance(afterMs)

      assert.equal((await service.post(VERIFY, { email, code })).status, status)
    })
  }

  test('a code that had expired works again', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = await service.codeFor(email)
    service.advance(25 * HOUR_MS)
    const expired = await service.post(VERIFY, { email, code })
    await service.deliverMail()

    const sent = await resend(service)

    assertProblem(expired, 'invalid_code')
    assert.equal(sent, 1)
    assert.equal((await service.post(VERIFY, { email, code })).status, 200)
  })

  test('never past the account’s end, and the mail says so', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = await service.codeFor(email)
    service.advance(40 * HOUR_MS)
    await resend(service)
    service.advance(8 * HOUR_MS)

    const answer = await service.post(VERIFY, { email, code })

    // The reminder came, too.
    const codes = service.mailsTo(email).filter(({ text }) => text.includes(code))
    assert.match(codes.at(-1)?.text ?? '', /is valid until 2026-01-03 12:00 UTC/)
    assertProblem(answer, 'invalid_code')
  })

  test('an attempt that was not named keeps its own end', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = await service.codeFor(email)
    const sign_up_id = await service.signUp(email)
    await service.deliverMail()
    service.advance(23 * HOUR_MS)
    await resend(service, { email, sign_up_id })

    service.advance(HOUR_MS)

    assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
  })
})

describe('the limit of repeated mails', () => {
  test('five an hour also when five attempts wait: one request for all of them takes the hour', async () => {
    await using service = await startService()
    for (let n = 0; n < 5; n++) await service.signUp(email, PASSWORD, undefined, HOME)
    await service.deliverMail()

    const all = await resend(service, { email }, HOME)
    service.advance(HOUR_MS - SECOND_MS)
    const withinTheHour = await resend(service, { email }, HOME)

    assert.deepEqual([all, withinTheHour], [5, 0])
  })

  test('in all spellings together', async () => {
    await using service = await startService()
    await service.signUp(email)
    await service.deliverMail()

    const sent = [await resend(service), await resend(service, { email: 'ANN@example.com' })]

    assert.deepEqual(sent, [1, 0])
  })

  test('holds for unknown addresses as well: as many rows as for one that waits', async () => {
    await using service = await startService()
    for (let n = 0; n < 10; n++) {
      await resend(service, { email }, HOME)
      await resend(service, { email }, HOME)
      service.advance(MINUTE_MS)
    }

    const rows = await service.ctx.db.selectFrom('outbox').select('kind').execute()
    assert.deepEqual(
      rows.map((row) => row.kind),
      Array(5).fill('repeat_verification'),
    )
  })
})
