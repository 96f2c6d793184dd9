import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { assertProblem } from '../../support/problem.ts'
import { runOn } from '../../support/process.ts'
import { countStatuses, oneByOne, startReplicas } from '../../support/races.ts'
import { PASSWORD, type Service, startService, type TestUser } from '../../support/service.ts'

const LOGIN = '/api/v1/auth/login'
const email = 'ann@example.com'
const lockOf = (id: number) => `/api/v1/users/${id}/login-lock`

const headers = { 'user-agent': 'a device of nobody' }
const logIn = (service: Service, password = PASSWORD) =>
  service.post(LOGIN, { email, password }, { headers })
/** 50 wrong passwords, each from a network of its own. */
const lock = (service: Service) => oneByOne(50, () => logIn(service, 'not it, sorry'))

describe('DELETE /users/{id}/login-lock', () => {
  test('204 lifts the lock at once, in each process, though each counts alone', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const [admin, ann] = [await first.addAdmin(), await first.addUser(email)]
    await lock(first)
    await lock(second)
    const locked = [await logIn(first), await logIn(second)]

    const answer = await first.delete(lockOf(ann.id), { token: admin.access })

    for (const refused of locked) assertProblem(refused, 'login_locked')
    assert.deepEqual([answer.status, answer.text], [204, ''])
    const later = [await logIn(second), await logIn(first)]
    assert.deepEqual(countStatuses(later), { 200: 2 })
    const [event] = await eventsOf(first, 'login.unlocked')
    assert.deepEqual([event?.actor_id, event?.subject_id], [admin.id, ann.id])
  })

  test('204 lifts the lock of now, not the next one', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]
    await lock(service)
    await service.delete(lockOf(ann.id), { token: admin.access })
    service.advance(HOUR_MS)

    const wrong = await lock(service)
    const locked = await logIn(service)
    service.advance(DAY_MS)

    assert.deepEqual(countStatuses(wrong), { 401: 50 })
    // The first wrong password after the lock was lifted is not counted.
    assert.deepEqual(countStatuses([await logIn(service, 'no'), locked]), { 401: 1, 200: 1 })
  })

  test('204 for a user who is not locked; GET /users/{id} shows the same as before', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]
    const show = () => service.get(`/api/v1/users/${ann.id}`, { token: admin.access })
    const before = await show()

    const answer = await service.delete(lockOf(ann.id), { token: admin.access })

    assert.equal(answer.status, 204)
    assert.deepEqual((await show()).body, before.body)
    assert.equal((await logIn(service)).status, 200)
  })

  test('401, 403 and 404 lift nothing', async () => {
    await using service = await startService()
    const [admin, ann] = [await service.addAdmin(), await service.addUser(email)]
    await lock(service)

    const nobody = await service.delete(lockOf(ann.id))
    const herself = await service.delete(lockOf(ann.id), { token: ann.access })
    const unknown = await service.delete(lockOf(999_999), { token: admin.access })

    assertProblem(nobody, 'authentication_required')
    assertProblem(herself, 'forbidden')
    assertProblem(unknown, 'not_found')
    assertProblem(await logIn(service), 'login_locked')
  })
})

for (const [what, keyOf] of [
  ['an address in any spelling', ({ email: address }) => address.toUpperCase()],
  ['an id', ({ id }) => String(id)],
] satisfies [string, (user: TestUser) => string][]) {
  test(`users unlock lifts the lock of a process that runs, by ${what}`, async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    await lock(service)
    const locked = await logIn(service)

    const { exitCode, stdout, stderr } = await runOn(service, ['users', 'unlock', keyOf(ann)])

    assertProblem(locked, 'login_locked')
    assert.deepEqual([exitCode, stdout], [0, `Unlocked user ${ann.id}.\n`], stderr)
    assert.equal((await logIn(service)).status, 200)
  })
}

test('users unlock refuses a user who does not exist', async () => {
  await using service = await startService()

  const { exitCode, stderr } = await runOn(service, ['users', 'unlock', 'nobody@example.com'])

  assert.equal(exitCode, 1)
  assert.match(stderr, /^not_found: /m)
})
