import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  confirmPhone,
  NUMBER,
  OTHER_NUMBER,
  pendingPhones,
  phoneCodeFor,
  phoneOf,
  wantPhone,
} from './support/phones.ts'
import { startReplicas, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'

describe('the confirmation of a number, over two replicas', () => {
  test('against a change of the number: the code’s own number or none, never the other', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair

    for (const n of times(30)) {
      const user = await first.addUser(`racer${n}@example.com`)
      const code = await phoneCodeFor(first, user)
      const [confirmed] = await Promise.all([
        confirmPhone(first, user, code),
        wantPhone(second, user, OTHER_NUMBER),
      ])

      assert.ok([200, 400].includes(confirmed.status), confirmed.text)
      assert.equal(await phoneOf(first, user), confirmed.status === 200 ? NUMBER : null)
      // The other number's message is not the next user's.
      await first.deliverMail()
    }
  })

  test('against an admin’s delete: never a 5xx, and number and code go with the user', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair
    const admin = await first.addAdmin()

    for (const n of times(20)) {
      const user = await first.addUser(`racer${n}@example.com`)
      const code = await phoneCodeFor(first, user)
      const [confirmed, deleted] = await Promise.all([
        confirmPhone(first, user, code),
        second.delete(`/api/v1/users/${user.id}`, { token: admin.access }),
      ])

      assert.equal(deleted.status, 200)
      assert.ok([200, 400, 401].includes(confirmed.status), confirmed.text)
    }
    assert.deepEqual(await pendingPhones(first), [])
    const left = await rowsOf(first.ctx, 'users')
    assert.deepEqual(
      left.map(({ email }) => email),
      [admin.email],
    )
  })
})
