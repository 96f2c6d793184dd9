import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RESET_LIFETIME_MS } from '../server/accounts/resets.ts'
import { DAY_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { deleteMe } from './support/deletions.ts'
import { afterHash } from './support/hashes.ts'
import { invitationOf, invited } from './support/invitations.ts'
import { assertProblem } from './support/problem.ts'
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
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'
import { openSessions } from './support/sessions.ts'

const OTHER_PASSWORD = 'another new battery for the horse'
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

describe('400 for a link that worked when its password was hashed, and not when it would be set:', () => {
  /** Resets by a link that something befalls meanwhile; nothing must change after that. */
  async function assertTooLate(service: Service, token: string, befall: () => Promise<unknown>) {
    const stored = () =>
      Promise.all((['users', 'sessions'] as const).map((table) => rowsOf(service.ctx, table)))
    let before: unknown
    afterHash(service, async () => {
      await befall()
      before = await stored()
    })

    const answer = await reset(service, token)

    assertProblem(answer, 'invalid_reset_token')
    assert.ok(before)
    assert.deepEqual(await stored(), before)
  }

  for (const [why, befall] of [
    ['it was used', async (service, { token }) => reset(service, token, OTHER_PASSWORD)],
    [
      'the password was changed',
      async (service, { access }) => {
        const body = { current_password: PASSWORD, new_password: OTHER_PASSWORD }
        return service.post('/api/v1/me/password', body, { token: access })
      },
    ],
    ['the account was deleted', (service, ann) => deleteMe(service, ann)],
    ['its time was over', async (service) => service.advance(RESET_LIFETIME_MS)],
  ] satisfies [
    string,
    (service: Service, ann: { access: string; token: string }) => Promise<unknown>,
  ][]) {
    test(why, async () => {
      await using service = await startService()
      const ann = await service.addUser(email)
      const token = await tokenFor(service, email)

      await assertTooLate(service, token, () => befall(service, { ...ann, token }))
    })
  }

  for (const [why, befall] of [
    ['its invitation was accepted', (service, { token }) => reset(service, token, OTHER_PASSWORD)],
    [
      'its invitation was revoked',
      (service, { admin, id }) => service.delete(invitationOf(id), { token: admin }),
    ],
    [
      'its invitation was replaced',
      (service, { admin, id }) => service.post(invitationOf(id), undefined, { token: admin }),
    ],
    [
      'its user was verified by a process of the previous version, which knows no invitations',
      async ({ ctx, clock }, { id }) => {
        const values = { verified_at: toIso(clock.nowMs), password_hash: 'any' }
        return ctx.transaction((tx) =>
          tx.updateTable('users').set(values).where('id', '=', id).execute(),
        )
      },
    ],
    // The account itself lives longer here than its invitation.
    ['the time of its invitation was over', async (service) => service.advance(7 * DAY_MS)],
  ] satisfies [
    string,
    (service: Service, invited: { admin: string; id: number; token: string }) => Promise<unknown>,
  ][]) {
    test(why, async () => {
      await using service = await startService({ UNVERIFIED_USER_TTL_HOURS: '200' })
      const admin = await service.addAdmin()
      const { user, token } = await invited(service, admin)

      await assertTooLate(service, token, () =>
        befall(service, { admin: admin.access, id: user.id, token }),
      )
    })
  }
})
