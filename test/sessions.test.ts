import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { networkOf } from '../server/lib/networks.ts'
import { DAY_MS, SECOND_MS } from '../server/lib/units.ts'
import { isKnownNetwork } from '../server/accounts/session-list.ts'
import { eventsOf } from './support/events.ts'
import { assertProblem } from './support/problem.ts'
import { atOnce, countStatuses, ROUNDS, startReplicas, times, turns } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'
import {
  assertDead,
  endSession,
  isLive,
  LOGIN,
  LOGOUT,
  REFRESH,
  refresh,
  sessionIdOf,
  SESSIONS,
  type Tokens,
  tokensOf,
} from './support/sessions.ts'

describe('an ended session stays ended', () => {
  test('with new processes, which know it from the database alone', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    const [byList, byOthers] = [await service.logIn(ann.email), await service.logIn(ann.email)]
    const byLogout = await service.logIn(bob.email)
    await endSession(service, ann, sessionIdOf(byList))
    await service.delete(SESSIONS, { token: ann.access })
    await service.post(LOGOUT, { refresh_token: byLogout.refresh })
    await service.delete(`/api/v1/users/${bob.id}/sessions`, { token: admin.access })

    await using restarted = await startService({}, { replicaOf: service })

    await assertDead(restarted, byList, byOthers, byLogout, bob)
    assert.equal((await restarted.get('/api/v1/me', { token: ann.access })).status, 200)
  })

  test('after a change of the settings that would have let it live longer', async () => {
    await using service = await startService({ REFRESH_TOKEN_EXPIRE_DAYS: '1' })
    const ann = await service.addUser()
    service.advance(DAY_MS)

    await using longer = await startService(
      { REFRESH_TOKEN_EXPIRE_DAYS: '30' },
      { replicaOf: service },
    )

    await assertDead(longer, ann)
  })

  for (const [what, end] of [
    ['its end by id', (service, by, ended) => endSession(service, by, sessionIdOf(ended))],
    ['the end of all others', (service, by) => service.delete(SESSIONS, { token: by.access })],
  ] satisfies [string, (service: Service, by: Tokens, ended: Tokens) => Promise<Answer>][]) {
    test(`by ${what}, and one of two that end each other at once stays`, async () => {
      await using service = await startService()
      const ann = await service.addUser()

      for (let run = 0; run < 10; run++) {
        const [one, two] = [await service.logIn(ann.email), await service.logIn(ann.email)]
        const answers = await Promise.all([end(service, one, two), end(service, two, one)])

        assert.deepEqual(countStatuses(answers), { 204: 1, 401: 1 })
        assert.notEqual(await isLive(service, one), await isLive(service, two))
      }
    })
  }

  test('and nobody logs in beside the end of all others: such a session lives on or has ended, by its order', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser()

    for (const run of times(ROUNDS)) {
      const [loggedIn, ended] = await Promise.all([
        turns(run).then(() => first.post(LOGIN, { email: ann.email, password: PASSWORD })),
        second.delete(SESSIONS, { token: ann.access }),
      ])
      assert.equal(ended.status, 204)
      const listed = await first.get(SESSIONS, { token: ann.access })
      const ids = listed.body.map((session: { id: string }) => session.id)

      const tokens = tokensOf(loggedIn)
      const { status } = await first.get('/api/v1/me', { token: tokens.access })
      assert.equal(status === 200, ids.includes(sessionIdOf(tokens)))
      await first.delete(SESSIONS, { token: ann.access })
    }
  })
})

