import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { otherThan } from './support/codes.ts'
import {
  CONFIRM,
  NUMBER,
  OTHER_NUMBER,
  PHONE,
  pendingPhones,
  phoneCodeFor,
  phoneOf,
  triesOf,
} from './support/phones.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, startReplicas, times } from './support/races.ts'

describe('confirmations at once, over two replicas', () => {
  test('200 exactly once for the right code 50 times', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser()
    const code = await phoneCodeFor(first, ann)

    const answers = await Promise.all(
      times(50).map((n) => (n % 2 ? second : first).post(CONFIRM, { code }, { token: ann.access })),
    )

    assert.deepEqual(countStatuses(answers), { 200: 1, 400: 49 })
    assert.equal(await phoneOf(first, ann), NUMBER)
  })

  test('400 for 200 wrong guesses: five are compared, then not even the right one', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser()
    const code = await phoneCodeFor(first, ann)

    const answers = await Promise.all(
      times(200).map((n) =>
        (n % 2 ? second : first).post(
          CONFIRM,
          { code: otherThan(code, n + 1) },
          { token: ann.access },
        ),
      ),
    )

    assert.deepEqual(countStatuses(answers), { 400: 200 })
    assert.deepEqual(await triesOf(first, ann.email), { phone: 5 })
    assertProblem(await first.post(CONFIRM, { code }, { token: ann.access }), 'invalid_code')
  })

  test('against a change of the number: the code’s own number or none, never the other', async () => {
    await using replicas = await startReplicas({ RATE_LIMIT: 'off' })
    const [first, second] = replicas.pair

    for (const n of times(30)) {
      const user = await first.addUser(`racer${n}@example.com`)
      const code = await phoneCodeFor(first, user)
      const token = user.access
      const [confirmed] = await Promise.all([
        first.post(CONFIRM, { code }, { token }),
        second.post(PHONE, { phone: OTHER_NUMBER }, { token }),
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
        first.post(CONFIRM, { code }, { token: user.access }),
        second.delete(`/api/v1/users/${user.id}`, { token: admin.access }),
      ])

      assert.equal(deleted.status, 200)
      assert.ok([200, 400, 401].includes(confirmed.status), confirmed.text)
    }
    assert.deepEqual(await pendingPhones(first), [])
    const left = await first.ctx.db.selectFrom('users').select('email').execute()
    assert.deepEqual(
      left.map(({ email }) => email),
      [admin.email],
    )
  })
})
