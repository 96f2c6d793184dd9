import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { outboxRows } from '../support/mailers.ts'
import { CONFIRM, phoneCodeFor } from '../support/phones.ts'
import { assertProblem } from '../support/problem.ts'
import {
  linksTo,
  eventsOf,
  NEW_PASSWORD,
  newestToken,
  reset,
  RESET,
  resetsOf,
  tokenFor,
  unconfirmedTokenFor,
} from '../support/resets.ts'
import { PASSWORD, type Service, SETTINGS, startService } from '../support/service.ts'
import { rowOf } from '../support/users.ts'

const email = 'ann@example.com'
const LOGIN = '/api/v1/auth/login'
const VERIFY = '/api/v1/auth/verify'

const logIn = (service: Service, password: string) => service.post(LOGIN, { email, password })

describe('POST /auth/password/reset', () => {
  test('200, logs nobody in, and the new password is the one that counts', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const before = await rowOf(service, ann)
    const token = await tokenFor(service, email)
    service.advance(MINUTE_MS)

    const answer = await reset(service, token)

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, {
      message: 'The password was set and every session ended. Log in with the new password.',
    })
    assertProblem(await logIn(service, PASSWORD), 'invalid_credentials')
    assert.equal((await logIn(service, NEW_PASSWORD)).status, 200)
    const { password_hash, ...after } = await rowOf(service, ann)
    const changed = {
      password_changed_at: '2026-01-01T12:01:00.000Z',
      updated_at: '2026-01-01T12:01:00.000Z',
    }
    assert.notEqual(password_hash, before.password_hash)
    assert.deepEqual({ ...after, password_hash: '' }, { ...before, ...changed, password_hash: '' })
  })

  test('200 ends every session at once, access and refresh tokens alike', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const other = await service.logIn(email)
    const token = await tokenFor(service, email)

    await reset(service, token)

    for (const { access, refresh } of [ann, other]) {
      assertProblem(await service.get('/api/v1/me', { token: access }), 'invalid_token')
      const refreshed = await service.post('/api/v1/auth/refresh', { refresh_token: refresh })
      assertProblem(refreshed, 'invalid_token')
    }
  })

  test('200 tells the owner by mail when and from where, and records it', async () => {
    await using service = await startService()
    const { id } = await service.addUser(email)
    const token = await tokenFor(service, email)
    service.advance(MINUTE_MS)

    await service.post(RESET, { token, password: NEW_PASSWORD }, { ip: '203.0.113.7' })
    await service.deliverMail()

    const notice = service.mailsTo(email).at(-1)
    assert.match(notice?.subject ?? '', /password/i)
    assert.match(notice?.text ?? '', /2026-01-01 12:01 UTC from 203\.0\.113\.7/)
    assert.doesNotMatch(notice?.text ?? '', /#token=/)
    const [event, ...others] = await eventsOf(service, 'password.reset')
    assert.deepEqual(others, [])
    assert.deepEqual(event, {
      subject_id: id,
      actor_id: null,
      ip: '203.0.113.7',
      changes: '{"sessions_ended":1}',
    })
  })

  test('200 a second before the link’s end, 400 invalid_reset_token at its end', async () => {
    await using service = await startService()
    await service.addUser(email)
    await service.addUser('bob@example.com')
    const tokens = [
      await tokenFor(service, email),
      await tokenFor(service, 'bob@example.com'),
    ] as const

    service.advance(30 * MINUTE_MS - SECOND_MS)
    const before = await reset(service, tokens[0])
    service.advance(SECOND_MS)
    const after = await reset(service, tokens[1])

    assert.equal(before.status, 200)
    assertProblem(after, 'invalid_reset_token')
    await service.logIn('bob@example.com', PASSWORD)
  })

  test('200 once: 400 invalid_reset_token for a link that was used, and it is not mailed again', async () => {
    await using service = await startService()
    await service.addUser(email)
    const token = await unconfirmedTokenFor(service, email)
    await reset(service, token)
    service.advance(10 * MINUTE_MS)
    await service.deliverMail()

    const again = await reset(service, token, 'yet another password')

    assertProblem(again, 'invalid_reset_token')
    assert.equal((await logIn(service, NEW_PASSWORD)).status, 200)
    assert.deepEqual(linksTo(service, email), [])
    const states = (await outboxRows(service)).map(({ kind, state }) => [kind, state])
    assert.equal(Object.fromEntries(states)['password_reset'], 'dropped')
  })

  test('200 for a link whose mail was sent twice: it is one and the same', async () => {
    await using service = await startService()
    await service.addUser(email)
    const token = await unconfirmedTokenFor(service, email)
    service.advance(10 * MINUTE_MS)
    await service.deliverMail()

    const second = newestToken(service, email)

    assert.equal(second, token)
    assert.equal((await resetsOf(service)).length, 1)
    assert.equal((await eventsOf(service, 'password.reset_requested')).length, 1)
    assert.equal((await reset(service, token)).status, 200)
  })

  test('200 for a disabled account, which stays disabled', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser(email)
    await service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, { token: admin.access })

    const answer = await reset(service, await tokenFor(service, email))

    assert.equal(answer.status, 200)
    assertProblem(await logIn(service, NEW_PASSWORD), 'account_disabled')
  })

  test('400 invalid_reset_token once the account is deleted', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser(email)
    const token = await tokenFor(service, email)
    await service.delete(`/api/v1/users/${ann.id}`, { token: admin.access })
    await service.addUser(email)

    assertProblem(await reset(service, token), 'invalid_reset_token')
    assert.equal((await logIn(service, PASSWORD)).status, 200)
  })

  for (const [why, previous, status] of [
    ['200 while the key of the link is still accepted', SETTINGS.SECRET_KEY, 200],
    ['400 once it is gone', '', 400],
  ] as const) {
    test(`${why}, after the secret key was changed`, async () => {
      await using old = await startService()
      await old.addUser(email)
      const token = await tokenFor(old, email)
      const SECRET_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'
      const settings = { SECRET_KEY, SECRET_KEY_PREVIOUS: previous }
      await using service = await startService(settings, { replicaOf: old })

      assert.equal((await reset(service, token)).status, status)
    })
  }
})

