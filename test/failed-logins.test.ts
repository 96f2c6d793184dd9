import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../server/lib/units.ts'
import { eventsOf } from './support/events.ts'
import { assertProblem } from './support/problem.ts'
import { oneByOne, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const LOGIN = '/api/v1/auth/login'
const email = 'ann@example.com'
const HOME = '203.0.113.7'
const FIREFOX = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0' }
const DEVICE = { program: 'Firefox', system: 'Linux' }

const logIn = (service: Service, password: string, of = email, ip = HOME) =>
  service.post(LOGIN, { email: of, password }, { ip, headers: FIREFOX })
const reasonsOf = async (service: Service) =>
  (await eventsOf(service, 'login.failed')).map(({ changes }) => changes.reason)

describe('a failed login is recorded', () => {
  test('with its reason, network and device, and an admin finds it by the user', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]

    const failed = await logIn(service, 'not it, sorry')

    const url = `/api/v1/audit?event=login.failed&subject_id=${ann.id}`
    const { body } = await service.get(url, { token: admin.access })
    assertProblem(failed, 'invalid_credentials')
    assert.equal(body.length, 1, JSON.stringify(body))
    assert.deepEqual(await eventsOf(service, 'login.failed'), [
      {
        actor_id: null,
        subject_id: ann.id,
        ip: HOME,
        request_id: failed.headers['x-request-id'],
        changes: { reason: 'wrong_password', device: DEVICE },
      },
    ])
  })

  test('once an hour for each address and reason, however many fail', async () => {
    await using service = await startService()
    await service.addUser(email)
    for (const n of times(30)) await logIn(service, 'not it, sorry', email, `198.51.100.${n}`)
    const first = await reasonsOf(service)
    service.advance(HOUR_MS)

    await logIn(service, 'not it, sorry')

    assert.deepEqual(first, ['wrong_password'])
    assert.deepEqual(await reasonsOf(service), ['wrong_password', 'wrong_password'])
  })

  test('with the reason that the caller is not told, too', async () => {
    await using service = await startService({ HIDE_REGISTERED_EMAILS: 'on' })
    const admin = await service.addAdmin()
    const ann = await service.addUser(email)
    await service.signUp('waits@example.com')
    await service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, { token: admin.access })

    await logIn(service, PASSWORD)
    await logIn(service, PASSWORD, 'waits@example.com')

    assert.deepEqual(await reasonsOf(service), ['account_disabled', 'email_unverified'])
  })

  test('when too many went before it, and when the address is locked', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    await oneByOne(11, () => logIn(service, 'not it, sorry'))
    for (const n of times(40)) await logIn(service, 'not it, sorry', email, `198.51.100.${n}`)

    const locked = await logIn(service, PASSWORD, email, '192.0.2.1')

    assertProblem(locked, 'login_locked')
    assert.deepEqual(await reasonsOf(service), [
      'wrong_password',
      'too_many_attempts',
      'login_locked',
    ])
    const events = await eventsOf(service, 'login.failed')
    assert.ok(events.every(({ subject_id }) => subject_id === ann.id))
  })

  test('for an unknown address and an expired account as well, at the same cost, without a subject', async () => {
    await using service = await startService()
    await service.signUp('expired@example.com')
    service.advance(49 * HOUR_MS)

    await logIn(service, PASSWORD, 'nobody@example.com')
    await logIn(service, PASSWORD, 'expired@example.com')

    const events = await eventsOf(service, 'login.failed')
    assert.deepEqual(
      events.map(({ subject_id, changes }) => [subject_id, changes]),
      times(2).map(() => [null, { reason: 'unknown_address', device: DEVICE }]),
    )
    const rows = JSON.stringify(await rowsOf(service.ctx, 'audit_events'))
    assert.doesNotMatch(rows, /nobody@|expired@/)
  })

  test('and loses its network when the account is deleted', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]
    await logIn(service, 'not it, sorry')

    await service.delete(`/api/v1/users/${ann.id}`, { token: admin.access })

    const [event] = await eventsOf(service, 'login.failed')
    assert.deepEqual([event?.subject_id, event?.ip], [ann.id, null])
  })
})

test('a failed login of a network that is refused whatever the address is not recorded', async () => {
  await using service = await startService({ RATE_LIMIT_SCALE: '0.1' })
  await service.addUser(email)
  await oneByOne(60, () => logIn(service, PASSWORD))

  const refused = await logIn(service, PASSWORD, 'bob@example.com')

  assertProblem(refused, 'too_many_requests')
  assert.deepEqual(await eventsOf(service, 'login.failed'), [])
})

test('a login is not recorded as failed', async () => {
  await using service = await startService()
  await service.addUser(email)

  await logIn(service, PASSWORD)

  assert.deepEqual(await eventsOf(service, 'login.failed'), [])
})
