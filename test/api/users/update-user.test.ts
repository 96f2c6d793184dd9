import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { PASSWORD, type Service, startService, type TestUser } from '../../support/service.ts'
import { assertDead } from '../../support/sessions.ts'
import { rowOf } from '../../support/users.ts'

const at = (user: { id: number }) => `/api/v1/users/${user.id}`

describe('PATCH /users/{id} of others', () => {
  for (const [change, expected] of [
    [{ full_name: 'Ann Lee' }, { full_name: 'Ann Lee' }],
    [{ full_name: null }, { full_name: null }],
    [{ role: 'admin' }, { role: 'admin' }],
    [{ disabled: true }, { disabled: true }],
    [
      { full_name: 'Ann Lee', role: 'admin', disabled: false },
      { full_name: 'Ann Lee', role: 'admin', disabled: false },
    ],
  ] as const) {
    test(`200 ${JSON.stringify(change)} by an admin, and nothing else`, async () => {
      await using service = await startService()
      const { access: token } = await service.addAdmin()
      const ann = await service.addUser('ann@example.com', PASSWORD, 'Ann')
      const { body: before } = await service.get(at(ann), { token })
      service.advance(5000)

      const answer = await service.patch(at(ann), change, { token })

      assert.equal(answer.status, 200, answer.text)
      const updated = { updated_at: '2026-01-01T12:00:05.000Z' }
      assert.deepEqual(answer.body, { ...before, ...expected, ...updated })
      assert.deepEqual((await service.get(at(ann), { token })).body, answer.body)
    })
  }

  for (const change of [{}, { full_name: 'Ann', role: 'user', disabled: false }]) {
    test(`200 changes nothing, updated_at neither, for ${JSON.stringify(change)}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addAdmin()
      const ann = await service.addUser('ann@example.com', PASSWORD, 'Ann')
      const before = await rowOf(service, ann)
      service.advance(5000)

      const answer = await service.patch(at(ann), change, { token })

      assert.equal(answer.status, 200)
      assert.deepEqual(await rowOf(service, ann), before)
    })
  }

  test('200 disabling ends all sessions, and enabling again revives none', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()
    const phone = await service.logIn(ann.email)

    await service.patch(at(ann), { disabled: true }, { token })
    const login = { email: ann.email, password: PASSWORD }
    assertProblem(await service.post('/api/v1/auth/login', login), 'account_disabled')
    await service.patch(at(ann), { disabled: false }, { token })

    await assertDead(service, ann, phone)
    await service.logIn(ann.email)
  })

  test('200 a new role counts at once, for tokens from before, both ways', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()

    await service.patch(at(ann), { role: 'admin' }, { token })
    const promoted = await service.get('/api/v1/users', { token: ann.access })
    await service.patch(at(ann), { role: 'user' }, { token })
    const demoted = await service.get('/api/v1/users', { token: ann.access })

    assert.equal(promoted.status, 200)
    assertProblem(demoted, 'forbidden')
  })

  for (const [why, path] of [
    ['another user', (other: TestUser) => at(other)],
    ['an unknown user', () => '/api/v1/users/999999'],
    ['an id that is none', () => '/api/v1/users/0x1'],
  ] as const) {
    test(`403 forbidden for a user who changes ${why}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addUser()
      const other = await service.addUser()
      const before = await rowOf(service, other)

      const answer = await service.patch(path(other), { full_name: 'Eve' }, { token })

      assertProblem(answer, 'forbidden')
      assert.deepEqual(await rowOf(service, other), before)
    })
  }

  test('404 not_found for an unknown id, also one that was deleted', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const ann = await service.addUser()
    await service.delete(at(ann), { token })

    assertProblem(await service.patch(at({ id: 999_999 }), {}, { token }), 'not_found')
    assertProblem(await service.patch(at(ann), { full_name: 'A' }, { token }), 'not_found')
  })

  for (const type of ['application/json-patch+json', 'application/merge-patch+json']) {
    test(`415 unsupported_media_type for ${type}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addAdmin()
      const headers = { 'content-type': type }

      const answer = await service.patch(at({ id: 1 }), '{"role":"user"}', { token, headers })

      assertProblem(answer, 'unsupported_media_type')
    })
  }
})

// Fields that are not the admin’s to set, and their values: test/edge/mass-assignment.test.ts.

describe('PATCH /users/{id} refuses', () => {
  let service: Service
  let ann: TestUser
  let token: string
  let unchanged: object
  before(async () => {
    service = await startService()
    token = (await service.addAdmin()).access
    ann = await service.addUser()
    unchanged = await rowOf(service, ann)
    service.advance(5000)
  })
  after(() => service[Symbol.asyncDispose]())

  for (const [pointer, code, change] of [
    ['/role', 'enum', { role: 'root' }],
    ['/full_name', 'minLength', { full_name: '' }],
    ['/full_name', 'characters', { full_name: 'a\u202eb', role: 'admin' }],
  ] as const) {
    test(`422 for ${JSON.stringify(change)}, and nothing changes`, async () => {
      const answer = await service.patch(at(ann), change, { token })

      assertInvalid(answer, pointer, code)
      assert.deepEqual(await rowOf(service, ann), unchanged)
    })
  }
})

describe('PATCH /users/{id} of oneself', () => {
  let service: Service
  before(async () => {
    service = await startService()
    // Whoever changes itself is not the last admin.
    await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  for (const role of ['user', 'admin'] as const) {
    test(`200 for the own name, as ${role}`, async () => {
      const me = role === 'admin' ? await service.addAdmin() : await service.addUser()

      const answer = await service.patch(at(me), { full_name: 'Me' }, { token: me.access })

      assert.equal(answer.status, 200)
      assert.equal(answer.body.full_name, 'Me')
    })
  }

  for (const change of [
    { role: 'admin' },
    { role: 'user' },
    { disabled: true },
    { disabled: false },
    { full_name: 'Me', role: 'admin' },
  ]) {
    test(`403 own_role for ${JSON.stringify(change)} as admin`, async () => {
      const me = await service.addAdmin()
      const before = await rowOf(service, me)

      const answer = await service.patch(at(me), change, { token: me.access })

      assertProblem(answer, 'own_role')
      assert.deepEqual(await rowOf(service, me), before)
    })
  }
})