describe('the ends of a session', () => {
  test('the idle end is never past the absolute one, however often it is refreshed', async () => {
    await using service = await startService({ SESSION_MAX_DAYS: '10' })
    let tokens: Tokens = await service.addUser()
    const ends: boolean[] = []

    for (const days of [0, 2, 2, 5]) {
      service.advance(days * DAY_MS)
      tokens = tokensOf(await refresh(service, tokens.refresh))
      const [session] = await rowsOf(service.ctx, 'sessions')
      assert.ok(session.expires_at <= session.ends_at)
      ends.push(session.expires_at === session.ends_at)
    }

    assert.deepEqual(ends, [false, false, true, true])
    service.advance(DAY_MS)
    await assertDead(service, tokens)
  })

  test('an access token made just before the absolute end outlives it on no route', async () => {
    await using service = await startService({ SESSION_MAX_DAYS: '7' })
    const ann = await service.addUser()
    service.advance(7 * DAY_MS - SECOND_MS)
    const last = tokensOf(await refresh(service, ann.refresh))
    const before = await service.get(SESSIONS, { token: last.access })

    service.advance(SECOND_MS)

    assert.equal(before.status, 200)
    await assertDead(service, last)
    assertProblem(await service.get(SESSIONS, { token: last.access }), 'invalid_token')
    assertProblem(await service.delete(SESSIONS, { token: last.access }), 'invalid_token')
  })
})

describe('twenty sessions', () => {
  test('of the same millisecond: one more ends one of them and keeps the new one', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    for (let n = 2; n <= 20; n++) await service.logIn(ann.email)

    const beyond = await service.logIn(ann.email)

    const listed = await service.get(SESSIONS, { token: beyond.access })
    assert.equal(listed.body.length, 20)
    const opened = (await eventsOf(service, 'session.opened')).map(({ changes }) => changes)
    assert.equal(opened.filter(({ ended }) => ended !== undefined).length, 1)
    const [oldest] = opened.find(({ session_id: id }) => id === sessionIdOf(beyond)).ended
    assert.ok(listed.body.every((session: { id: string }) => session.id !== oldest))
    assert.ok(listed.body.some((session: { id: string }) => session.id === sessionIdOf(beyond)))
  })

  test('are what 30 logins at once over two replicas leave of one’s 31', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await first.addUser()

    const answers = await atOnce(30, replicas.pair, (service) =>
      service.post(LOGIN, { email: ann.email, password: PASSWORD }),
    )

    const tokens = [ann, ...answers.map(tokensOf)]
    const used = await Promise.all(
      tokens.map(({ access: token }) => first.get('/api/v1/me', { token })),
    )
    assert.deepEqual(countStatuses(used), { 200: 20, 401: 11 })
  })
})

describe('a network is known', () => {
  const home = '203.0.113.7'
  let service: Service
  before(async () => {
    service = await startService()
    const bob = await service.addUser('bob@example.com')
    await service.addUser('ann@example.com')
    const logIn = (password: string, ip: string) =>
      service.post(LOGIN, { email: 'ann@example.com', password }, { ip })
    for (const ip of [home, '2001:db8:1:2::5']) await logIn(PASSWORD, ip)
    await logIn('not the password', '198.51.100.1')
    await service.post(REFRESH, { refresh_token: bob.refresh }, { ip: '198.51.100.2' })
  })
  after(() => service[Symbol.asyncDispose]())

  for (const [why, email, ip, expected] of [
    ['by a login from it', 'ann@example.com', home, true],
    ['by a login from the same /64', 'ann@example.com', '2001:db8:1:2:ffff::1', true],
    ['but not another /64', 'ann@example.com', '2001:db8:1:3::5', false],
    ['but not one that only failed', 'ann@example.com', '198.51.100.1', false],
    ['but not by a refresh', 'bob@example.com', '198.51.100.2', false],
    ['but to that account alone', 'bob@example.com', home, false],
    ['but not to nobody', 'nobody@example.com', home, false],
  ] as const) {
    test(`${why}: ${expected}`, async () => {
      const { db } = service.ctx
      const sought = { network: networkOf(ip), nowMs: service.clock.nowMs }
      assert.equal(await isKnownNetwork(db, email, sought), expected)
    })
  }

  test('for 30 days, also when the session was ended', async () => {
    await using own = await startService()
    const ann = await own.addUser('ann@example.com')
    const { body } = await own.post(LOGIN, { email: ann.email, password: PASSWORD }, { ip: home })
    await own.post(LOGOUT, { refresh_token: body.refresh_token })
    const isKnown = () =>
      isKnownNetwork(own.ctx.db, ann.email, { network: home, nowMs: own.clock.nowMs })

    own.advance(30 * DAY_MS - 1)
    const before = await isKnown()
    own.advance(1)

    assert.deepEqual([before, await isKnown()], [true, false])
  })
})
