import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECOND_MS } from '../server/lib/units.ts'
import { countStatuses, ROUNDS, startReplicas, times } from './support/races.ts'
import {
  FORGOT,
  linksTo,
  NEW_PASSWORD,
  newestToken,
  reset,
  resetsOf,
  tokenFor,
} from './support/resets.ts'
import { PASSWORD } from './support/service.ts'
import { openSessions } from './support/sessions.ts'

const email = 'ann@example.com'

describe('a reset that meets others', () => {
  test('200 for one of 50 with one link, and its password is the one that counts', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    await first.addUser(email)
    const token = await tokenFor(first, email)

    const answers = await Promise.all(
      times(50).map((n) => reset(n % 2 ? second : first, token, `the password of ${n}`)),
    )

    assert.deepEqual(countStatuses(answers), { 200: 1, 400: 49 })
    const winner = answers.findIndex(({ status }) => status === 200)
    await first.logIn(email, `the password of ${winner}`)
    const used = (await resetsOf(first)).filter(({ used_at }) => used_at !== null)
    assert.equal(used.length, 1)
  })

  test('one mail for 50 that ask at once, whose link works', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    await first.addUser(email)

    const answers = await Promise.all(
      times(50).map((n) => (n % 2 ? second : first).post(FORGOT, { email })),
    )
    await Promise.all([first.deliverMail(), second.deliverMail()])

    assert.deepEqual(countStatuses(answers), { 202: 50 })
    assert.equal(linksTo(first, email).length, 1)
    assert.equal((await reset(first, newestToken(first, email))).status, 200)
  })

  test('against a change of the password: one of the two wins, whole', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const ann = await first.addUser(email)
    let { access } = ann
    let current = PASSWORD

    for (const n of times(ROUNDS)) {
      const token = await tokenFor(first, email)
      const [byLink, byOwner] = [`the password of link ${n}`, `the password of ann ${n}`]
      const change = { current_password: current, new_password: byOwner }
      const [linked, changed] = await Promise.all([
        reset(first, token, byLink),
        second.post('/api/v1/me/password', change, { token: access }),
      ])

      // Whoever came first made void what the other had in hand.
      assert.ok((linked.status === 200) !== (changed.status === 204), changed.text)
      current = linked.status === 200 ? byLink : byOwner
      assert.equal(await openSessions(first, ann), linked.status === 200 ? 0 : 1)
      first.advance(SECOND_MS)
      access = (await first.logIn(email, current)).access
    }
  })

  test('against a verification: the account is verified once, by one of the two', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair

    for (const n of times(ROUNDS)) {
      const address = `racer${n}@example.com`
      await first.signUp(address)
      const code = await first.codeFor(address)
      const token = await tokenFor(first, address)
      const [linked, verified] = await Promise.all([
        reset(first, token),
        second.post('/api/v1/auth/verify', { email: address, code }),
      ])

      // Each revokes what the other has in hand.
      assert.deepEqual(countStatuses([linked, verified]), { 200: 1, 400: 1 }, linked.text)
      await first.logIn(address, linked.status === 200 ? NEW_PASSWORD : PASSWORD)
    }
  })
})
