import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { USERS } from '../../support/users.ts'

describe('GET /users/{id}/sessions', () => {
  test('200 as the user sees them, but none is the current one', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()
    service.advance(MINUTE_MS)
    const credentials = { email: ann.email, password: ann.password }
    const headers = { 'user-agent': 'CoffeeApp/2.1' }
    await service.post('/api/v1/auth/login', credentials, { ip: '203.0.113.7', headers })

    const { status, body } = await service.get(`${USERS}/${ann.id}/sessions`, { token })

    const own = await service.get('/api/v1/me/sessions', { token: ann.access })
    assert.equal(status, 200)
    assert.equal(body.length, 2)
    assert.deepEqual([body[0].ip, body[0].user_agent], ['203.0.113.7', 'CoffeeApp/2.1'])
    const currents = own.body.map(({ current }: { current: boolean }) => current)
    assert.deepEqual(currents, [false, true])
    assert.deepEqual(
      body.map((session: object, index: number) => ({ ...session, current: currents[index] })),
      own.body,
    )
  })

  test('200 without those that were ended', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()
    await service.delete(`${USERS}/${ann.id}/sessions`, { token })

    const answer = await service.get(`${USERS}/${ann.id}/sessions`, { token })

    assert.deepEqual([answer.status, answer.body], [200, []])
  })

  test('200 counts in the audit log as the look at a user', async () => {
    await using service = await startService()
    const { id, access: token } = await service.addAdmin()

    await service.get(`${USERS}/${id}/sessions`, { token })

    const [event, ...others] = await eventsOf(service, 'users.read')
    assert.deepEqual(others, [])
    assert.deepEqual([event?.actor_id, event?.changes], [id, { pages: 1 }])
  })

  test('404 not_found for an unknown and for a deleted user, which counts nothing', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()
    await service.delete(`${USERS}/${ann.id}`, { token })

    for (const id of [ann.id, 999_999])
      assertProblem(await service.get(`${USERS}/${id}/sessions`, { token }), 'not_found')

    assertInvalid(await service.get(`${USERS}/me/sessions`, { token }), 'id')
    assert.deepEqual(await eventsOf(service, 'users.read'), [])
  })

  test('403 forbidden for users, even for their own; 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const url = `${USERS}/${ann.id}/sessions`

    assertProblem(await service.get(url, { token: ann.access }), 'forbidden')
    assertProblem(await service.get(url), 'authentication_required')
  })
})
