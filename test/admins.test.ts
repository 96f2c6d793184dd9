import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changeUser } from '../server/api/user-changes.ts'
import { assertProblem } from './support/problem.ts'
import { startService } from './support/service.ts'
import { rowOf } from './support/users.ts'

const at = (user: { id: number }) => `/api/v1/users/${user.id}`

describe('who may become an admin', () => {
  test('409 user_inactive for promoting somebody unverified', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp('bob@example.com')
    const bob = { id: admin.id + 1 }
    const change = { role: 'admin', full_name: 'Bob' }

    const answer = await service.patch(at(bob), change, { token: admin.access })

    assertProblem(answer, 'user_inactive')
    const { role, full_name } = await rowOf(service, bob)
    assert.deepEqual({ role, full_name }, { role: 'user', full_name: null })
  })

  test('409 user_inactive for promoting somebody disabled, now or by the same change', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()

    const both = await service.patch(at(ann), { role: 'admin', disabled: true }, { token })
    await service.patch(at(ann), { disabled: true }, { token })
    const later = await service.patch(at(ann), { role: 'admin' }, { token })

    assertProblem(both, 'user_inactive')
    assertProblem(later, 'user_inactive')
    assert.equal((await rowOf(service, ann)).role, 'user')
  })

  test('200 for promoting and enabling in one change', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()
    await service.patch(at(ann), { disabled: true }, { token })

    const answer = await service.patch(at(ann), { role: 'admin', disabled: false }, { token })

    assert.equal(answer.status, 200)
    assert.equal(answer.body.role, 'admin')
    assert.equal(answer.body.disabled, false)
  })
})

describe('one admin stays', () => {
  const LOSSES = [{ role: 'user' }, { disabled: true }, { role: 'user', disabled: true }] as const

  for (const change of LOSSES) {
    test(`409 last_admin for ${JSON.stringify(change)} by an operator`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const before = await rowOf(service, admin)

      // Through the API only an admin could ask this, who then would not be the last.
      await assert.rejects(changeUser(service.ctx, admin.id, change), { code: 'last_admin' })

      assert.deepEqual(await rowOf(service, admin), before)
    })

    test(`two admins send each other ${JSON.stringify(change)} at once: one stays`, async () => {
      await using service = await startService()
      const [ann, bob] = [await service.addAdmin(), await service.addAdmin()]

      const answers = await Promise.all([
        service.patch(at(bob), change, { token: ann.access }),
        service.patch(at(ann), change, { token: bob.access }),
      ])

      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
      assert.equal(statuses[0], 200)
      // The second is refused by the rule, or by the guard when the first was through already.
      assert.ok([401, 403, 409].includes(statuses[1] ?? 0), String(statuses))
      const rows = [await rowOf(service, ann), await rowOf(service, bob)]
      const active = rows.filter((row) => row.role === 'admin' && row.disabled_at === null)
      assert.equal(active.length, 1)
    })
  }

  test('409 last_admin though a disabled admin is left', async () => {
    await using service = await startService()
    const ann = await service.addAdmin()
    const bob = await service.addAdmin()
    await service.patch(at(bob), { disabled: true }, { token: ann.access })

    await assert.rejects(changeUser(service.ctx, ann.id, { role: 'user' }), { code: 'last_admin' })
  })
})
