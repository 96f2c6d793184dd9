import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'

// Nobody sets a field that is not theirs to set, however it is named.

const SIGN_UP = '/api/v1/auth/signup'
const USER_FIELDS = [
  'created_at',
  'disabled',
  'email',
  'full_name',
  'id',
  'is_verified',
  'phone',
  'role',
  'updated_at',
]

describe('fields that are not for the caller to set', () => {
  let service: Service
  let ann: TestUser
  let bob: TestUser
  let admin: TestUser

  before(async () => {
    service = await startService()
    ann = await service.addUser('ann@example.com')
    bob = await service.addUser('bob@example.com')
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  const rowOf = (id: number) =>
    service.ctx.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const everything = async () => ({
    users: await service.ctx.db.selectFrom('users').selectAll().orderBy('id').execute(),
    signUps: await service.ctx.db.selectFrom('sign_ups').selectAll().orderBy('id').execute(),
    mails: await service.ctx.db.selectFrom('outbox').select('id').orderBy('id').execute(),
  })

  /** Fields of the table, of the answer, of the original service, and of other frameworks. */
  const PRIVATE_FIELDS: readonly (readonly [string, unknown])[] = [
    ['id', 1],
    ['user_id', 1],
    ['userId', 1],
    ['sub', '1'],
    ['is_verified', true],
    ['verified_at', '2026-01-01T00:00:00.000Z'],
    ['disabled_at', null],
    ['created_at', '2000-01-01T00:00:00.000Z'],
    ['updated_at', '2000-01-01T00:00:00.000Z'],
    ['password_changed_at', null],
    ['phone', '+4915123456789'],
    ['phone_verified_at', '2026-01-01T00:00:00.000Z'],
    ['verification_expires_at', '2100-01-01T00:00:00.000Z'],
    ['password_hash', 'x'],
    ['hashed_password', 'x'],
    ['email_canonical', 'evil@example.com'],
    ['token_version', 7],
    ['verification_code', '123456'],
    ['code', '123456'],
    ['is_admin', true],
    ['isAdmin', true],
    ['is_superuser', true],
    ['permissions', ['admin']],
    ['roles', ['admin']],
    ['Role', 'admin'],
    ['ROLE', 'admin'],
    ['role ', 'admin'],
    [' role', 'admin'],
    ['role\0', 'admin'],
    ['rоle', 'admin'],
    ['user.role', 'admin'],
    ['user[role]', 'admin'],
    ['$set', { role: 'admin' }],
    ['profile', { role: 'admin' }],
    ['user', { role: 'admin' }],
    ['data', { attributes: { role: 'admin' } }],
    ['', 'admin'],
  ]

  describe('sign-up', () => {
    for (const [name, value] of [
      ...PRIVATE_FIELDS,
      ['role', 'admin'],
      ['disabled', false],
    ] as const) {
      test(`422 for ‹${name}›, and nothing is written or mailed`, async () => {
        const before = await everything()
        const body = { email: 'new@example.com', password: PASSWORD, [name]: value }

        const answer = await service.post(SIGN_UP, body)

        assertInvalid(answer, `/${name}`, 'additionalProperties')
        assert.deepEqual(await everything(), before)
      })
    }

    test('201 for an ordinary user, whatever the query asks for', async () => {
      const body = { email: 'query@example.com', password: PASSWORD }

      const answer = await service.post(`${SIGN_UP}?role=admin&is_verified=true&id=1`, body)

      assert.equal(answer.status, 201)
      const made = (await everything()).users.filter(({ email }) => email === body.email)
      assert.deepEqual(
        made.map(({ role, verified_at: verifiedAt }) => [role, verifiedAt]),
        [['user', null]],
      )
    })
  })

  describe('PATCH of oneself', () => {
    const own = () => ['/api/v1/me', `/api/v1/users/${ann.id}`]

    for (const [name, value] of [
      ...PRIVATE_FIELDS,
      ['email', 'evil@example.com'],
      ['password', 'another good password'],
      ['current_password', PASSWORD],
    ] as const) {
      test(`422 for ‹${name}›, and the good field beside it changes nothing either`, async () => {
        const before = await rowOf(ann.id)

        for (const url of own()) {
          const body = { full_name: 'Mallory', [name]: value }
          const answer = await service.patch(url, body, { token: ann.access })
          assertInvalid(answer, `/${name}`, 'additionalProperties')
        }

        assert.deepEqual(await rowOf(ann.id), before)
      })
    }

    for (const change of [
      { role: 'admin' },
      { role: 'user' },
      { disabled: true },
      { disabled: false },
      { full_name: 'Mallory', role: 'admin' },
    ]) {
      test(`403 own_role for ${JSON.stringify(change)}, and nothing changes`, async () => {
        const before = await rowOf(ann.id)

        const answer = await service.patch(`/api/v1/users/${ann.id}`, change, { token: ann.access })

        assertProblem(answer, 'own_role')
        assert.deepEqual(await rowOf(ann.id), before)
      })
    }

    for (const field of ['role', 'disabled']) {
      test(`422 for ${field} on /me, which has only a name`, async () => {
        const body = { [field]: field === 'role' ? 'admin' : false }
        const answer = await service.patch('/api/v1/me', body, { token: ann.access })
        assertInvalid(answer, `/${field}`, 'additionalProperties')
      })
    }
  })

  describe('PATCH of another', () => {
    for (const [name, value] of [
      ...PRIVATE_FIELDS,
      ['email', 'evil@example.com'],
      ['password', 'another good password'],
    ] as const) {
      test(`422 for ‹${name}› by an admin, and nothing changes`, async () => {
        const before = await everything()

        const body = { full_name: 'Mallory', [name]: value }
        const answer = await service.patch(`/api/v1/users/${bob.id}`, body, { token: admin.access })

        assertInvalid(answer, `/${name}`, 'additionalProperties')
        assert.deepEqual(await everything(), before)
      })
    }

    for (const role of ['Admin', 'admin ', 'superadmin', '', null, 1, true, ['admin'], { a: 1 }]) {
      test(`422 for the role ${JSON.stringify(role)}`, async () => {
        const url = `/api/v1/users/${bob.id}`
        const answer = await service.patch(url, { role }, { token: admin.access })
        assertInvalid(answer, '/role')
        assert.equal((await rowOf(bob.id)).role, 'user')
      })
    }

    for (const disabled of ['true', 'false', 1, 0, null, '']) {
      test(`422 for disabled: ${JSON.stringify(disabled)}`, async () => {
        const url = `/api/v1/users/${bob.id}`
        const answer = await service.patch(url, { disabled }, { token: admin.access })
        assertInvalid(answer, '/disabled', 'type')
        assert.equal((await rowOf(bob.id)).disabled_at, null)
      })
    }

    test('422 for another id in the body or the query than in the path: the path decides', async () => {
      const before = await everything()
      const sent = { token: ann.access }
      const url = `/api/v1/users/${ann.id}`

      const inBody = await service.patch(url, { id: bob.id, full_name: 'Mallory' }, sent)
      const inQuery = await service.patch(`/api/v1/users/${bob.id}?id=${ann.id}`, {}, sent)

      assertInvalid(inBody, '/id', 'additionalProperties')
      assertProblem(inQuery, 'forbidden')
      assert.deepEqual(await everything(), before)
    })
  })

  describe('tokens', () => {
    for (const [name, value] of [
      ['role', 'admin'],
      ['scope', 'admin'],
      ['sub', '1'],
      ['user_id', 1],
      ['expires_in', 999_999],
    ] as const) {
      test(`422 for ‹${name}› at login and at refresh`, async () => {
        const credentials = { email: ann.email, password: PASSWORD, [name]: value }
        const renewal = { refresh_token: ann.refresh, [name]: value }

        const login = await service.post('/api/v1/auth/login', credentials)
        const refresh = await service.post('/api/v1/auth/refresh', renewal)

        assertInvalid(login, `/${name}`, 'additionalProperties')
        assertInvalid(refresh, `/${name}`, 'additionalProperties')
      })
    }
  })

  describe('what is shown', () => {
    test('200 a user has exactly the public fields, wherever it is shown', async () => {
      const token = admin.access
      const answers = [
        await service.get('/api/v1/me', { token: bob.access }),
        await service.patch('/api/v1/me', {}, { token: bob.access }),
        await service.get(`/api/v1/users/${bob.id}`, { token }),
        await service.patch(`/api/v1/users/${bob.id}`, {}, { token }),
      ]
      const list = await service.get('/api/v1/users?is_verified=true', { token })

      for (const user of [...answers.map(({ body }) => body), ...list.body])
        assert.deepEqual(Object.keys(user).toSorted(), USER_FIELDS)
      const { password_hash: hash } = await rowOf(bob.id)
      for (const { text } of [...answers, list])
        assert.ok(hash !== null && !text.includes(hash) && !/argon2|hash|code|token/i.test(text))
    })

    test('200 an unverified user tells besides only when it will be deleted', async () => {
      await service.signUp('pending@example.com')
      const list = await service.get('/api/v1/users?q=pending', { token: admin.access })
      assert.deepEqual(
        Object.keys(list.body[0]).toSorted(),
        [...USER_FIELDS, 'verification_expires_at'].toSorted(),
      )
    })
  })
})
