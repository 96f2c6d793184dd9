import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { logInToCookie, SHOP } from './support/cookies.ts'
import { atOnce, countStatuses, ROUNDS, startReplicas, times, turns } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Answer, PASSWORD, type Service, type TestUser } from './support/service.ts'
import {
  assertDead,
  endSession,
  LOGIN,
  LOGOUT,
  openSessions,
  refresh,
  sessionIdOf,
  SESSIONS,
  type Tokens,
  tokensOf,
} from './support/sessions.ts'

/** How a session may be ended, by another of its user or by an admin. */
const ENDS: readonly [
  what: string,
  end: (service: Service, by: { ann: TestUser; admin: TestUser }, ended: Tokens) => Promise<Answer>,
][] = [
  ['a logout', (service, _, ended) => service.post(LOGOUT, { refresh_token: ended.refresh })],
  ['its end by id', (service, { ann }, ended) => endSession(service, ann, sessionIdOf(ended))],
  ['the end of all others', (service, { ann }) => service.delete(SESSIONS, { token: ann.access })],
  ['a disable', (service, { ann, admin }) => disable(service, ann, admin, true)],
  [
    'a delete',
    (service, { ann, admin }) => service.delete(`/api/v1/users/${ann.id}`, { token: admin.access }),
  ],
]

const disable = (service: Service, user: TestUser, admin: TestUser, disabled: boolean) =>
  service.patch(`/api/v1/users/${user.id}`, { disabled }, { token: admin.access })

test('200 for two users who log in at once, each where the other was: both sessions before end', async () => {
  await using replicas = await startReplicas(SHOP)
  const [first, second] = replicas.pair
  const [ann, bob] = [await first.addUser(), await first.addUser()]
  let [annNow, bobNow]: [Tokens, Tokens] = [ann, bob]

  for (const _ of times(ROUNDS)) {
    const before = [annNow, bobNow]
    ;[annNow, bobNow] = await Promise.all([
      logInToCookie(first, ann.email, bobNow.refresh),
      logInToCookie(second, bob.email, annNow.refresh),
    ])
    await assertDead(first, ...before)
  }

  assert.deepEqual([await openSessions(first, ann), await openSessions(first, bob)], [1, 1])
})

describe('refresh', () => {
  test('200 for 50 refreshes at once over two replicas: one successor, one live generation', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await first.addUser()

    const answers = await atOnce(50, replicas.pair, (one) => refresh(one, ann.refresh))

    assert.deepEqual(countStatuses(answers), { 200: 50 })
    assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1)
    const sessions = await rowsOf(first.ctx, 'sessions')
    assert.deepEqual(
      sessions.map((session) => [session.generation, session.revoked_at]),
      [[1, null]],
    )
    tokensOf(await refresh(first, answers[0]?.body.refresh_token))
  })

  test('401 for 20 replays at once, which end the session and send one mail', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await first.addUser()
    const second = tokensOf(await refresh(first, ann.refresh))
    const third = tokensOf(await refresh(first, second.refresh))
    const mailsBefore = first.mailsTo(ann.email).length

    const answers = await atOnce(20, replicas.pair, (one) => refresh(one, ann.refresh))
    await first.deliverMail()

    assert.deepEqual(countStatuses(answers), { 401: 20 })
    assert.equal(first.mailsTo(ann.email).length, mailsBefore + 1)
    for (const replica of replicas.pair) await assertDead(replica, third)
  })
})

for (const [what, end] of ENDS) {
  test(`401 for every token after ${what} that raced with two refreshes, ${ROUNDS} times`, async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()

    for (const run of times(ROUNDS)) {
      const ann = await first.addUser()
      const before = await first.logIn(ann.email)
      const [ended, ...refreshed] = await Promise.all([
        end(second, { ann, admin }, before),
        turns(run % 7).then(() => refresh(first, before.refresh)),
        turns(run % 5).then(() => refresh(second, before.refresh)),
      ])

      assert.ok(ended.status < 300, ended.text)
      for (const answer of refreshed) assert.ok([200, 401].includes(answer.status), answer.text)
      const tokens = [
        before,
        ...refreshed.filter(({ status }) => status === 200).map((answer) => tokensOf(answer)),
      ]
      await assertDead(first, ...tokens)
      if (what !== 'a disable') continue
      assert.equal((await disable(second, ann, admin, false)).status, 200)
      // Enabling the account revives nothing.
      await assertDead(first, ...tokens)
    }
  })
}

describe('login', () => {
  test('no session is left behind by a login that raced with a disable', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()
    const ann = await first.addUser()

    for (const run of times(ROUNDS)) {
      const [loggedIn, disabled] = await Promise.all([
        first.post(LOGIN, { email: ann.email, password: PASSWORD }),
        turns(run).then(() => disable(second, ann, admin, true)),
      ])

      assert.equal(disabled.status, 200)
      assert.ok([200, 403].includes(loggedIn.status), loggedIn.text)
      assert.equal(await openSessions(first, ann), 0)
      assert.equal((await disable(second, ann, admin, false)).status, 200)
      if (loggedIn.status === 200) await assertDead(first, tokensOf(loggedIn))
    }
  })

  test('no session is left behind by a login that raced with a change of password', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const ann = await first.addUser()
    const change = (body: object) => second.post('/api/v1/me/password', body, { token: ann.access })
    let password = PASSWORD

    for (const run of times(ROUNDS)) {
      const next = `the password number ${run} of ann`
      first.advance(1)
      const [loggedIn, changed] = await Promise.all([
        first.post(LOGIN, { email: ann.email, password }),
        turns(run).then(() => change({ current_password: password, new_password: next })),
      ])

      assert.equal(changed.status, 204, changed.text)
      assert.ok([200, 401].includes(loggedIn.status), loggedIn.text)
      assert.equal(await openSessions(first, ann), 1, 'the one that changed it')
      if (loggedIn.status === 200) await assertDead(first, tokensOf(loggedIn))
      password = next
    }

    await first.logIn(ann.email, password)
  })
})
