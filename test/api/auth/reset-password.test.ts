import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../../server/lib/units.ts'
import { confirmEmail, emailCodeFor } from '../../support/email-changes.ts'
import { eventsOf } from '../../support/events.ts'
import { countHashes } from '../../support/hashes.ts'
import { runJob } from '../../support/jobs.ts'
import { outboxRows } from '../../support/mailers.ts'
import { confirmPhone, phoneCodeFor } from '../../support/phones.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import {
  linksTo,
  NEW_PASSWORD,
  newestToken,
  reset,
  RESET,
  resetsOf,
  tokenFor,
  unconfirmedTokenFor,
} from '../../support/resets.ts'
import { rowsOf } from '../../support/seed.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'
import { LOGIN } from '../../support/sessions.ts'
import { rowOf } from '../../support/users.ts'

const email = 'ann@example.com'
const VERIFY = '/api/v1/auth/verify'
const PAGE = '/reset'

const logIn = (service: Service, password: string) => service.post(LOGIN, { email, password })

// What a link is worth: test/mailed-links.test.ts.

describe('POST /auth/password/reset', () => {
  test('200, logs nobody in, and the new password is the one that counts', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const before = await rowOf(service, ann)
    const token = await tokenFor(service, email)
    service.advance(MINUTE_MS)
    const at = toIso(service.clock.nowMs)

    const answer = await reset(service, token)

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, {
      message: 'The password was set and all sessions were ended. Log in with the new password.',
    })
    assertProblem(await logIn(service, PASSWORD), 'invalid_credentials')
    assert.equal((await logIn(service, NEW_PASSWORD)).status, 200)
    const { password_hash, ...after } = await rowOf(service, ann)
    const changed = { password_changed_at: at, updated_at: at }
    assert.notEqual(password_hash, before.password_hash)
    assert.deepEqual({ ...after, password_hash: '' }, { ...before, ...changed, password_hash: '' })
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
    assert.match(notice?.text ?? '', /2026-01-01 12:01 UTC from IP address 203\.0\.113\.7/)
    assert.doesNotMatch(notice?.text ?? '', /#token=/)
    const [event, ...others] = await eventsOf(service, 'password.reset')
    assert.deepEqual(others, [])
    assert.deepEqual([event?.actor_id, event?.subject_id], [null, id])
    assert.deepEqual([event?.ip, event?.changes], ['203.0.113.7', { sessions_ended: 1 }])
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

  test('200 once: a link that was used is not mailed again', async () => {
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
    assert.equal(Object.fromEntries(states)['reset_link'], 'dropped')
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
})

test('400 invalid_reset_token before the password is judged, 422 without one', async () => {
  await using service = await startService()

  assertProblem(await reset(service, 'no token', 'short'), 'invalid_reset_token')
  assertInvalid(await service.post(RESET, { token: 'no token' }), '/password')
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
    assert.deepEqual(await rowsOf(service.ctx, 'sign_ups'), [])
    assertProblem(await service.post(VERIFY, { email, code }), 'invalid_code')
    assertProblem(await logIn(service, 'the password of an attacker'), 'invalid_credentials')
    const events = await eventsOf(service, 'user.verified')
    assert.deepEqual(
      events.map(({ subject_id }) => subject_id),
      [me.id],
    )
  })

  test('200 verifies it under no stranger’s spelling, also when an older version stored one', async () => {
    await using service = await startService()
    await service.signUp('aNN@exAMPle.com', 'the password of an attacker')
    await service.signUp('Ann@Example.Com', 'the password of another one')
    const [unverified] = await rowsOf(service.ctx, 'users')
    await service.ctx.transaction((tx) =>
      tx.updateTable('users').set({ email: 'aNN@exAMPle.com' }).execute(),
    )

    const token = await tokenFor(service, 'aNN@exAMPle.com')
    assert.equal((await reset(service, token)).status, 200)

    const { access } = await service.logIn(email, NEW_PASSWORD)
    const { body: me } = await service.get('/api/v1/me', { token: access })
    assert.deepEqual([unverified.email, me.email], [email, email])
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
    assert.deepEqual(await rowsOf(service.ctx, 'code_failures'), [])
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
    const users = await rowsOf(service.ctx, 'users')
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

    const ann = await service.logIn(email, NEW_PASSWORD)
    assertProblem(await confirmPhone(service, ann, code), 'invalid_code')
  })

  test('400 for the code of a new address', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const code = await emailCodeFor(service, ann, 'eve@example.com')

    await reset(service, await tokenFor(service, email))

    const later = await service.logIn(email, NEW_PASSWORD)
    assertProblem(await confirmEmail(service, later, code), 'invalid_code')
  })
})

