import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAY_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { assertProblem } from '../../support/problem.ts'
import { rowsOf } from '../../support/seed.ts'
import { type Service, startService, type TestUser } from '../../support/service.ts'
import { assertDead, endSession, LOGOUT, sessionIdOf } from '../../support/sessions.ts'

describe('DELETE /me/sessions/{id}', () => {
  let service: Service
  let ann: TestUser
  before(async () => {
    service = await startService()
    ann = await service.addUser('ann@example.com')
  })
  after(() => service[Symbol.asyncDispose]())

  test('204 ends that session at once, and no other; the owner is recorded as who did it', async () => {
    const [one, other] = [await service.logIn(ann.email), await service.logIn(ann.email)]

    const answer = await endSession(service, ann, sessionIdOf(one))

    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    await assertDead(service, one)
    for (const { access: token } of [ann, other])
      assert.equal((await service.get('/api/v1/me', { token })).status, 200)
    const event = (await eventsOf(service, 'session.ended')).at(-1)
    assert.deepEqual(
      [event?.actor_id, event?.subject_id, event?.request_id, event?.changes],
      [ann.id, ann.id, answer.headers['x-request-id'], { session_id: sessionIdOf(one) }],
    )
    assert.match(event?.ip ?? '', /^10\./)
  })

  test('204 for the current one: this was its last request', async () => {
    const current = await service.logIn(ann.email)

    const answer = await endSession(service, current, sessionIdOf(current))

    assert.equal(answer.status, 204)
    await assertDead(service, current)
    const again = await endSession(service, current, sessionIdOf(current))
    assertProblem(again, 'invalid_token')
  })

  for (const [why, find] of [
    ['somebody else’s', async () => sessionIdOf(await service.addUser())],
    ['an admin’s', async () => sessionIdOf(await service.addAdmin())],
    ['one that never was', async () => crypto.randomUUID()],
    [
      'one that was ended before',
      async () => {
        const ended = await service.logIn(ann.email)
        await endSession(service, ann, sessionIdOf(ended))
        return sessionIdOf(ended)
      },
    ],
    [
      'one that was logged out',
      async () => {
        const ended = await service.logIn(ann.email)
        await service.post(LOGOUT, { refresh_token: ended.refresh })
        return sessionIdOf(ended)
      },
    ],
  ] satisfies [string, () => Promise<string>][]) {
    test(`404 for ${why}: nothing changes and nothing is recorded`, async () => {
      const id = await find()
      const state = async () => [
        await rowsOf(service.ctx, 'sessions'),
        await rowsOf(service.ctx, 'audit_events'),
      ]
      const earlier = await state()

      const answer = await endSession(service, ann, id)

      assertProblem(answer, 'not_found')
      assert.deepEqual(await state(), earlier)
    })
  }

  test('404 for an admin who names another’s session: there is a route of its own for that', async () => {
    const admin = await service.addAdmin()

    const answer = await endSession(service, admin, sessionIdOf(ann))

    assertProblem(answer, 'not_found')
    assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
  })

  test('422 for what is no id of a session: nothing ends', async () => {
    const id = sessionIdOf(ann)

    for (const wrong of [id.toUpperCase(), `${id}0`, id.slice(1), '1', 'me', "'or'1'='1", '*']) {
      const answer = await endSession(service, ann, wrong)
      assert.equal(answer.status, 422, wrong)
    }

    assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
  })

  test('404 for one that ended by itself', async () => {
    await using own = await startService({ SESSION_MAX_DAYS: '7' })
    const bob = await own.addUser('bob@example.com')
    own.advance(7 * DAY_MS)

    const answer = await endSession(own, await own.logIn(bob.email), sessionIdOf(bob))

    assertProblem(answer, 'not_found')
  })
})
