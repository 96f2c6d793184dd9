import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertInvalid } from './support/problem.ts'
import { seedUsers } from './support/seed.ts'
import { emails, ids, nextOf, startList, USERS } from './support/users.ts'
import { type Service, startService } from './support/service.ts'

describe('GET /users page by page', () => {
  /** 250 sign-ups, ten at a time with the same `created_at`. */
  async function fill(service: Service): Promise<void> {
    for (let n = 1; n <= 250; n++) {
      await service.signUp(`${(n * 7919) % 1000}.${n}@example.com`)
      if (n % 10 === 0) service.advance(1)
    }
  }

  test('each user who stays is listed once, in every order, while others come and go', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { token, list } = await startList(service)
    await fill(service)
    const oldest = service.ctx.db.selectFrom('users').select('id').where('role', '=', 'user')

    for (const sort of ['id', '-id', 'email', '-email', 'created_at', '-created_at']) {
      const before = await service.ctx.db.selectFrom('users').select('id').execute()
      const deleted = new Set<number>()
      const seen: number[] = []
      let answer = await list({ sort, limit: '60' })
      for (let page = 0; page < 20; page++) {
        seen.push(...ids(answer))
        const next = nextOf(answer)
        if (next === undefined) break
        // The row that the cursor names, and one from anywhere.
        const { id: any } = await oldest.orderBy('id').executeTakeFirstOrThrow()
        for (const id of [ids(answer).at(-1) ?? 0, any]) {
          const { status } = await service.delete(`${USERS}/${id}`, { token })
          if (status === 200) deleted.add(id)
        }
        await service.signUp(`0-${sort}-${page}@example.com`)
        await service.signUp(`zz-${sort}-${page}@example.com`)
        answer = await service.get(next, { token })
        assert.equal(answer.status, 200, answer.text)
      }

      assert.equal(nextOf(answer), undefined)
      assert.equal(new Set(seen).size, seen.length, `${sort}: somebody was listed twice`)
      assert.ok(before.length > 200)
      const missed = before.filter(({ id }) => !deleted.has(id) && !seen.includes(id))
      assert.deepEqual(missed, [], sort)
    }
  })

  test('each filter selects the same users in every order, page by page', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { token, list } = await startList(service)
    const createdAtMs = service.ctx.now()
    await seedUsers(service.ctx, 150, { createdAtMs, verified: true })
    await seedUsers(service.ctx, 150, { createdAtMs })
    const users = await service.ctx.db
      .selectFrom('users')
      .select(['id', 'email_canonical as email', 'created_at', 'role', 'verified_at'])
      .orderBy('id')
      .execute()

    for (const sort of ['id', 'email', 'created_at'] as const) {
      const sorted = users.toSorted((a, b) => (a[sort] < b[sort] ? -1 : a[sort] > b[sort] ? 1 : 0))
      for (const role of ['', 'user', 'admin']) {
        for (const isVerified of ['', 'true', 'false']) {
          const expected = sorted
            .filter((user) => role === '' || user.role === role)
            .filter((user) => isVerified === '' || `${user.verified_at !== null}` === isVerified)
            .map(({ id }) => id)
          const query = { role, is_verified: isVerified }
          const asked = Object.fromEntries(
            Object.entries(query).filter(([, value]) => value !== ''),
          )
          for (const order of [sort, `-${sort}`]) {
            const seen: number[] = []
            for (
              let answer = await list({ ...asked, sort: order });
              ;
              answer = await service.get(nextOf(answer) ?? '', { token })
            ) {
              seen.push(...ids(answer))
              if (nextOf(answer) === undefined) break
            }
            assert.deepEqual(seen, order === sort ? expected : expected.toReversed(), order)
          }
        }
      }
    }
  })

  test('next keeps path, limit, order and filters, and is absent on the last page', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { token, list } = await startList(service)
    for (const name of ['ann', 'bob', 'carl', 'dora']) await service.signUp(`${name}@example.com`)
    const query = {
      sort: '-email',
      limit: '2',
      q: 'example.com',
      is_verified: 'false',
      role: 'user',
    }

    for (const path of [USERS, '/users']) {
      const first = await list(query, path)
      const next = nextOf(first) ?? ''
      const second = await service.get(next, { token })

      assert.deepEqual(emails(first), ['dora@example.com', 'carl@example.com'])
      assert.ok(next.startsWith(`${path}?`), next)
      assert.deepEqual(emails(second), ['bob@example.com', 'ann@example.com'])
      assert.equal(nextOf(second), undefined)
    }
  })

  test('next after skip goes on behind the rows that were shown', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { token, list } = await startList(service)
    for (let n = 2; n <= 6; n++) await service.signUp(`user${n}@example.com`)

    const first = await list({ skip: '2', limit: '2' })
    const second = await service.get(nextOf(first) ?? '', { token })

    assert.deepEqual(ids(first), [3, 4])
    assert.deepEqual(ids(second), [5, 6])
  })

  for (const [why, changed] of [
    ['another order', { sort: '-id' }],
    ['another text', { q: 'user' }],
    ['another role', { role: 'admin' }],
    ['another verification', { is_verified: 'true' }],
    ['a filter less', { role: '' }],
    ['a position of somebody’s making', { after: 'eyJ2YWx1ZSI6MSwiaWQiOjF9.AAAA' }],
  ] as const) {
    test(`422 for a cursor with ${why}`, async () => {
      await using service = await startService({ RATE_LIMIT: 'off' })
      const { list } = await startList(service)
      for (let n = 2; n <= 4; n++) await service.signUp(`user${n}@example.com`)
      const query = { limit: '1', role: 'user', sort: 'id' }
      const next = new URLSearchParams(nextOf(await list(query))?.split('?')[1])
      const other = Object.entries({ ...Object.fromEntries(next), ...changed })
      const kept = other.filter(([, value]) => value !== '')

      assert.equal((await list(Object.fromEntries(next))).status, 200)
      assertInvalid(await list(Object.fromEntries(kept)), 'after', 'cursor')
    })
  }

  test('422 for skip together with after', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const { token, list } = await startList(service)
    for (let n = 2; n <= 4; n++) await service.signUp(`user${n}@example.com`)
    const next = nextOf(await list({ limit: '1' }))

    for (const skip of ['0', '1']) {
      assertInvalid(await service.get(`${next}&skip=${skip}`, { token }), 'skip', 'with_after')
    }
  })
})
