import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertProblem } from '../../support/problem.ts'
import { PASSWORD, startService } from '../../support/service.ts'

describe('GET /me', () => {
  test('200 shows who is signed in, and nothing secret', async () => {
    await using service = await startService()
    const ann = await service.addUser('Ann@Example.com', PASSWORD, 'Ann Lee')

    const answer = await service.get('/api/v1/me', { token: ann.access })

    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, {
      id: ann.id,
      email: 'Ann@Example.com',
      full_name: 'Ann Lee',
      phone: null,
      role: 'user',
      is_verified: true,
      disabled: false,
      created_at: '2026-01-01T12:00:00.000Z',
      updated_at: '2026-01-01T12:00:00.000Z',
    })
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['etag'], undefined)
  })

  test('200 shows the user as it is now, whatever the token said', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser()
    const change = { role: 'admin', full_name: 'Ann' }
    await service.patch(`/api/v1/users/${ann.id}`, change, { token: admin.access })

    const { body } = await service.get('/api/v1/me', { token: ann.access })

    assert.equal(body.role, 'admin')
    assert.equal(body.full_name, 'Ann')
  })

  test('401 authentication_required without a token', async () => {
    await using service = await startService()

    const answer = await service.get('/api/v1/me')

    assertProblem(answer, 'authentication_required')
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
  })
})
