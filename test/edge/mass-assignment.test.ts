import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { rowsOf } from '../support/seed.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from '../support/service.ts'
import { rowOf, USERS } from '../support/users.ts'

const SIGN_UP = '/api/v1/auth/signup'
const ME = '/api/v1/me'
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

type Field = readonly [name: string, value: unknown]

/** Fields of the table, of the answer, of the original service, and of other frameworks. */
const PRIVATE_FIELDS: readonly Field[] = [
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

const OF_TOKENS: readonly Field[] = [
  ['role', 'admin'],
  ['scope', 'admin'],
  ['sub', '1'],
  ['user_id', 1],
  ['expires_in', 999_999],
]
const RIGHTS: readonly Field[] = [
  ['role', 'admin'],
  ['disabled', false],
]
const CREDENTIALS: readonly Field[] = [
  ['email', 'evil@example.com'],
  ['password', 'another good password'],
]
const OWN_CREDENTIALS: readonly Field[] = [...CREDENTIALS, ['current_password', PASSWORD]]

describe('nobody sets a field that is not theirs to set', () => {
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

  const patch = (url: string, body: object, { access: token }: TestUser) =>
    service.patch(url, body, { token })
  const urlOf = ({ id }: TestUser) => `${USERS}/${id}`
  const everything = async () => ({
    users: await rowsOf(service.ctx, 'users'),
    signUps: await rowsOf(service.ctx, 'sign_ups'),
    mails: await rowsOf(service.ctx, 'outbox'),
  })

  for (const [where, fields, send] of [
    [
      'at sign-up',
      [...PRIVATE_FIELDS, ...RIGHTS],
      (field) => service.post(SIGN_UP, { email: 'new@example.com', password: PASSWORD, ...field }),
    ],
    [
      'on /me, beside a good one',
      [...PRIVATE_FIELDS, ...OWN_CREDENTIALS, ...RIGHTS],
      (field) => patch(ME, { full_name: 'Mallory', ...field }, ann),
    ],
    [
      'of oneself by id, beside a good one',
      [...PRIVATE_FIELDS, ...CREDENTIALS],
      (field) => patch(urlOf(ann), { full_name: 'Mallory', ...field }, ann),
    ],
    [
      'of another by an admin, beside a good one',
      [...PRIVATE_FIELDS, ...CREDENTIALS],
      (field) => patch(urlOf(bob), { full_name: 'Mallory', ...field }, admin),
    ],
    [
      'at login',
      OF_TOKENS,
      (field) =>
        service.post('/api/v1/auth/login', { email: ann.email, password: PASSWORD, ...field }),
    ],
    [
      'at refresh',
      OF_TOKENS,
      (field) => service.post('/api/v1/auth/refresh', { refresh_token: ann.refresh, ...field }),
    ],
  ] satisfies [string, readonly Field[], (field: object) => Promise<Answer>][]) {
    for (const [name, value] of fields) {
      test(`422 for ‹${name}› ${where}, and nothing is written or mailed`, async () => {
        const before = await everything()

        const answer = await send({ [name]: value })

        assertInvalid(answer, `/${name}`, 'additionalProperties')
        assert.deepEqual(await everything(), before)
      })
    }
  }

  test('201 for an ordinary user, whatever the query of a sign-up asks for', async () => {
    const body = { email: 'query@example.com', password: PASSWORD }

    const answer = await service.post(`${SIGN_UP}?role=admin&is_verified=true&id=1`, body)

    assert.equal(answer.status, 201)
    const made = (await rowsOf(service.ctx, 'users')).filter(({ email }) => email === body.email)
    assert.deepEqual(
      made.map(({ role, verified_at: verifiedAt }) => [role, verifiedAt]),
      [['user', null]],
    )
  })

  for (const change of [
    { role: 'admin' },
    { role: 'user' },
    { disabled: true },
    { disabled: false },
    { full_name: 'Mallory', role: 'admin' },
  ]) {
    test(`403 own_role for ${JSON.stringify(change)} of oneself, and nothing changes`, async () => {
      const before = await rowOf(service, ann)

      assertProblem(await patch(urlOf(ann), change, ann), 'own_role')

      assert.deepEqual(await rowOf(service, ann), before)
    })
  }

  for (const [field, code, values] of [
    ['role', undefined, ['Admin', 'admin ', 'superadmin', '', null, 1, true, ['admin'], { a: 1 }]],
    ['disabled', 'type', ['true', 'false', 1, 0, null, '']],
  ] as const) {
    for (const value of values) {
      test(`422 for ${field}: ${JSON.stringify(value)} by an admin, and nothing changes`, async () => {
        const before = await rowOf(service, bob)

        assertInvalid(await patch(urlOf(bob), { [field]: value }, admin), `/${field}`, code)

        assert.deepEqual(await rowOf(service, bob), before)
      })
    }
  }

  test('422 for another id in the body or the query than in the path: the path decides', async () => {
    const before = await everything()

    const inBody = await patch(urlOf(ann), { id: bob.id, full_name: 'Mallory' }, ann)
    const inQuery = await patch(`${urlOf(bob)}?id=${ann.id}`, {}, ann)

    assertInvalid(inBody, '/id', 'additionalProperties')
    assertProblem(inQuery, 'forbidden')
    assert.deepEqual(await everything(), before)
  })

  test('200 a user has exactly the public fields, wherever it is shown', async () => {
    const token = admin.access
    const answers = [
      await service.get(ME, { token: bob.access }),
      await patch(ME, {}, bob),
      await service.get(urlOf(bob), { token }),
      await patch(urlOf(bob), {}, admin),
    ]
    const list = await service.get(`${USERS}?is_verified=true`, { token })

    for (const user of [...answers.map(({ body }) => body), ...list.body])
      assert.deepEqual(Object.keys(user).toSorted(), USER_FIELDS)
    const { password_hash: hash } = await rowOf(service, bob)
    for (const { text } of [...answers, list])
      assert.ok(hash !== null && !text.includes(hash) && !/argon2|hash|code|token/i.test(text))
  })

  test('200 an unverified user tells besides only when it will be deleted', async () => {
    await service.signUp('pending@example.com')
    const list = await service.get(`${USERS}?q=pending`, { token: admin.access })
    assert.deepEqual(
      Object.keys(list.body[0]).toSorted(),
      [...USER_FIELDS, 'verification_expires_at'].toSorted(),
    )
  })
})
