import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deriveCode } from '../../server/lib/codes.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { otherThan } from '../support/codes.ts'
import {
  changeEmail,
  CONFIRM,
  confirmEmail,
  emailChanges,
  emailCodeFor,
  emailOf,
  undoTokensTo,
} from '../support/email-changes.ts'
import { newestCode, pendingPhones, phoneCodeFor, triesOf } from '../support/phones.ts'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { forget, newestToken, reset } from '../support/resets.ts'
import { rowsOf } from '../support/seed.ts'
import { PASSWORD, SETTINGS, startService } from '../support/service.ts'

const OLD = 'ann@example.com'
const NEW = 'new@example.com'
const LOGIN = '/api/v1/auth/login'
const VERIFY = '/api/v1/auth/verify'

describe('POST /me/email/confirm', () => {
  test('200 with the user as typed: the new address logs in, the old one does not', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const code = await emailCodeFor(service, ann, 'New@Example.com')
    service.advance(5 * SECOND_MS)

    const answer = await confirmEmail(service, ann, code)

    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.body.email, 'New@Example.com')
    assert.equal(answer.body.updated_at, '2026-01-01T12:00:05.000Z')
    const me = await service.get('/api/v1/me', { token: ann.access })
    assert.deepEqual(me.body, answer.body)
    await service.logIn(NEW)
    const old = await service.post(LOGIN, { email: OLD, password: PASSWORD })
    assertProblem(old, 'invalid_credentials')
  })

  test('200 ends every session but this one', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(OLD), await service.addUser()]
    const other = await service.logIn(OLD)

    await changeEmail(service, ann, NEW)

    assertProblem(await service.get('/api/v1/me', { token: other.access }), 'invalid_token')
    const refreshed = await service.post('/api/v1/auth/refresh', { refresh_token: other.refresh })
    assertProblem(refreshed, 'invalid_token')
    for (const { access: token } of [ann, bob])
      assert.equal((await service.get('/api/v1/me', { token })).status, 200)
  })

  test('200 mails the old address the way back, and the new one a word', async () => {
    await using service = await startService({ PUBLIC_URL: 'https://shop.example/coffee' })
    const ann = await service.addUser(OLD)
    const code = await emailCodeFor(service, ann, NEW)

    await service.post(CONFIRM, { code }, { token: ann.access, ip: '203.0.113.7' })
    await service.deliverMail()

    const told = service.mailsTo(OLD).at(-1)
    assert.equal(told?.subject, 'The address of your Coffee Shop account was changed')
    assert.match(
      told?.text ?? '',
      /since 2026-01-01 12:00 UTC\. The change came from 203\.0\.113\.7/,
    )
    assert.match(told?.text ?? '', /until 2026-01-04 12:00 UTC:/)
    assert.match(told?.text ?? '', /^https:\/\/shop\.example\/coffee\/reset#undo=[\w.-]+$/m)
    assert.doesNotMatch(told?.text ?? '', /new@example\.com/)
    const welcome = service.mailsTo(NEW).at(-1)
    assert.equal(welcome?.subject, 'This is the new address of your Coffee Shop account')
    assert.deepEqual(undoTokensTo(service, NEW), [])
  })

  test('200 is recorded with who, whom and from where, and without an address', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    await service.logIn(OLD)
    const code = await emailCodeFor(service, ann, NEW)

    const sent = { token: ann.access, ip: '203.0.113.7' }
    const answer = await service.post(CONFIRM, { code }, sent)

    const [change] = await emailChanges(service)
    const events = await rowsOf(service.ctx, 'audit_events')
    const event = events.find((row) => row.event === 'email.changed')
    assert.deepEqual([event.actor_id, event.subject_id], [ann.id, ann.id])
    assert.equal(event.request_id, answer.headers['x-request-id'])
    assert.equal(event.ip, '203.0.113.7')
    assert.deepEqual(JSON.parse(event.changes), {
      email_change_id: change?.id,
      sessions_ended: 1,
    })
  })

  test('200 a second before the code’s end, 400 invalid_code at its end', async () => {
    await using service = await startService({ ACCESS_TOKEN_EXPIRE_MINUTES: '60' })
    const [ann, bob] = [await service.addUser(OLD), await service.addUser()]
    const codes = [
      await emailCodeFor(service, ann, NEW),
      await emailCodeFor(service, bob, 'other@example.com'),
    ]

    service.advance(HOUR_MS - SECOND_MS)
    const before = await confirmEmail(service, ann, codes[0] ?? '')
    const { access } = await service.logIn(bob.email)
    service.advance(SECOND_MS)
    const after = await confirmEmail(service, { access }, codes[1] ?? '')

    assert.equal(before.status, 200)
    assertProblem(after, 'invalid_code')
    assert.equal(await emailOf(service, bob), bob.email)
  })

  test('400 invalid_code for a code that was used, when none waits, and for another user’s', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(OLD), await service.addUser()]
    const none = await confirmEmail(service, bob, '123456')
    const code = await emailCodeFor(service, ann, NEW)
    await emailCodeFor(service, bob, 'other@example.com')
    const anothers = await confirmEmail(service, bob, code)
    const right = await confirmEmail(service, ann, code)
    const used = await confirmEmail(service, ann, code)

    for (const answer of [none, anothers, used]) assertProblem(answer, 'invalid_code')
    assert.equal(right.status, 200)
    assert.equal(await emailOf(service, bob), bob.email)
  })

  for (const [why, previous, status] of [
    ['200 while the key of the code is still accepted', SETTINGS.SECRET_KEY, 200],
    ['400 once it is gone', '', 400],
  ] as const) {
    test(`${why}, after the secret key was changed`, async () => {
      await using old = await startService()
      const code = await emailCodeFor(old, await old.addUser(OLD), NEW)
      const SECRET_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'
      const settings = { SECRET_KEY, SECRET_KEY_PREVIOUS: previous }
      await using service = await startService(settings, { replicaOf: old })

      const answer = await confirmEmail(service, await service.logIn(OLD), code)

      assert.equal(answer.status, status)
    })
  }

  test('422 for anything but six ASCII digits, and it is not counted', async (t) => {
    await using service = await startService()
    const { access: token, email } = await service.addUser()
    for (const code of ['123456 ', '１２３４５６', '12345', '1234567', 123456, null, undefined]) {
      await t.test(`for ${JSON.stringify(code)}`, async () => {
        assertInvalid(await service.post(CONFIRM, { code }, { token }), '/code')
        assert.deepEqual(await triesOf(service, email), {})
      })
    }
  })

  test('401 authentication_required before the body is looked at', async () => {
    await using service = await startService()
    assertProblem(await service.post(CONFIRM, { code: 7 }), 'authentication_required')
  })
})

