import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { DATABASE } from '../../support/database.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { emails, ids, nextOf, startList, USERS } from '../../support/users.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'

describe('GET /users', () => {
  test('200 is a bare array of users, by id, with nothing secret', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com', PASSWORD, 'Ann')
    const { token, list } = await startList(service)
    await service.signUp('bob@example.com')

    const answer = await list()

    assert.equal(answer.status, 200)
    assert.equal(answer.headers['link'], undefined)
    assert.deepEqual(emails(answer), ['ann@example.com', 'zoe@example.org', 'bob@example.com'])
    assert.deepEqual(answer.body[0], (await service.get('/me', { token: ann.access })).body)
    assert.deepEqual(answer.body[1], (await service.get('/me', { token })).body)
    assert.doesNotMatch(answer.text, /password|argon2|canonical/)
  })

  test('200 skip and limit as the original had them', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { list } = await startList(service)
    for (let n = 2; n <= 5; n++) await service.signUp(`user${n}@example.com`)

    assert.deepEqual(ids(await list({ skip: '1', limit: '2' })), [2, 3])
    assert.deepEqual(ids(await list({ skip: '4' })), [5])
    assert.deepEqual(ids(await list({ skip: '10000' })), [])
    assert.deepEqual(ids(await list({ limit: '100' })), [1, 2, 3, 4, 5])
  })

  for (const [sort, expected] of [
    ['id', [1, 2, 3, 4]],
    ['-id', [4, 3, 2, 1]],
    ['email', [3, 2, 4, 1]],
    ['-email', [1, 4, 2, 3]],
    ['created_at', [1, 2, 3, 4]],
    ['-created_at', [4, 3, 2, 1]],
  ] as const) {
    test(`200 sort=${sort}`, async () => {
      await using service = await startService()
      const { list } = await startList(service)
      await service.signUp('Bob@example.com')
      await service.signUp('ann@example.com')
      await service.signUp('carl@example.com')

      assert.deepEqual(ids(await list({ sort })), expected)
    })
  }

  test('200 filters by role and verification, alone and together', async () => {
    await using service = await startService()
    const { list } = await startList(service)
    await service.addUser('ann@example.com')
    await service.signUp('bob@example.com')

    assert.deepEqual(emails(await list({ role: 'admin' })), ['zoe@example.org'])
    assert.deepEqual(emails(await list({ is_verified: 'false' })), ['bob@example.com'])
    const verified = await list({ role: 'user', is_verified: 'true' })
    assert.deepEqual(emails(verified), ['ann@example.com'])
    assert.deepEqual(emails(await list({ role: 'admin', is_verified: 'false' })), [])
  })

  for (const [why, url] of [
    ['the list', USERS],
    ['a filter', `${USERS}?role=admin`],
    ['a secret column', `${USERS}?sort=hashed_password`],
  ] as const) {
    test(`403 forbidden for a user who asks for ${why}`, async () => {
      await using service = await startService()
      const { access: token } = await service.addUser()

      assertProblem(await service.get(url, { token }), 'forbidden')
    })
  }

  test('401 authentication_required without a token', async () => {
    await using service = await startService()
    assertProblem(await service.get(USERS), 'authentication_required')
  })

  for (const count of ['exact', 'estimate']) {
    test(`200 count=${count} tells how many users there are on all pages`, async () => {
      await using service = await startService({
        RATE_LIMIT: 'off',
        CORS_ORIGINS: 'https://a.example',
      })
      const { token, list } = await startList(service)
      for (const name of ['ann', 'bob', 'cleo']) await service.signUp(`${name}@example.com`)
      const totalOf = async (query: Record<string, string>) =>
        (await list({ count, ...query })).headers['x-total-count']

      const first = await list({ count, limit: '1', skip: '1', is_verified: 'false' })
      const next = nextOf(first) ?? ''
      const second = await service.get(`${next}&count=${count}`, { token })

      assert.equal(first.headers['x-total-count'], '3')
      assert.equal(first.headers['x-total-count-estimated'], undefined)
      assert.doesNotMatch(next, /count/)
      assert.deepEqual([second.status, second.headers['x-total-count']], [200, '3'])
      assert.equal(await totalOf({}), '4')
      assert.equal(await totalOf({ role: 'admin' }), '1')
      assert.equal(await totalOf({ role: 'admin', is_verified: 'false' }), '0')
      assertInvalid(await list({ count, q: 'ann' }), 'count', 'with_q')
      assert.equal((await list()).headers['x-total-count'], undefined)
      const origin = { headers: { origin: 'https://a.example' }, token }
      const { headers } = await service.get(USERS, origin)
      assert.match(headers['access-control-expose-headers'] ?? '', /X-Total-Count, .*-Estimated/)
    })
  }

  test('200 with an exact count, whatever is missing between the ids', async () => {
    await using service = await startService()
    const { list } = await startList(service)
    const override = DATABASE === 'postgres' ? 'overriding system value' : ''
    await service.ctx.transaction((tx) =>
      sql
        .raw(
          `insert into users (id, email, email_canonical, role, password_hash, created_at, updated_at) ${override}
          select 1000000000000, 'far@example.com', 'far@example.com', role, password_hash, created_at, updated_at
          from users`,
        )
        .execute(tx),
    )

    const { status, headers } = await list({ count: 'exact' })

    assert.deepEqual([status, headers['x-total-count']], [200, '2'])
  })

  test('422 for a skip beyond 10 000, which names what to use instead', async () => {
    await using service = await startService()
    const { list } = await startList(service)

    for (const skip of ['10001', '2147483647', '9007199254740991']) {
      const answer = await list({ skip })
      assertInvalid(answer, 'skip', 'maximum')
      assert.match(
        answer.body.errors[0].detail,
        /at most 10000: .* Link header, which uses `after`/,
      )
    }
  })
})