describe('a reset of an address that nobody has verified', () => {
  test('200 verifies it with the new password, without a name, and drops every attempt', async () => {
    await using service = await startService()
    await service.signUp(email, 'the password of an attacker', 'Eve')
    const code = await service.codeFor(email)
    const token = await tokenFor(service, email)

    const headers = { 'accept-language': 'de' }
    const answer = await service.post(RESET, { token, password: NEW_PASSWORD }, { headers })

    assert.equal(answer.status, 200)
    const { access } = await service.logIn(email, NEW_PASSWORD)
    const { body: me } = await service.get('/api/v1/me', { token: access })
    assert.deepEqual([me.is_verified, me.full_name], [true, null])
    assert.equal((await rowOf(service, me)).locale, 'de')
    assert.deepEqual(await service.ctx.db.selectFrom('sign_ups').select('id').execute(), [])
    assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
    assertProblem(await logIn(service, 'the password of an attacker'), 'invalid_credentials')
    const events = await eventsOf(service, 'user.verified')
    assert.deepEqual(
      events.map(({ subject_id }) => subject_id),
      [me.id],
    )
  })

  test('200 is the way in for its owner when five strangers’ attempts wait and the codes are used up', async () => {
    await using service = await startService()
    for (let n = 0; n < 5; n++) await service.signUp(email, 'the password of an attacker')
    for (let n = 0; n < 6; n++) await service.post(VERIFY, { email, code: '000000' })
    const signUp = await service.post('/api/v1/auth/signup', { email, password: PASSWORD })

    const answer = await reset(service, await tokenFor(service, email))

    assertProblem(signUp, 'too_many_sign_ups')
    assert.equal(answer.status, 200)
    assert.equal((await logIn(service, NEW_PASSWORD)).status, 200)
    const left = await service.ctx.db.selectFrom('code_failures').selectAll().execute()
    assert.deepEqual(left, [])
  })

  test('400 when the account’s time is over, though the link was to last longer', async () => {
    await using before = await startService()
    await before.signUp(email)
    before.advance(2 * HOUR_MS)
    const token = await tokenFor(before, email)
    await using service = await startService(
      { UNVERIFIED_USER_TTL_HOURS: '2' },
      { replicaOf: before },
    )

    assertProblem(await reset(service, token), 'invalid_reset_token')
    const users = await service.ctx.db.selectFrom('users').select('verified_at').execute()
    assert.deepEqual(
      users.map(({ verified_at }) => verified_at),
      [null],
    )
  })

  test('400 at the end of the account, though the clean-up has not come', async () => {
    await using service = await startService()
    await service.signUp(email)
    service.advance(2 * DAY_MS - 10 * MINUTE_MS)
    const token = await tokenFor(service, email)
    service.advance(10 * MINUTE_MS)

    assertProblem(await reset(service, token), 'invalid_reset_token')
    assertProblem(await logIn(service, NEW_PASSWORD), 'invalid_credentials')
  })
})

describe('what waits does not survive a reset', () => {
  test('400 for the code of a phone number', async () => {
    await using service = await startService()
    const code = await phoneCodeFor(service, await service.addUser(email))

    await reset(service, await tokenFor(service, email))

    const { access: token } = await service.logIn(email, NEW_PASSWORD)
    assertProblem(await service.post(CONFIRM, { code }, { token }), 'invalid_code')
  })

  test('400 for the code of a new address', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const change = { email: 'eve@example.com', current_password: PASSWORD }
    await service.post('/api/v1/me/email', change, { token: ann.access })
    const code = await service.codeFor('eve@example.com')

    await reset(service, await tokenFor(service, email))

    const { access: token } = await service.logIn(email, NEW_PASSWORD)
    const confirmed = await service.post('/api/v1/me/email/confirm', { code }, { token })
    assertProblem(confirmed, 'invalid_code')
  })

  test('400 for a link, after the password was changed in another way', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const token = await tokenFor(service, email)
    const change = { current_password: PASSWORD, new_password: NEW_PASSWORD }
    await service.post('/api/v1/me/password', change, { token: ann.access })

    assertProblem(await reset(service, token, 'yet another password'), 'invalid_reset_token')
  })
})
