import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventsOf } from '../../support/events.ts'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { isLive, sessionIdOf, SESSIONS } from '../../support/sessions.ts'

describe('DELETE /me/sessions', () => {
  test('204 ends every other session of one’s own and of nobody else, with one event', async () => {
    await using service = await startService()
    const bob = await service.addUser()
    const ann = await service.addUser()
    const others = [ann, await service.logIn(ann.email)]
    const current = await service.logIn(ann.email)

    const answer = await service.delete(SESSIONS, { token: current.access })

    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    for (const other of others) assert.equal(await isLive(service, other), false)
    for (const kept of [current, bob]) assert.equal(await isLive(service, kept), true)
    const [event, ...more] = await eventsOf(service, 'sessions.ended')
    const kept = sessionIdOf(current)
    assert.deepEqual([event?.actor_id, event?.subject_id, more], [ann.id, ann.id, []])
    assert.deepEqual(event?.changes, { ended: 2, kept })
  })

  test('204 again when there is no other: nothing is recorded', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    for (let time = 1; time <= 2; time++)
      assert.equal((await service.delete(SESSIONS, { token: ann.access })).status, 204)

    assert.equal(await isLive(service, ann), true)
    assert.deepEqual(await eventsOf(service, 'sessions.ended'), [])
  })

  test('401 for a session that was ended: it ends no other', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const thief = await service.logIn(ann.email)
    await service.delete(SESSIONS, { token: ann.access })

    assertProblem(await service.delete(SESSIONS, { token: thief.access }), 'invalid_token')

    assert.equal(await isLive(service, ann), true)
  })
})
