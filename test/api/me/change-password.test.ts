import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HOUR_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { afterVerify, countHashes, SLOW_HASHES } from '../../support/hashes.ts'
import { oneByOne, times } from '../../support/races.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from '../../support/service.ts'
import { assertDead, isLive, LOGIN, openSessions } from '../../support/sessions.ts'

const CHANGE = '/api/v1/me/password'
const NEXT = 'a better one than before'

const change = (service: Service, token: string, next: string = NEXT, current = PASSWORD) =>
  service.post(CHANGE, { current_password: current, new_password: next }, { token })
const statusOf = async (service: Service, token: string) =>
  (await service.get('/api/v1/me', { token })).status
const logIn = (service: Service, email: string, password: string) =>
  service.post(LOGIN, { email, password })
const statuses = (answers: readonly Answer[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b)

describe('POST /me/password', () => {
  test('204: from then on only the new password logs in', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    const answer = await change(service, ann.access)

    assert.equal(answer.status, 204, answer.text)
    assertProblem(await logIn(service, ann.email, PASSWORD), 'invalid_credentials')
    assert.equal((await logIn(service, ann.email, NEXT)).status, 200)
  })

  test('204 ends every session but this one', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const bob = await service.addUser()
    const others = [await service.logIn(ann.email), await service.logIn(ann.email)]

    await change(service, ann.access)

    await assertDead(service, ...others)
    assert.ok(await isLive(service, ann))
    assert.ok(await isLive(service, bob))
  })

  test('204 tells the owner when, from where, and what to do', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const sent = { token: ann.access, ip: '203.0.113.7' }

    await service.post(CHANGE, { current_password: PASSWORD, new_password: NEXT }, sent)
    await service.deliverMail()

    const mail = service.mailsTo(ann.email).at(-1)
    assert.equal(mail?.subject, 'Your Coffee Shop password was changed')
    assert.match(mail.text, /2026-01-01 12:00 UTC from IP address 203\.0\.113\.7 with/)
    assert.match(mail.text, /If this was not you, choose “Forgot password” in the app immediately/)
  })

  test('204 is recorded with who, whom and from where, and no secret', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.logIn(ann.email)
    const body = { current_password: PASSWORD, new_password: NEXT }

    const answer = await service.post(CHANGE, body, { token: ann.access, ip: '203.0.113.7' })

    assert.deepEqual(await eventsOf(service, 'password.changed'), [
      {
        actor_id: ann.id,
        subject_id: ann.id,
        ip: '203.0.113.7',
        request_id: answer.headers['x-request-id'],
        changes: { sessions_ended: 1 },
      },
    ])
  })

  test('403 wrong_password changes nothing but the record', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const other = await service.logIn(ann.email)

    const answer = await change(service, ann.access, NEXT, 'not my password')

    assertProblem(answer, 'wrong_password')
    assert.deepEqual(
      [await statusOf(service, ann.access), await statusOf(service, other.access)],
      [200, 200],
    )
    assert.equal((await logIn(service, ann.email, PASSWORD)).status, 200)
    assert.equal((await eventsOf(service, 'password.refused')).length, 1)
    assert.deepEqual(await eventsOf(service, 'password.changed'), [])
    await service.deliverMail()
    assert.ok(!service.mailsTo(ann.email).some((mail) => /password was changed/.test(mail.subject)))
  })

  test('401 authentication_required before the body is looked at and a hash is computed', async () => {
    await using service = await startService()
    const counts = countHashes(service)

    assertProblem(await service.post(CHANGE, { current_password: 7 }), 'authentication_required')
    assert.deepEqual(counts, { made: 0, verified: 0 })
  })

  for (const [who, add] of [
    ['a user', (service: Service) => service.addUser()],
    ['an admin', (service: Service) => service.addAdmin()],
  ] as const) {
    test(`429 too_many_requests for ${who} after ten changes an hour, before a hash is computed`, async () => {
      await using service = await startService()
      const ann = await add(service)
      const bob = await service.addUser()
      const passwords = [PASSWORD, ...times(11).map((n) => `a much better one than before ${n}`)]
      const changeTo = (n: number, token = ann.access) =>
        change(service, token, passwords[n], passwords[n - 1])

      const made = await oneByOne(10, (n) => changeTo(n + 1))
      const counts = countHashes(service)
      const refused = await changeTo(11)
      const computed = { ...counts }
      const others = await change(service, bob.access)
      service.advance(HOUR_MS)
      const { access } = await service.logIn(ann.email, passwords[10])
      const later = await changeTo(11, access)

      assert.deepEqual(
        statuses(made),
        times(10).map(() => 204),
      )
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['ratelimit-policy'], '"own_password_changes";q=10;w=3600')
      assert.deepEqual(computed, { made: 0, verified: 0 })
      assert.deepEqual(statuses([others, later]), [204, 204])
    })
  }

  test('403 and 422 use up none of the ten changes', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    // A session of its own for each, because wrong passwords are limited per session.
    const sessions = await oneByOne(3, () => service.logIn(ann.email))

    for (const { access } of sessions)
      for (const n of times(6)) {
        const current = `not the password ${n}`
        assertProblem(await change(service, access, NEXT, current), 'wrong_password')
        assert.equal((await change(service, access, 'short')).status, 422)
      }

    assert.equal((await change(service, ann.access)).status, 204)
  })

  test('503 overloaded while the hash queue is full; 401 still comes first', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await using busy = await startService(
      { ...SLOW_HASHES, HASH_QUEUE: '0' },
      { replicaOf: service },
    )
    const occupied = busy.ctx.hasher.hash('x')

    const answer = await change(busy, ann.access)
    const stranger = await change(busy, 'garbage')

    assert.ok(busy.ctx.hasher.isFull())
    assertProblem(answer, 'overloaded')
    assertProblem(stranger, 'invalid_token')
    await occupied
  })
})

