import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertProblem } from '../support/problem.ts'
import { countStatuses } from '../support/races.ts'
import { rowsOf } from '../support/seed.ts'
import { type Service, startService, type TestUser } from '../support/service.ts'

const SESSIONS = '/api/v1/me/sessions'
const REFRESH = '/api/v1/auth/refresh'

/** By both tokens, so that neither is forgotten. */
async function isLive(service: Service, tokens: Pick<TestUser, 'access' | 'refresh'>) {
  const me = await service.get('/api/v1/me', { token: tokens.access })
  const refreshed = await service.post(REFRESH, { refresh_token: tokens.refresh })
  assert.equal(me.status === 200, refreshed.status === 200)
  return me.status === 200
}

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
    const events = await rowsOf(service.ctx, 'audit_events')
    const [event, ...more] = events.filter((row) => row.event === 'sessions.ended')
    const kept = current.refresh.split('.')[0]
    assert.deepEqual([event.actor_id, event.subject_id, more], [ann.id, ann.id, []])
    assert.deepEqual(JSON.parse(event.changes), { ended: 2, kept })
  })

  test('204 again when there is no other: nothing is recorded', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    for (let time = 1; time <= 2; time++)
      assert.equal((await service.delete(SESSIONS, { token: ann.access })).status, 204)

    assert.equal(await isLive(service, ann), true)
    const events = await rowsOf(service.ctx, 'audit_events')
    assert.deepEqual(
      events.filter((row) => row.event === 'sessions.ended'),
      [],
    )
  })

  test('401 for a session that was ended: it ends no other', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const thief = await service.logIn(ann.email)
    await service.delete(SESSIONS, { token: ann.access })

    assertProblem(await service.delete(SESSIONS, { token: thief.access }), 'invalid_token')

    assert.equal(await isLive(service, ann), true)
  })

  test('one of two that end each other at once stays', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    for (let run = 0; run < 10; run++) {
      const pair = [await service.logIn(ann.email), await service.logIn(ann.email)]
      const answers = await Promise.all(
        pair.map(({ access: token }) => service.delete(SESSIONS, { token })),
      )

      assert.deepEqual(countStatuses(answers), { 204: 1, 401: 1 })
      const live = await Promise.all(pair.map((tokens) => isLive(service, tokens)))
      assert.equal(live.filter((one) => one).length, 1)
    }
  })
})