describe('GET /users?q', () => {
  let service: Service
  let list: Awaited<ReturnType<typeof startList>>['list']
  before(async () => {
    service = await startService({ RATE_LIMIT: 'off' })
    list = (await startList(service)).list
    for (const [index, name] of NAMES.entries())
      await service.addUser(`n${index}@example.com`, PASSWORD, name)
  })
  after(() => service[Symbol.asyncDispose]())

  const NAMES = ['Élodie', '100% Arabica', 'snake_case', 'back\\slash', `O'Brien`, 'ΟΔΟΣ', 'İnci']

  for (const [q, expected] of [
    ['élodie', ['Élodie']],
    ['ÉLO', ['Élodie']],
    ['e\u0301lodie', ['Élodie']],
    ['elodie', []],
    ['él', ['Élodie']],
    [`o'`, [`O'Brien`]],
    ['bi', []],
    ['%', []],
    ['0%a', []],
    ['_', []],
    ['ke_', ['snake_case']],
    ['snake.case', []],
    ['\\', []],
    ['k\\s', ['back\\slash']],
    ['\\\\', []],
    ["'", []],
    ["o'b", [`O'Brien`]],
    ["' or '1'='1", []],
    ["'; drop table users --", []],
    ['100% ara', ['100% Arabica']],
    ['ΟΔΟΣ', ['ΟΔΟΣ']],
    ['İnci', ['İnci']],
    ['(a+)+$', []],
    ['ZOE@EXAMPLE.ORG', [null]],
    ['@example.org', [null]],
    ['x'.repeat(254), []],
  ] as const) {
    test(`200 finds ${JSON.stringify(expected)} by the literal text ${q.slice(0, 30)}`, async () => {
      const answer = await list({ q })

      assert.equal(answer.status, 200, answer.text)
      const names = answer.body.map((user: { full_name: string | null }) => user.full_name)
      assert.deepEqual(names, expected)
    })
  }

  test('422 for an empty, overlong or unprintable text', async () => {
    assertInvalid(await list({ q: '' }), 'q', 'minLength')
    assertInvalid(await list({ q: 'x'.repeat(255) }), 'q', 'maxLength')
    assertInvalid(await list({ q: 'a\0b' }), 'q', 'pattern')
    assertInvalid(await list({ q: 'a\nb' }), 'q', 'pattern')
  })

  test('414 uri_too_long for 10 kB', async () => {
    assertProblem(await list({ q: 'x'.repeat(10_000) }), 'uri_too_long')
  })
})

describe('GET /users refuses', () => {
  let service: Service
  let admin: Awaited<ReturnType<typeof startList>>
  before(async () => {
    service = await startService()
    admin = await startList(service)
  })
  after(() => service[Symbol.asyncDispose]())

  for (const [name, values] of [
    ['limit', ['-1', '0', '101', '1000000000', '9223372036854775808', '1e1', '0x10', ' 5', '5 ']],
    ['limit', ['5.0', '5.5', '+5', '05', 'NaN', 'null', '', '١', '５']],
    ['skip', ['-1', '9223372036854775808', '9007199254740993', '2147483648', '1e308', '1e1']],
    ['skip', ['00', '0x10', ' 1', '1.0', 'NaN', '', '١']],
    ['sort', ['hashed_password', 'password_hash', 'role', '--id', 'ID', 'id,email', 'id desc', '']],
    ['role', ['Admin', 'root', 'admin,user', '']],
    ['is_verified', ['1', '0', 'TRUE', 'yes', '']],
    ['count', ['true', '1', 'Exact', 'exact,estimate', '']],
    ['after', ['', 'x', 'e30', 'e30.e30', '..', "' or 1", 'x'.repeat(1024)]],
  ] as const) {
    test(`422 ${name} of ${values.map((value) => value.slice(0, 20)).join(' | ')}`, async () => {
      for (const value of values) assertInvalid(await admin.list({ [name]: value }), name)
    })
  }

  for (const [query, pointer] of [
    ['limit=1&limit=100', 'limit'],
    ['role=user&role=admin', 'role'],
    ['q=a&q=b', 'q'],
    ['limit[]=5', 'limit[]'],
    ['limit[a]=5', 'limit[a]'],
    ['hashed_password[$startsWith]=a', 'hashed_password[$startsWith]'],
    ['email=ann@example.com', 'email'],
    ['Sort=id', 'Sort'],
    ['__proto__=1', '__proto__'],
  ] as const) {
    test(`422 ?${query}`, async () => {
      const { token } = admin
      assertInvalid(await service.get(`${USERS}?${query}`, { token }), pointer)
    })
  }
})
