import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { otherThan } from '../../support/codes.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { rowsOf } from '../../support/seed.ts'
import { PASSWORD, SETTINGS, type Service, startService } from '../../support/service.ts'

const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const email = 'ann@example.com'
const other = 'bob@example.com'

async function assertUnverified(service: Service): Promise<void> {
  const users = await rowsOf(service.ctx, 'users')
  assert.equal(users.find((user) => user.email === email).verified_at, null)
}

// Codes that are wrong, late, used or somebody else’s: test/confirmation-codes.test.ts.

describe('POST /auth/verify', () => {
  test('200 activates the password, name and spelling of the attempt, and clears what is left', async () => {
    await using service = await startService()
    await service.signUp('Ann@Example.com', PASSWORD, 'Ann Lee')
    const code = await service.codeFor('Ann@Example.com')

    const answer = await service.post(VERIFY, { email: 'aNN@example.COM', code })

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, { message: 'User verified successfully' })
    const { access } = await service.logIn(email)
    const me = await service.get('/api/v1/me', { token: access })
    assert.equal(me.body.email, 'Ann@Example.com')
    assert.equal(me.body.full_name, 'Ann Lee')
    assert.equal(me.body.is_verified, true)
    assert.deepEqual(await rowsOf(service.ctx, 'sign_ups'), [])
  })

  test('200 for a form', async () => {
    await using service = await startService()
    await service.signUp(email)
    const code = await service.codeFor(email)

    const answer = await service.request('POST', VERIFY, { form: { email, code } })

    assert.equal(answer.status, 200)
  })

  test('200 for a code with a leading zero', async () => {
    await using service = await startService()
    let found: { email: string; code: string } | undefined
    // One in ten: 300 without one is no accident.
    for (let n = 0; n < 300 && found === undefined; n++) {
      const zero = `zero${n}@example.com`
      await service.signUp(zero)
      const code = await service.codeFor(zero)
      if (code.startsWith('0')) found = { email: zero, code }
    }

    assert.equal((await service.post(VERIFY, found)).status, 200)
  })

  test('400 invalid_code once VERIFICATION_CODE_EXPIRE_HOURS are over', async () => {
    await using service = await startService({ VERIFICATION_CODE_EXPIRE_HOURS: '1' })
    await service.signUp(email)
    const code = await service.codeFor(email)
    service.advance(HOUR_MS)

    assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
    await assertUnverified(service)
  })

  test('400 invalid_code for a dropped attempt’s code after another was used', async () => {
    await using service = await startService()
    const dropped = await service.signUp(email, 'the first of two passwords')
    const droppedCode = await service.codeFor(email)
    const used = await service.signUp(email)
    await service.post(VERIFY, { email, code: await service.codeFor(email), sign_up_id: used })

    const answer = await service.post(VERIFY, { email, code: droppedCode, sign_up_id: dropped })

    assertProblem(answer, 'invalid_code')
    await service.logIn(email)
  })

  test('400 invalid_code for the code of a deleted account whose address was signed up again', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp(email)
    const oldCode = await service.codeFor(email)
    const users = await service.get(`/api/v1/users?q=${email}`, { token: admin.access })
    await service.delete(`/api/v1/users/${users.body[0].id}`, { token: admin.access })
    const newId = await service.signUp(email)

    const answers = [
      await service.post(VERIFY, { email, code: oldCode }),
      await service.post(VERIFY, { email, code: oldCode, sign_up_id: newId }),
    ]

    for (const answer of answers) assertProblem(answer, 'invalid_code')
    const code = await service.codeFor(email)
    assert.equal((await service.post(VERIFY, { email, code })).status, 200)
  })

  test('422 and 405 for the code in the URL, as the original took it; nothing is verified', async () => {
    await using service = await startService()
    await service.signUp(email)
    const url = `${VERIFY}?email=${email}&code=${await service.codeFor(email)}`

    const posted = await service.post(url)
    const fetched = await service.get(url)

    assertInvalid(posted, '')
    assertProblem(fetched, 'method_not_allowed')
    assert.equal(fetched.headers['allow'], 'POST')
    await assertUnverified(service)
  })
})

describe('POST /auth/verify with sign_up_id', () => {
  test('200 for the code of that attempt', async () => {
    await using service = await startService()
    await service.signUp(email, 'the first of two passwords')
    const sign_up_id = await service.signUp(email)
    const code = await service.codeFor(email)

    assert.equal((await service.post(VERIFY, { email, code, sign_up_id })).status, 200)
    await service.logIn(email)
  })

  test('400 invalid_code for the right code of another attempt of the address', async () => {
    await using service = await startService()
    const first = await service.signUp(email, 'the first of two passwords')
    await service.deliverMail()
    service.advance(MINUTE_MS)
    await service.signUp(email)
    const secondCode = await service.codeFor(email)

    const answer = await service.post(VERIFY, { email, code: secondCode, sign_up_id: first })

    assertProblem(answer, 'invalid_code')
    await assertUnverified(service)
  })

  test('400 invalid_code for an attempt of another address, with that attempt’s own code', async () => {
    await using service = await startService()
    await service.signUp(email)
    const sign_up_id = await service.signUp(other)
    const code = await service.codeFor(other)

    assertProblem(await service.post(VERIFY, { email, code, sign_up_id }), 'invalid_code')
    await assertUnverified(service)
  })

  for (const [why, sign_up_id] of [
    ['no UUID', 'x'],
    ['null', null],
    ['a list', []],
  ] as const) {
    test(`422 for ${why}`, async () => {
      await using service = await startService()
      const body = { email, code: '123456', sign_up_id }

      assertInvalid(await service.post(VERIFY, body), '/sign_up_id')
    })
  }
})

describe('POST /auth/verify while the secret key is rotated', () => {
  const NEW_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'

  test('200 for a code derived with the previous key, and a resend repeats that code', async () => {
    await using before = await startService()
    await before.signUp(email)
    const code = await before.codeFor(email)
    const settings = { SECRET_KEY: NEW_KEY, SECRET_KEY_PREVIOUS: SETTINGS.SECRET_KEY }
    await using service = await startService(settings, { replicaOf: before })

    await service.post(RESEND, { email })

    assert.equal(await service.codeFor(email), code)
    assert.equal(service.mailsTo(email).length, 2)
    assert.equal((await service.post(VERIFY, { email, code })).status, 200)
  })

  test('400 invalid_code once the previous key is gone; its codes are not mailed, with a warning', async () => {
    await using before = await startService()
    await before.signUp(email)
    const code = await before.codeFor(email)
    await using service = await startService({ SECRET_KEY: NEW_KEY }, { replicaOf: before })

    const answer = await service.post(VERIFY, { email, code })
    await service.post(RESEND, { email })
    await service.deliverMail()

    assertProblem(answer, 'invalid_code')
    assertProblem(await service.post(VERIFY, { email, code: otherThan(code) }), 'invalid_code')
    assert.equal(service.mailsTo(email).length, 1)
    assert.ok(service.logged.some((line) => line.includes('SECRET_KEY_PREVIOUS')))
  })
})
