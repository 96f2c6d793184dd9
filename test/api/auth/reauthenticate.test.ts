import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { countStatuses, oneByOne } from '../../support/races.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'
import { sessionIdOf } from '../../support/sessions.ts'

const REAUTHENTICATE = '/api/v1/auth/reauthenticate'
const WRONG = 'not the password'

const confirm = (service: Service, { access: token }: { access: string }, password = PASSWORD) =>
  service.post(REAUTHENTICATE, { current_password: password }, { token, ip: '203.0.113.7' })

/** Whether a session may delete a user now. */
async function mayDelete(service: Service, { access: token }: { access: string }) {
  const { id } = await service.addUser()
  const { status } = await service.delete(`/api/v1/users/${id}`, { token })
  return status === 200
}

// What needs it, and what does not: test/reauthentication.test.ts.

describe('POST /auth/reauthenticate', () => {
  test('204 counts as a login for ten minutes, for this session alone, and is recorded', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const phone = await service.logIn(admin.email)
    service.advance(11 * MINUTE_MS)

    const answer = await confirm(service, admin)

    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    assert.equal(await mayDelete(service, admin), true)
    assert.equal(await mayDelete(service, phone), false)
    service.advance(10 * MINUTE_MS)
    assert.equal(await mayDelete(service, admin), false)
    const [event, ...others] = await eventsOf(service, 'session.reauthenticated')
    assert.deepEqual(others, [])
    assert.deepEqual([event?.actor_id, event?.subject_id], [admin.id, admin.id])
    assert.equal(event?.ip, '203.0.113.7')
    assert.deepEqual(event?.changes, { session_id: sessionIdOf(admin) })
  })

  test('204 for a user who is no admin, and gives no rights', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    assert.equal((await confirm(service, ann)).status, 204)

    assert.equal(await mayDelete(service, ann), false)
  })

  test('401 without a token, and for the token of an ended session', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.post('/api/v1/auth/logout', undefined, { token: ann.access })

    const nobody = await service.post(REAUTHENTICATE, { current_password: PASSWORD })
    const ended = await confirm(service, ann)

    assertProblem(nobody, 'authentication_required')
    assertProblem(ended, 'invalid_token')
  })

  test('403 wrong_password confirms nothing and is recorded', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    service.advance(11 * MINUTE_MS)

    const answer = await confirm(service, admin, WRONG)

    assertProblem(answer, 'wrong_password')
    assert.equal(await mayDelete(service, admin), false)
    assert.equal((await eventsOf(service, 'password.refused')).length, 1)
    assert.deepEqual(await eventsOf(service, 'session.reauthenticated'), [])
  })

  for (const [pointer, code, body] of [
    ['/current_password', 'required', {}],
    ['/current_password', 'type', { current_password: null }],
    ['/password', 'additionalProperties', { current_password: PASSWORD, password: PASSWORD }],
  ] as const) {
    test(`422 for ${JSON.stringify(body)}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addUser()

      assertInvalid(await service.post(REAUTHENTICATE, body, { token }), pointer, code)
    })
  }

  test('429 after ten wrong passwords, and after sixty right ones an hour', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const phone = await service.logIn(ann.email)

    const wrong = await oneByOne(11, () => confirm(service, ann, WRONG))
    const right = await oneByOne(61, () => confirm(service, phone))

    assert.deepEqual(countStatuses(wrong), { 403: 10, 429: 1 })
    assert.match(wrong.at(-1)?.headers['ratelimit-policy'] ?? '', /^"current_password"/)
    assert.deepEqual(countStatuses(right), { 204: 60, 429: 1 })
    assert.match(right.at(-1)?.headers['ratelimit-policy'] ?? '', /^"own_proofs";q=60;w=3600/)
  })
})
