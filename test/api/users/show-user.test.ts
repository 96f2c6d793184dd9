import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../../../server/lib/units.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { PASSWORD, startService } from '../../support/service.ts'

/** Paths that a lenient reader takes for an id (ADM-03), and how they are refused. */
const INEXACT_IDS = [
  ['01', 422],
  ['1.0', 422],
  ['1e0', 422],
  ['0x1', 422],
  ['-1', 422],
  ['+1', 422],
  ['0', 422],
  ['1;', 422],
  ['1,2', 422],
  ['me', 422],
  ['9007199254740993', 422],
  ['9223372036854775808', 422],
  ['%31', 404],
  ['%201', 404],
  ['1%00', 404],
  ['%D9%A1', 404],
] as const

describe('GET /users/{id}', () => {
  test('200 shows an admin any user', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser('ann@example.com', PASSWORD, 'Ann')

    const answer = await service.get(`/api/v1/users/${ann.id}`, { token })

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, (await service.get('/api/v1/me', { token: ann.access })).body)
  })

  test('200 tells of the unverified when they will be deleted', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp('bob@example.com', PASSWORD, 'Bob')

    const { body } = await service.get(`/api/v1/users/${admin.id + 1}`, { token: admin.access })

    assert.equal(body.email, 'bob@example.com')
    assert.equal(body.is_verified, false)
    assert.equal(body.full_name, null)
    const lifetimeMs = Date.parse(body.verification_expires_at) - Date.parse(body.created_at)
    assert.equal(lifetimeMs, 48 * HOUR_MS)
  })

  test('403 forbidden for others, the same whether that user exists or not', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const bob = await service.addUser()

    const [own, existing, unknown] = [
      await service.get(`/api/v1/users/${ann.id}`, { token: ann.access }),
      await service.get(`/api/v1/users/${bob.id}`, { token: ann.access }),
      await service.get('/api/v1/users/999999', { token: ann.access }),
    ]

    for (const answer of [own, existing, unknown]) assertProblem(answer, 'forbidden')
    assert.deepEqual(
      { ...existing.body, request_id: '' },
      { ...unknown.body, request_id: '' },
      'the body tells the two apart',
    )
    assert.deepEqual(Object.keys(existing.headers), Object.keys(unknown.headers))
  })

  for (const id of ['999999', String(Number.MAX_SAFE_INTEGER)]) {
    test(`404 not_found for the unknown id ${id}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addAdmin()

      assertProblem(await service.get(`/api/v1/users/${id}`, { token }), 'not_found')
    })
  }

  for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
    test(`422 or 404 for ${method} of what only looks like an id`, async () => {
      await using service = await startService()
      const ann = await service.addUser()
      const { access: token } = await service.addAdmin()
      assert.equal(ann.id, 1, 'the user whom the aliases below could mean')
      const body = method === 'PATCH' ? { full_name: 'Eve' } : undefined

      for (const [id, status] of INEXACT_IDS) {
        const answer = await service.request(method, `/api/v1/users/${id}`, { token, body })
        if (status === 422) assertInvalid(answer, 'id')
        else assertProblem(answer, 'not_found')
      }

      const { body: user } = await service.get('/api/v1/users/1', { token })
      assert.equal(user.full_name, null)
    })
  }
})
