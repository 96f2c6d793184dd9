import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { outboxRows } from '../../support/mailers.ts'
import { countHashes } from '../../support/hashes.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { rowsOf } from '../../support/seed.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ann = { email: 'ann@example.com', password: PASSWORD }

/** What sign-ups write: how many users, attempts and mails there are; reminders have a test of their own. */
async function written(service: Service): Promise<Record<string, number>> {
  return {
    users: (await rowsOf(service.ctx, 'users')).length,
    signUps: (await rowsOf(service.ctx, 'sign_ups')).length,
    mails: (await outboxRows(service)).length,
  }
}

describe('POST /auth/signup', () => {
  test('201 tells the address as typed and the attempt, and mails the code', async () => {
    await using service = await startService()

    const answer = await service.post(SIGN_UP, { ...ann, email: 'Ann.Lee@Example.COM' })

    assert.equal(answer.status, 201)
    assert.deepEqual(Object.keys(answer.body).toSorted(), ['email', 'message', 'sign_up_id'])
    assert.equal(
      answer.body.message,
      'User registered successfully. Check console for verification code.',
    )
    assert.equal(answer.body.email, 'Ann.Lee@Example.COM')
    assert.match(answer.body.sign_up_id, UUID)
    assert.equal(answer.headers['cache-control'], 'no-store')
    const code = await service.codeFor('Ann.Lee@Example.COM')
    assert.ok(!answer.text.includes(code))
    assert.deepEqual(await written(service), { users: 1, signUps: 1, mails: 1 })
  })

  test('201 mails when, and from which network and device, the sign-up came', async () => {
    await using service = await startService()
    const headers = { 'user-agent': 'curl/8.14\u202e\u0007' }

    await service.request('POST', SIGN_UP, { body: ann, headers, ip: '203.0.113.7' })
    const code = await service.codeFor(ann.email)

    const [mail] = service.mailsTo(ann.email)
    assert.ok(mail)
    assert.ok(mail.text.includes(`Your verification code is ${code}.`))
    assert.match(mail.text, /It is valid until 2026-01-02 12:00 UTC\./)
    assert.match(
      mail.text,
      /with this address on 2026-01-01 12:00 UTC from IP address 203\.0\.113\.7 with curl\./,
    )
    assert.match(mail.text, /If this was not you, do not enter or share this code/)
    assert.equal(mail.consoleLine, `🔑 Verification code for ${ann.email}: ${code}`)
  })

  test('201 opens no session: the account can do nothing until it is verified', async () => {
    await using service = await startService()
    await service.signUp(ann.email)

    const right = await service.post('/api/v1/auth/login', ann)
    const wrong = await service.post('/api/v1/auth/login', { ...ann, password: 'not the password' })

    assertProblem(right, 'email_unverified')
    assertProblem(wrong, 'invalid_credentials')
    assert.deepEqual(await rowsOf(service.ctx, 'sessions'), [])
  })

  for (const [why, fullName, stored] of [
    ['no name', undefined, null],
    ['null', null, null],
    ['a name in NFD', 'E\u0301lodie', 'Élodie'],
    ['200 emoji', '🦊'.repeat(200), '🦊'.repeat(200)],
  ] as const) {
    test(`201 with ${why} as full_name`, async () => {
      await using service = await startService()

      const answer = await service.post(SIGN_UP, { ...ann, full_name: fullName })

      assert.equal(answer.status, 201)
      const code = await service.codeFor(ann.email)
      await service.post('/api/v1/auth/verify', { email: ann.email, code })
      const { access } = await service.logIn(ann.email)
      const me = await service.get('/api/v1/me', { token: access })
      assert.equal(me.body.full_name, stored)
    })
  }

  test('201 again for an unverified address, as after a time-out: one account, two attempts', async () => {
    await using service = await startService()
    const first = await service.post(SIGN_UP, ann)

    const again = await service.post(SIGN_UP, { ...ann, email: 'ANN@Example.com' })

    assert.equal(again.status, 201)
    assert.notEqual(again.body.sign_up_id, first.body.sign_up_id)
    assert.deepEqual(await written(service), { users: 1, signUps: 2, mails: 2 })
    const codes = [
      await service.codeFor('ann@example.com'),
      await service.codeFor('ANN@Example.com'),
    ]
    assert.equal(new Set(codes).size, 2)
  })

  test('201 for addresses that only a provider would merge: plus tags and dots are significant', async () => {
    await using service = await startService()
    const emails = ['ab@gmail.com', 'a.b@gmail.com', 'ab+1@gmail.com', 'ab@googlemail.com']

    for (const email of emails) await service.addUser(email)

    const users = await rowsOf(service.ctx, 'users')
    assert.deepEqual(new Set(users.map((user) => user.email_canonical)), new Set(emails))
  })

  for (const typed of [
    'ann@example.com',
    'ANN@EXAMPLE.COM',
    'Ann@Example.Com',
    'ann@\uff25xample.com',
  ]) {
    test(`409 email_taken for the verified address typed as ${typed}; each form logs in`, async () => {
      await using service = await startService()
      await service.addUser(ann.email)
      const before = await written(service)

      const answer = await service.post(SIGN_UP, { ...ann, email: typed })

      assertProblem(answer, 'email_taken')
      assert.equal(answer.body.detail, 'Email already registered.')
      assert.deepEqual(await written(service), before)
      await service.logIn(typed)
    })
  }

  test('429 too_many_sign_ups with five pending attempts, and nothing is written', async () => {
    await using service = await startService()
    for (let n = 0; n < 5; n++) await service.signUp(ann.email)
    const before = await written(service)

    const answer = await service.post(SIGN_UP, ann)

    assertProblem(answer, 'too_many_sign_ups')
    assert.match(answer.headers['retry-after'] ?? '', /^[1-9][0-9]*$/)
    assert.deepEqual(await written(service), before)
    assert.deepEqual(before, { users: 1, signUps: 5, mails: 5 })
  })

  for (const [whose, settings, isRegistered] of [
    ['an address', {}, false],
    ['a hidden address', { HIDE_REGISTERED_EMAILS: 'on' }, false],
    ['a hidden, registered address', { HIDE_REGISTERED_EMAILS: 'on' }, true],
  ] as const) {
    test(`429 too_many_sign_ups of ${whose} costs no hash`, async () => {
      await using service = await startService(settings)
      if (isRegistered) await service.addUser(ann.email)
      for (let n = 0; n < 5; n++) await service.signUp(ann.email)
      const counts = countHashes(service)

      const answer = await service.post(SIGN_UP, ann)

      assertProblem(answer, 'too_many_sign_ups')
      assert.deepEqual(counts, { made: 0, verified: 0 })
    })
  }

  test('429 too_many_sign_ups with RATE_LIMIT=off too', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    for (let n = 0; n < 5; n++) await service.signUp(ann.email)

    assertProblem(await service.post(SIGN_UP, ann), 'too_many_sign_ups')
  })

  test('201 once an attempt has expired: the oldest makes room, the others stay', async () => {
    await using service = await startService()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) {
      ids.push(await service.signUp(ann.email))
      service.advance(MINUTE_MS)
    }
    service.advance(DAY_MS - 5 * MINUTE_MS - 1)
    const early = await service.post(SIGN_UP, ann)
    service.advance(1)

    const answer = await service.post(SIGN_UP, ann)
    service.advance(10 * MINUTE_MS)
    const later = await service.post(SIGN_UP, ann)

    assertProblem(early, 'too_many_sign_ups')
    assert.deepEqual([answer.status, later.status], [201, 201])
    const left = await rowsOf(service.ctx, 'sign_ups')
    const expected = new Set([...ids.slice(2), answer.body.sign_up_id, later.body.sign_up_id])
    assert.deepEqual(new Set(left.map((signUp) => signUp.id)), expected)
  })

  test('503 overloaded with Retry-After when too many hashes wait, and nothing is written for those', async () => {
    await using service = await startService({
      HASH_CONCURRENCY: '1',
      HASH_QUEUE: '1',
      ARGON2_PASSES: '4',
      ARGON2_MEMORY_KIB: '8192',
    })

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        service.post(SIGN_UP, { ...ann, email: `ann${n}@example.com` }),
      ),
    )

    const refused = answers.filter((answer) => answer.status !== 201)
    assert.ok(refused.length > 0)
    for (const answer of refused) {
      assertProblem(answer, 'overloaded')
      assert.equal(answer.headers['retry-after'], '1')
    }
    const accepted = answers.length - refused.length
    assert.ok(accepted > 0)
    assert.deepEqual(await written(service), {
      users: accepted,
      signUps: accepted,
      mails: accepted,
    })
  })

  test('422 for a body that is not as described, and nothing is written', async (t) => {
    await using service = await startService()
    for (const [why, change, pointer] of [
      ['no email', { email: undefined }, '/email'],
      ['a null email', { email: null }, '/email'],
      ['a list of one email', { email: [ann.email] }, '/email'],
      ['no password', { password: undefined }, '/password'],
      ['outer spaces', { email: ' ann@example.com ' }, '/email'],
      ['two addresses', { email: 'ann@example.com,eve@example.com' }, '/email'],
      ['KELVIN SIGN for k', { email: '\u212a@example.com' }, '/email'],
      ['LONG S for s', { email: 'ſ@example.com' }, '/email'],
      ['dotless i', { email: 'ı@example.com' }, '/email'],
      ['dotted capital I', { email: 'İ@example.com' }, '/email'],
      ['a full-width a', { email: '\uff41@example.com' }, '/email'],
      ['a full_name of 201', { full_name: 'x'.repeat(201) }, '/full_name'],
      ['an empty full_name', { full_name: '' }, '/full_name'],
      ['a full_name with a line end', { full_name: 'Ann\r\nBcc: e@x.io' }, '/full_name'],
      ['a full_name with a bidi override', { full_name: 'Ann\u202e' }, '/full_name'],
      ['an unknown field', { is_verified: true }, '/is_verified'],
    ] as const) {
      await t.test(`for ${why}`, async () => {
        assertInvalid(await service.post(SIGN_UP, { ...ann, ...change }), pointer)
        assert.deepEqual(await written(service), { users: 0, signUps: 0, mails: 0 })
      })
    }
  })

  for (const typed of ['\u212aim@x.io', 'ſim@x.io']) {
    test(`422 for ${typed}: it never becomes the ASCII account it folds to`, async () => {
      await using service = await startService()
      await service.addUser('kim@x.io')
      await service.addUser('sim@x.io')

      const answers = [
        await service.post(SIGN_UP, { email: typed, password: PASSWORD }),
        await service.post('/api/v1/auth/login', { email: typed, password: PASSWORD }),
      ]

      for (const answer of answers) assertInvalid(answer, '/email')
    })
  }
})
