import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toIso } from '../server/lib/units.ts'
import { endSessionsOf } from '../server/sessions/sessions.ts'
import { lockUser } from '../server/users/users.ts'
import { countStatuses, startReplicas, times, turns } from './support/races.ts'
import { PASSWORD, type Service, type TestUser } from './support/service.ts'

const LOGIN = '/api/v1/auth/login'
const LOGOUT = '/api/v1/auth/logout'
const REFRESH = '/api/v1/auth/refresh'
const RUNS = 100

/** Neither token of a pair opens anything, on any replica. */
async function assertDead(
  replicas: readonly Service[],
  tokens: { access_token: string; refresh_token: string },
): Promise<void> {
  for (const replica of replicas) {
    const me = await replica.get('/api/v1/me', { token: tokens.access_token })
    const again = await replica.post(REFRESH, { refresh_token: tokens.refresh_token })
    assert.deepEqual([me.status, again.status], [401, 401])
  }
}

/** What a refresh gave, or, where it was refused, the tokens it was asked with. */
function newest(
  answer: { status: number; body: any },
  before: { access: string; refresh: string },
) {
  assert.ok([200, 401].includes(answer.status), JSON.stringify(answer.body))
  return answer.status === 200
    ? answer.body
    : { access_token: before.access, refresh_token: before.refresh }
}

/** As a change of password will do it: under the user's lock, ending every session. */
async function changePassword(service: Service, user: TestUser, password: string): Promise<void> {
  const passwordHash = await service.ctx.hasher.hash(password)
  const nowMs = service.ctx.now()
  await service.ctx.transaction(async (tx) => {
    await lockUser(tx, user.id)
    await tx
      .updateTable('users')
      .set({ password_hash: passwordHash, password_changed_at: toIso(nowMs) })
      .where('id', '=', user.id)
      .execute()
    await endSessionsOf(tx, user.id, { nowMs })
  })
}

const liveSessionsOf = (service: Service, user: TestUser) =>
  service.ctx.db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', user.id)
    .where('revoked_at', 'is', null)
    .execute()

describe('refresh', () => {
  test('200 for 50 refreshes at once over two replicas: one successor, one live generation', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await first.addUser()

    const answers = await Promise.all(
      times(50).map((n) =>
        replicas.pair[n % 2 ? 1 : 0].post(REFRESH, { refresh_token: ann.refresh }),
      ),
    )

    assert.deepEqual(countStatuses(answers), { 200: 50 })
    assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1)
    const sessions = await first.ctx.db
      .selectFrom('sessions')
      .select(['generation', 'revoked_at'])
      .execute()
    assert.deepEqual(
      sessions.map((session) => [session.generation, session.revoked_at]),
      [[1, null]],
    )
    const next = await first.post(REFRESH, { refresh_token: answers[0]?.body.refresh_token })
    assert.equal(next.status, 200)
  })

  test('401 for 20 replays at once, which end the session and send one mail', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await first.addUser()
    const second = await first.post(REFRESH, { refresh_token: ann.refresh })
    const third = await first.post(REFRESH, { refresh_token: second.body.refresh_token })
    const mailsBefore = first.mailsTo(ann.email).length

    const answers = await Promise.all(
      times(20).map((n) =>
        replicas.pair[n % 2 ? 1 : 0].post(REFRESH, { refresh_token: ann.refresh }),
      ),
    )
    await first.deliverMail()

    assert.deepEqual(countStatuses(answers), { 401: 20 })
    assert.equal(first.mailsTo(ann.email).length, mailsBefore + 1)
    await assertDead(replicas.pair, third.body)
  })

  test(`401 for every token after a logout that raced with refresh, ${RUNS} times`, async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser()

    for (const run of times(RUNS)) {
      const before = await first.logIn(ann.email)
      const [refreshed, loggedOut] = await Promise.all([
        turns(run % 7).then(() => first.post(REFRESH, { refresh_token: before.refresh })),
        second.post(LOGOUT, { refresh_token: before.refresh }),
      ])

      assert.equal(loggedOut.status, 204)
      await assertDead([first], newest(refreshed, before))
    }
  })

  test(`401 for every token after a disable that raced with refresh, ${RUNS} times`, async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()
    const ann = await first.addUser()
    const disable = (service: Service, disabled: boolean) =>
      service.patch(`/api/v1/users/${ann.id}`, { disabled }, { token: admin.access })

    for (const run of times(RUNS)) {
      const before = await first.logIn(ann.email)
      const [refreshed, disabled] = await Promise.all([
        turns(run % 7).then(() => first.post(REFRESH, { refresh_token: before.refresh })),
        disable(second, true),
      ])

      assert.equal(disabled.status, 200)
      await assertDead([first], newest(refreshed, before))
      assert.equal((await disable(second, false)).status, 200)
      // Enabling the account revives nothing.
      await assertDead([first], newest(refreshed, before))
    }
  })

  test(`401 for every token after a delete that raced with refresh, ${RUNS} times`, async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()

    for (const run of times(RUNS)) {
      const ann = await first.addUser()
      const [refreshed, deleted] = await Promise.all([
        turns(run % 7).then(() => first.post(REFRESH, { refresh_token: ann.refresh })),
        second.delete(`/api/v1/users/${ann.id}`, { token: admin.access }),
      ])

      assert.equal(deleted.status, 200)
      await assertDead([first], newest(refreshed, ann))
    }
  })
})

describe('login', () => {
  test('no session is left behind by a login that raced with a disable', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()
    const ann = await first.addUser()
    const disable = (disabled: boolean) =>
      second.patch(`/api/v1/users/${ann.id}`, { disabled }, { token: admin.access })

    for (const run of times(50)) {
      const [loggedIn, disabled] = await Promise.all([
        first.post(LOGIN, { email: ann.email, password: PASSWORD }),
        turns(run).then(() => disable(true)),
      ])

      assert.equal(disabled.status, 200)
      assert.ok([200, 403].includes(loggedIn.status), loggedIn.text)
      assert.deepEqual(await liveSessionsOf(first, ann), [])
      assert.equal((await disable(false)).status, 200)
      if (loggedIn.status === 200) await assertDead([first], loggedIn.body)
    }
  })

  test('no session is left behind by a login that raced with a change of password', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser()
    let password = PASSWORD

    for (const run of times(50)) {
      const next = `the password number ${run} of ann`
      first.advance(1)
      const [loggedIn] = await Promise.all([
        first.post(LOGIN, { email: ann.email, password }),
        turns(run).then(() => changePassword(second, ann, next)),
      ])

      assert.ok([200, 401].includes(loggedIn.status), loggedIn.text)
      assert.deepEqual(await liveSessionsOf(first, ann), [])
      if (loggedIn.status === 200) await assertDead([first], loggedIn.body)
      password = next
    }

    await first.logIn(ann.email, password)
  })

  test('200 for 30 logins at once, and the newest twenty sessions stay', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await first.addUser()

    const answers = await Promise.all(
      times(30).map((n) =>
        replicas.pair[n % 2 ? 1 : 0].post(LOGIN, { email: ann.email, password: PASSWORD }),
      ),
    )

    assert.deepEqual(countStatuses(answers), { 200: 30 })
    assert.equal((await liveSessionsOf(first, ann)).length, 20)
  })
})