describe('a link still works', () => {
  for (const [why, password, code, role] of [
    ['too short', 'short 7', 'too_short', 'user'],
    ['too short for an admin', 'fourteen chars', 'too_short', 'admin'],
    ['a row of keys for an admin', 'qwertyuiopasdfg', 'blocklisted', 'admin'],
    ['too long', 'x'.repeat(257), 'too_long', 'user'],
    ['common', 'password123', 'blocklisted', 'user'],
    ['the address', 'ann@example.com', 'blocklisted', 'user'],
    ['the own name', 'Annabel Lee 1990', 'blocklisted', 'user'],
  ] as const) {
    test(`after 422 ${code} for a password that is ${why}`, async () => {
      await using service = await startService()
      const ann = await service.addUser(email, PASSWORD, 'Annabel Lee')
      const { access } = await service.addAdmin()
      await service.patch(`/api/v1/users/${ann.id}`, { role }, { token: access })
      const token = await tokenFor(service, email)
      const hashes = countHashes(service)

      const refused = await reset(service, token, password)

      assertInvalid(refused, '/password', code)
      assert.equal(hashes.made, 0)
      assert.equal((await reset(service, token)).status, 200)
    })
  }

  test('after 413 for a password of a megabyte', async () => {
    await using service = await startService()
    await service.addUser(email)
    const token = await tokenFor(service, email)

    const refused = await reset(service, token, 'x'.repeat(2 ** 20))

    assertProblem(refused, 'body_too_large')
    assert.equal((await reset(service, token)).status, 200)
  })

  test('after 503 overloaded, when too many hashes wait', async () => {
    await using service = await startService({ HASH_CONCURRENCY: '1', HASH_QUEUE: '0' })
    await service.addUser(email)
    const token = await tokenFor(service, email)
    const busy = service.ctx.hasher.hash(PASSWORD)

    const refused = await reset(service, token)
    await busy

    assertProblem(refused, 'overloaded')
    assert.equal((await reset(service, token)).status, 200)
  })

  for (const [method, url, status] of [
    ['POST', (secret: string) => `${RESET}?token=${secret}&password=${NEW_PASSWORD}`, 422],
    ['GET', (secret: string) => `${PAGE}?token=${secret}`, 200],
    ['GET', (secret: string) => `${PAGE}#token=${secret}`, 200],
    ['HEAD', (secret: string) => `${PAGE}?token=${secret}`, 200],
  ] as const) {
    test(`after ${status} for ${method} ${url('…')}`, async () => {
      await using service = await startService()
      await service.addUser(email)
      const token = await tokenFor(service, email)

      const sent = method === 'POST' ? { body: {} } : {}
      const answer = await service.request(method, encodeURI(url(token)), sent)

      assert.equal(answer.status, status, answer.text)
      assert.equal((await reset(service, token)).status, 200)
    })
  }
})

test('token and passwords stand in no log line and no table', async () => {
  await using service = await startService({ LOG_LEVEL: 'trace' })
  await service.addUser(email)
  const token = await unconfirmedTokenFor(service, email)
  await service.post(`${RESET}?token=${token}`, { token: `${token}x`, password: NEW_PASSWORD })
  await service.post(RESET, { token: [token], password: 'x' })
  await service.get(`${PAGE}?token=${token}`)
  const whileItWaits = await stored(service)
  await reset(service, token)
  await reset(service, token, 'yet another password')
  await service.deliverMail()

  for (const text of [whileItWaits, await stored(service), service.logged.join('')])
    for (const secret of [token, token.split('.')[1] ?? '', NEW_PASSWORD, 'yet another'])
      assert.ok(!text.includes(secret), `${secret} stands in ${text}`)
})

test('a link is kept for four days after its end, used or not, and no longer', async () => {
  await using service = await startService()
  await service.addUser(email)
  await service.addUser('bob@example.com')
  await reset(service, await tokenFor(service, email))
  await tokenFor(service, 'bob@example.com')
  const left: number[] = []

  for (const pauseMs of [4 * DAY_MS, HOUR_MS]) {
    service.advance(pauseMs)
    await runJob(service, 'purge')
    left.push((await resetsOf(service)).length)
  }

  assert.deepEqual(left, [2, 0])
})

/** Everything that the database holds after a reset. */
async function stored({ ctx }: Service): Promise<string> {
  const tables = ['users', 'outbox', 'password_resets', 'sessions', 'audit_events'] as const
  const rows = await Promise.all(tables.map((table) => rowsOf(ctx, table)))
  return JSON.stringify(rows)
}