describe('the new address', () => {
  test('400 invalid_code when somebody proved it meanwhile; they keep it', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const code = await emailCodeFor(service, ann, NEW)
    const bob = await service.addUser(NEW)

    const answer = await confirmEmail(service, ann, code)

    assertProblem(answer, 'invalid_code')
    assert.deepEqual([await emailOf(service, ann), await emailOf(service, bob)], [OLD, NEW])
  })

  test('200 deletes who only began to sign it up, with attempts, codes and mails', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const signUpId = await service.signUp(NEW, 'the password of a squatter')
    const squatter = await service.codeFor(NEW)
    await service.post(VERIFY, { email: NEW, code: otherThan(squatter) })
    await forget(service, NEW)
    const token = newestToken(service, NEW)
    await service.signUp(NEW, 'another password of a squatter')

    await changeEmail(service, ann, NEW)

    const body = { email: NEW, code: squatter, sign_up_id: signUpId }
    assertProblem(await service.post(VERIFY, body), 'invalid_code')
    assertProblem(await reset(service, token), 'invalid_reset_token')
    assert.deepEqual(
      (await rowsOf(service.ctx, 'users')).map(({ id, email }) => [id, email]),
      [[ann.id, NEW]],
    )
    assert.deepEqual(await rowsOf(service.ctx, 'sign_ups'), [])
    const guess = { email: NEW, password: 'the password of a squatter' }
    assertProblem(await service.post(LOGIN, guess), 'invalid_credentials')
  })
})

describe('what was begun before the change', () => {
  test('400 for a link to reset the password that was mailed to the old address', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    await forget(service, OLD)
    const token = newestToken(service, OLD)

    await changeEmail(service, ann, NEW)

    assertProblem(await reset(service, token), 'invalid_reset_token')
    assert.equal(await forget(service, OLD), 0)
    assert.equal(await forget(service, NEW), 1)
  })

  test('400 for the code of a phone number that waited', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const code = await phoneCodeFor(service, ann)

    await changeEmail(service, ann, NEW)

    const answer = await service.post('/api/v1/me/phone/confirm', { code }, { token: ann.access })
    assertProblem(answer, 'invalid_code')
    assert.deepEqual(await pendingPhones(service), [])
  })

  test('400 for a code of another purpose, at each of the three places (VER-10)', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    await phoneCodeFor(service, ann)
    await service.signUp('eve@example.com')
    const byPhone = newestCode(service)
    const byMail = await emailCodeFor(service, ann, NEW)
    const toVerify = await service.codeFor('eve@example.com')
    const sent = { token: ann.access }

    for (const answer of [
      await confirmEmail(service, ann, byPhone),
      await confirmEmail(service, ann, toVerify),
      await service.post('/api/v1/me/phone/confirm', { code: byMail }, sent),
      await service.post(VERIFY, { email: 'eve@example.com', code: byMail }),
      await service.post(VERIFY, { email: NEW, code: byMail }),
    ])
      assertProblem(answer, 'invalid_code')
    const [change] = await emailChanges(service)
    const key = service.ctx.keys.current.of.code
    assert.equal(byMail, deriveCode(key, 'email', change?.id ?? ''))
  })
})

describe('the budget of wrong codes for a new address', () => {
  test('400 for the right code after five wrong ones, though a new one was sent; 200 an hour later', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const code = await emailCodeFor(service, ann, NEW)
    for (let n = 1; n <= 5; n++)
      assertProblem(await confirmEmail(service, ann, otherThan(code, n)), 'invalid_code')

    const atOnce = await confirmEmail(service, ann, code)
    service.advance(MINUTE_MS)
    const withNewCode = await confirmEmail(service, ann, await emailCodeFor(service, ann, NEW))
    service.advance(HOUR_MS)
    const later = await service.logIn(OLD)
    const anHourLater = await confirmEmail(service, later, await emailCodeFor(service, later, NEW))

    assertProblem(atOnce, 'invalid_code')
    assertProblem(withNewCode, 'invalid_code')
    assert.equal(anHourLater.status, 200)
  })

  test('goes along to the new address, and so does that of phone codes: a change buys no guesses', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    for (let n = 0; n < 4; n++) {
      await confirmEmail(service, ann, '000000')
      await service.post('/api/v1/me/phone/confirm', { code: '000000' }, { token: ann.access })
    }

    await changeEmail(service, ann, NEW)

    assert.deepEqual(await triesOf(service, OLD), {})
    assert.deepEqual(await triesOf(service, NEW), { email: 4, phone: 4 })
  })
})
