import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../server/lib/units.ts'
import { assertProblem } from './support/problem.ts'
import { PASSWORD, startService } from './support/service.ts'

const email = 'ann@example.com'
const LOGIN = '/api/v1/auth/login'
const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const SIGN_UP = '/api/v1/auth/signup'

for (const [hours, tooLate] of [
  [1, 0.5],
  [48, 1],
] as const) {
  const settings = {
    UNVERIFIED_USER_TTL_HOURS: String(hours),
    VERIFICATION_CODE_EXPIRE_HOURS: '168',
    // Mails may be asked for a millisecond apart.
    RATE_LIMIT: 'off',
  }
  /** An unverified account a millisecond before its end, with its code. */
  async function startBeforeTheEnd() {
    const service = await startService(settings)
    await service.signUp(email, PASSWORD, 'Ann')
    const code = await service.codeFor(email)
    const { id } = await service.ctx.db.selectFrom('users').select('id').executeTakeFirstOrThrow()
    service.advance(hours * HOUR_MS - 1)
    return { service, code, id }
  }

  describe(`an account that nobody verified within ${hours} h counts as gone, without a cleaner`, () => {
    test('login: 403 email_unverified before, 401 invalid_credentials at the end', async () => {
      const { service } = await startBeforeTheEnd()
      await using _ = service

      const before = await service.post(LOGIN, { email, password: PASSWORD })
      service.advance(1)
      const after = await service.post(LOGIN, { email, password: PASSWORD })

      assertProblem(before, 'email_unverified')
      assertProblem(after, 'invalid_credentials')
    })

    test('verify: 200 before the end', async () => {
      const { service, code } = await startBeforeTheEnd()
      await using _ = service

      assert.equal((await service.post(VERIFY, { email, code })).status, 200)
      service.advance(HOUR_MS)
      await service.logIn(email)
    })

    test('verify: 400 invalid_code at the end', async () => {
      const { service, code } = await startBeforeTheEnd()
      await using _ = service
      service.advance(1)

      assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
    })

    test('resend: a mail before, none at the end, 202 both times', async () => {
      const { service, code } = await startBeforeTheEnd()
      await using _ = service

      const before = await service.post(RESEND, { email })
      await service.deliverMail()
      const codeMails = () => service.mailsTo(email).filter((mail) => mail.text.includes(code))
      const mailsBefore = codeMails().length
      service.advance(1)
      const after = await service.post(RESEND, { email })
      await service.deliverMail()

      assert.deepEqual([before.status, after.status], [202, 202])
      assert.equal(mailsBefore, 2)
      assert.equal(codeMails().length, 2)
    })

    test(`sign-up: a new account when less than ${tooLate} h are left, the same one before`, async () => {
      const { service, code, id } = await startBeforeTheEnd()
      await using _ = service
      service.advance(-tooLate * HOUR_MS)
      const ids = async () =>
        (await service.ctx.db.selectFrom('users').select('id').execute()).map((user) => user.id)

      await service.signUp(email)
      const before = await ids()
      service.advance(1)
      await service.signUp(email)
      const after = await ids()

      assert.deepEqual(before, [id])
      assert.equal(after.length, 1)
      assert.notEqual(after[0], id)
      assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
      service.advance(tooLate * HOUR_MS)
      const newCode = await service.codeFor(email)
      assert.equal((await service.post(VERIFY, { email, code: newCode })).status, 200)
    })

    test('sign-up: a new account at the end, with a new id and time; the old code is refused', async () => {
      const { service, code, id } = await startBeforeTheEnd()
      await using _ = service
      service.advance(1)

      const answer = await service.post(SIGN_UP, { email, password: 'quite another password' })

      assert.equal(answer.status, 201)
      const users = await service.ctx.db.selectFrom('users').select(['id', 'created_at']).execute()
      assert.equal(users.length, 1)
      assert.ok(users[0]!.id > id)
      assert.equal(Date.parse(users[0]!.created_at), service.clock.nowMs)
      assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
      const newCode = await service.codeFor(email)
      assert.equal((await service.post(VERIFY, { email, code: newCode })).status, 200)
      assertProblem(await service.post(LOGIN, { email, password: PASSWORD }), 'invalid_credentials')
      await service.logIn(email, 'quite another password')
    })
  })
}

test('five attempts of an account that ended leave room for five of the next', async () => {
  await using service = await startService()
  for (let n = 0; n < 5; n++) await service.signUp(email)
  service.advance(48 * HOUR_MS)

  for (let n = 0; n < 5; n++) await service.signUp(email)

  assertProblem(await service.post(SIGN_UP, { email, password: PASSWORD }), 'too_many_sign_ups')
})

test('a verified account never ends', async () => {
  await using service = await startService()
  await service.registerUser(email)
  service.advance(10_000 * HOUR_MS)

  await service.logIn(email)
  assertProblem(await service.post(SIGN_UP, { email, password: PASSWORD }), 'email_taken')
})
