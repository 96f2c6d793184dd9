import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deleteUser } from './support/deletions.ts'
import {
  changeEmail,
  confirmEmail,
  emailCodeFor,
  undoEmail,
  undoTokenFor,
} from './support/email-changes.ts'
import { confirmPhone, phoneCodeFor } from './support/phones.ts'
import { ROUNDS, startReplicas, times, turns } from './support/races.ts'
import { reset, tokenFor } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import type { Answer } from './support/service.ts'
import type { Service, TestUser } from './support/service.ts'

const FINE = new Set([200, 401, 403, 404, 409])

type Attack = (service: Service, actor: TestUser, victim: TestUser) => Promise<{ status: number }>

const demote: Attack = (service, actor, victim) =>
  service.patch(`/api/v1/users/${victim.id}`, { role: 'user' }, { token: actor.access })
const disable: Attack = (service, actor, victim) =>
  service.patch(`/api/v1/users/${victim.id}`, { disabled: true }, { token: actor.access })
const remove: Attack = (service, actor, victim) =>
  service.delete(`/api/v1/users/${victim.id}`, { token: actor.access })
const ATTACKS = [demote, disable, remove]

async function activeAdmins(service: Service): Promise<number> {
  const admins = await service.ctx.db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('verified_at', 'is not', null)
    .where('disabled_at', 'is', null)
    .execute()
  return admins.length
}

/** The admins of the next round: who is left, as if nothing had happened, and new ones for the deleted. */
async function restore(service: Service, admins: readonly TestUser[]): Promise<TestUser[]> {
  const ids = admins.map((admin) => admin.id)
  const left = await service.ctx.transaction(async (tx) => {
    await tx.updateTable('sessions').set({ revoked_at: null }).where('user_id', 'in', ids).execute()
    return tx
      .updateTable('users')
      .set({ role: 'admin', disabled_at: null })
      .where('id', 'in', ids)
      .returning('id')
      .execute()
  })
  const present = new Set(left.map((user) => user.id))
  const restored: TestUser[] = []
  for (const admin of admins)
    restored.push(present.has(admin.id) ? admin : await service.addAdmin())
  return restored
}