describe('a password that is to take the place of another', () => {
  let service: Service
  let ann: TestUser
  let admin: TestUser
  before(async () => {
    service = await startService()
    ann = await service.addUser('bartholomew@example.com', PASSWORD, 'Wilhelmina Ray')
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  for (const [why, next, code, who] of [
    ['7 characters', 'xk3!vqw', 'too_short', () => ann],
    ['7 characters of two UTF-16 units each', '🦜🫘🫖🧋🥐🍩🍪', 'too_short', () => ann],
    ['14 characters of an admin', 'xk3!vqwz7pmtr0', 'too_short', () => admin],
    ['a sequence of an admin', '123456789012345', 'blocklisted', () => admin],
    ['257 characters', 'ab'.repeat(128) + 'c', 'too_long', () => ann],
    ['one of the most used', 'Password123', 'blocklisted', () => ann],
    ['the service', 'Coffee Shop API 2026', 'blocklisted', () => ann],
    ['the local part with digits', 'Bartholomew-1990', 'blocklisted', () => ann],
    ['the name', 'Wilhelmina!', 'blocklisted', () => ann],
    ['the current one', PASSWORD, 'unchanged', () => ann],
    ['no text', 12_345_678, 'type', () => ann],
    ['null', null, 'type', () => ann],
    ['1025 characters', 'x'.repeat(1025), 'maxLength', () => ann],
  ] as const) {
    test(`422 ${code} for ${why}, and no hash is computed`, async () => {
      const counts = countHashes(service)
      const body = { current_password: PASSWORD, new_password: next }

      const answer = await service.post(CHANGE, body, { token: who().access })

      assertInvalid(answer, '/new_password', code)
      assert.ok(!answer.text.includes(String(next)) || String(next).length < 8, answer.text)
      assert.deepEqual(counts, { made: 0, verified: 0 })
    })
  }

  test('413 for a megabyte, and no hash is computed', async () => {
    const counts = countHashes(service)

    const answer = await change(service, ann.access, 'x'.repeat(2 ** 20))

    assertProblem(answer, 'body_too_large')
    assert.deepEqual(counts, { made: 0, verified: 0 })
  })

  test('400 for half a character', async () => {
    const body = `{"current_password":"${PASSWORD}","new_password":"${NEXT}\\ud83e"}`
    const headers = { 'content-type': 'application/json' }

    assertProblem(
      await service.post(CHANGE, body, { token: ann.access, headers }),
      'malformed_request',
    )
  })

  for (const [why, next, typed, status] of [
    ['its outer spaces, and needs them', ' pass word 1 ', ' pass word 1 ', 200],
    ['its outer spaces: without them it is another', ' pass word 2 ', 'pass word 2', 401],
    ['what follows the 72nd byte', 'x'.repeat(72) + 'y', 'x'.repeat(72) + 'z', 401],
    ['no normal form: NFD is set, NFC logs in', 'cafe\u0301 au lait', 'café au lait', 200],
    ['8 emoji', '🦜🫘🫖🧋🥐🍩🍪🧁', '🦜🫘🫖🧋🥐🍩🍪🧁', 200],
  ] as const) {
    test(`204 keeps ${why}`, async () => {
      const user = await service.addUser()

      const answer = await change(service, user.access, next)

      assert.equal(answer.status, 204, answer.text)
      assert.equal((await logIn(service, user.email, typed)).status, status)
    })
  }

  test('422 unchanged for the current one in another normal form', async () => {
    const user = await service.addUser(undefined, 'café au lait')

    const answer = await change(service, user.access, 'cafe\u0301 au lait', 'café au lait')

    assertInvalid(answer, '/new_password', 'unchanged')
  })
})

describe('a change of password and what happens at the same time', () => {
  test('two changes by one session: one 204, one 403, and the winner’s password counts', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const wanted = ['the first new password', 'the second new password']

    const answers = await Promise.all(wanted.map((next) => change(service, ann.access, next)))

    assert.deepEqual(statuses(answers), [204, 403])
    const logins = await Promise.all(wanted.map((next) => logIn(service, ann.email, next)))
    assert.deepEqual(
      logins.map(({ status }) => status),
      answers.map(({ status }) => (status === 204 ? 200 : 401)),
    )
  })

  test('two changes by two sessions: one 204, and the other session is over', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const other = await service.logIn(ann.email)

    const answers = await Promise.all([
      change(service, ann.access, 'the first new password'),
      change(service, other.access, 'the second new password'),
    ])

    assert.deepEqual(statuses(answers), [204, 401])
  })

  test('a login that proved the old password before the change leaves no session behind it', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    let changed: number | undefined
    afterVerify(service, async () => {
      changed = (await change(service, ann.access)).status
    })

    const login = await logIn(service, ann.email, PASSWORD)

    assert.equal(changed, 204)
    assertProblem(login, 'invalid_credentials')
    assert.equal(await openSessions(service, ann), 1)
  })

  test('403 for who proved a password that was changed while the new one was hashed', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const { hasher } = service.ctx
    const { hash } = hasher
    hasher.hash = async (password) => {
      hasher.hash = hash
      assert.equal((await change(service, ann.access, 'the quicker new password')).status, 204)
      return hash(password)
    }

    const slower = await change(service, ann.access, 'the slower new password')

    assertProblem(slower, 'wrong_password')
    assert.equal((await logIn(service, ann.email, 'the quicker new password')).status, 200)
  })
})