describe('admins', () => {
  for (const count of [2, 3]) {
    test(`one active admin is left when ${count} demote, disable and delete each other, ${ROUNDS} times`, async () => {
      await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
      const [first] = replicas.pair
      let admins: TestUser[] = []
      while (admins.length < count) admins.push(await first.addAdmin())
      let finished = false
      let fewestSeen = count

      async function watch(service: Service): Promise<void> {
        while (!finished) {
          fewestSeen = Math.min(fewestSeen, await activeAdmins(service))
          await turns(1)
        }
      }
      async function attack(): Promise<void> {
        for (const round of times(ROUNDS)) {
          const answers = await Promise.all(
            admins.map((actor, at) => {
              const victim = admins[(at + 1) % count] ?? actor
              const move = ATTACKS[(round + (round % 4 === 0 ? at : 0)) % 3] ?? demote
              return move(replicas.pair[at % 2 ? 1 : 0], actor, victim)
            }),
          )

          assert.deepEqual(
            answers.filter(({ status }) => !FINE.has(status)),
            [],
          )
          // Within a round admins only become fewer: those at its end are the fewest of any commit.
          assert.ok((await activeAdmins(first)) >= 1, `nobody is left after round ${round}`)
          admins = await restore(first, admins)
        }
      }
      await Promise.all([
        watch(replicas.pair[1]),
        attack().finally(() => {
          finished = true
        }),
      ])

      assert.ok(fewestSeen >= 1)
    })
  }

  test(`both fields are kept when two admins change different ones, ${ROUNDS} times`, async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const [ann, bob] = [await first.addAdmin(), await first.addAdmin()]
    const carol = await first.addUser()

    for (const run of times(ROUNDS)) {
      const role = run % 2 ? 'user' : 'admin'
      const url = `/api/v1/users/${carol.id}`
      const [renamed, moved] = await Promise.all([
        first.patch(url, { full_name: `Carol ${run}` }, { token: ann.access }),
        second.patch(url, { role }, { token: bob.access }),
      ])

      assert.deepEqual([renamed.status, moved.status], [200, 200])
      const { body } = await first.get(url, { token: ann.access })
      assert.deepEqual([body.full_name, body.role], [`Carol ${run}`, role])
    }
  })

  test('a change against a delete: 200 or 404, and the user is gone', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()

    for (const run of times(ROUNDS)) {
      const url = `/api/v1/users/${(await first.addUser()).id}`
      const [changed, deleted, deletedToo] = await Promise.all([
        turns(run % 5).then(() => first.patch(url, { role: 'admin' }, { token: admin.access })),
        second.delete(url, { token: admin.access }),
        first.delete(url, { token: admin.access }),
      ])

      assert.ok([200, 404].includes(changed.status), changed.text)
      assert.deepEqual(
        [deleted.status, deletedToo.status].toSorted((a, b) => a - b),
        [200, 404],
      )
      assert.equal((await first.get(url, { token: admin.access })).status, 404)
    }
  })

  for (const [what, prepare] of [
    [
      'the confirmation of a number',
      async (service, user) => {
        const code = await phoneCodeFor(service, user)
        return () => confirmPhone(service, user, code)
      },
    ],
    [
      'the confirmation of an address',
      async (service, user) => {
        const code = await emailCodeFor(service, user, `new.${user.email}`)
        return () => confirmEmail(service, user, code)
      },
    ],
    [
      'an undo',
      async (service, user) => {
        await changeEmail(service, user, `new.${user.email}`)
        const token = undoTokenFor(service, user.email)
        return () => undoEmail(service, token)
      },
    ],
    [
      'a reset',
      async (service, user) => {
        const token = await tokenFor(service, user.email)
        return () => reset(service, token)
      },
    ],
  ] satisfies [string, (service: Service, user: TestUser) => Promise<() => Promise<Answer>>][]) {
    test(`${what} against a delete: never a 5xx, and nothing is left`, async () => {
      await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
      const [first, second] = replicas.pair
      const admin = await first.addAdmin()

      for (const run of times(ROUNDS)) {
        const user = await first.addUser()
        const act = await prepare(first, user)
        // What is prepared takes minutes: a token is old after thirty.
        const deleter = await first.logIn(admin.email)
        const [acted, deleted] = await Promise.all([
          turns(run % 5).then(act),
          deleteUser(second, deleter, user),
        ])

        assert.equal(deleted.status, 200, deleted.text)
        assert.ok([200, 400, 401].includes(acted.status), acted.text)
      }
      assert.equal((await rowsOf(first.ctx, 'users')).length, 1)
      for (const table of ['phone_changes', 'email_changes', 'password_resets'] as const)
        assert.deepEqual(await rowsOf(first.ctx, table), [])
    })
  }

  test('a promotion against a disable: never an admin who is disabled', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()
    const carol = await first.addUser()
    const url = `/api/v1/users/${carol.id}`

    for (const run of times(ROUNDS)) {
      const [promoted, disabled] = await Promise.all([
        turns(run % 5).then(() => first.patch(url, { role: 'admin' }, { token: admin.access })),
        second.patch(url, { disabled: true }, { token: admin.access }),
      ])

      assert.equal(disabled.status, 200, disabled.text)
      assert.ok([200, 409].includes(promoted.status), promoted.text)
      // In either order: promoted and then disabled, or refused as inactive.
      const { body } = await first.get(url, { token: admin.access })
      assert.deepEqual(
        [body.role, body.disabled],
        [promoted.status === 200 ? 'admin' : 'user', true],
      )
      const reset = { role: 'user', disabled: false }
      assert.equal((await first.patch(url, reset, { token: admin.access })).status, 200)
    }
  })
})
