import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import { searchText, matchesText } from '../server/accounts/search.ts'
import { findUsers } from '../server/accounts/user-search.ts'
import { findByIndex } from '../server/accounts/search-indexes.ts'
import { pageKeyOf, type UserFilters, type UserSort } from '../server/accounts/user-pages.ts'
import type { Schema } from '../server/database/schema.ts'
import { DATABASE } from './support/database.ts'
import { startPlans } from './support/plans.ts'
import { times } from './support/races.ts'
import { startService } from './support/service.ts'

// An index finds whom LIKE finds, no more and no fewer, and no search reads the whole table.

const SORTS = ['id', '-id', 'email', '-email', 'created_at', '-created_at'] as const
const AT = '2026-01-01T00:00:00.000Z'

/** Letters that fold in one of their own ways, and what LIKE and FTS5 treat as special. */
const ODD = [...'aAbiIİıéÉe\u0301\u0307ßẞΣσςοΟΩΩϴθKkÅåǆǅǄᾼᾳᲐაᎠꭰԨԩϳͿ𐐀𐐨😀李明%_\\"\'*() -@.']
const odd = (maxLength: number) =>
  fc.array(fc.constantFrom(...ODD), { minLength: 1, maxLength }).map((letters) => letters.join(''))

describe('a search', () => {
  test('finds by the index exactly whom a scan finds, in every order', async () => {
    await using service = await startService()
    const { db } = service.ctx
    await fc.assert(
      fc.asyncProperty(
        fc.array(odd(8), { minLength: 1, maxLength: 12 }),
        fc.record({ from: fc.nat(11), start: fc.nat(7), length: fc.integer({ min: 1, max: 5 }) }),
        fc.constantFrom(...SORTS),
        async (names, { from, start, length }, sort) => {
          await service.ctx.transaction(async (tx) => {
            await tx.deleteFrom('users').execute()
            const users = names.map((name, n) => userOf(`u${n}@example.com`, name.normalize('NFC')))
            await tx.insertInto('users').values(users).execute()
          })
          const name = [...(names[from % names.length] ?? '')]
          const q = name.slice(start % name.length, (start % name.length) + length).join('')
          const text = searchText(q, { hasTrigrams: true })
          const expected = await db
            .selectFrom('users')
            .select('full_name')
            .where(matchesText(text))
            .orderBy('id')
            .execute()

          const page = { sort, limit: 101, after: undefined }
          const found = await findByIndex(db, { text, filters: {}, page })

          // Some symbols alone have no index.
          if (found === undefined) return
          const listed = found.toSorted((a, b) => a.id - b.id).map((user) => user.full_name)
          assert.deepEqual(
            listed,
            expected.map((user) => user.full_name),
            q,
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  test('follows a user who is renamed, moves to another address, or is deleted', async () => {
    await using service = await startService()
    const { db } = service.ctx
    const search = async (q: string) =>
      (
        await findByIndex(db, {
          text: searchText(q, { hasTrigrams: true }),
          filters: {},
          page: { sort: 'id', limit: 10, after: undefined },
        })
      )?.length
    await service.ctx.transaction((tx) =>
      tx.insertInto('users').values(userOf('former@example.com', 'Ann Former')).execute(),
    )
    const before = await search('former')

    await service.ctx.transaction((tx) =>
      tx.updateTable('users').set({ full_name: 'Ann Later' }).execute(),
    )
    const renamed = [await search('former'), await search('ann later')]
    await service.ctx.transaction((tx) =>
      tx.updateTable('users').set({ email_canonical: 'later@example.org' }).execute(),
    )
    const moved = [await search('former'), await search('later@example')]
    await service.ctx.transaction((tx) => tx.deleteFrom('users').execute())

    assert.deepEqual([before, renamed, moved, await search('later')], [1, [1, 1], [0, 1], 0])
    if (DATABASE === 'sqlite')
      await service.ctx.transaction((tx) =>
        sql`insert into users_search (users_search, rank) values ('integrity-check', 1)`.execute(
          tx,
        ),
      )
  })
})

function userOf(email: string, name: string | null) {
  const verified = { verified_at: AT, password_hash: 'none', created_at: AT, updated_at: AT }
  return { email, email_canonical: email, full_name: name, role: 'user' as const, ...verified }
}

const USERS = 100_000
const PART = 5000

/** One in ten at the end of every order is an “acme”; half are called Ann. */
async function fill(db: Kysely<Schema>): Promise<void> {
  const at =
    DATABASE === 'sqlite'
      ? sql`strftime('%Y-%m-%dT%H:%M:%fZ', 1735689600 + n, 'unixepoch')`
      : sql`to_timestamp(1735689600 + n)`
  for (const part of times(USERS / PART)) {
    const [first, last] = [sql.lit(part * PART + 1), sql.lit((part + 1) * PART)]
    await sql`
      with recursive numbers(n) as (select ${first} union all select n + 1 from numbers where n < ${last})
      insert into users (email, email_canonical, full_name, role, password_hash, verified_at, created_at, updated_at)
      select e, e, case when n % 2 = 0 then 'Ann Smith' end, 'user', 'none', case when n % 3 > 0 then ${at} end, ${at}, ${at}
      from (select n, 'user' || n || '@example' || case when n > ${sql.lit(USERS * 0.7)} then '.acme' else '.com' end as e from numbers) as named`.execute(
      db,
    )
  }
}

describe('GET /users?q of 100 000', () => {
  let plans: Awaited<ReturnType<typeof startPlans>>
  before(async () => {
    plans = await startPlans(fill)
  })
  after(() => plans[Symbol.asyncDispose]())

  for (const [what, q] of [
    ['nobody', 'zzzz'],
    ['one', 'user77777@'],
    ['half', 'ann'],
    ['those at the end', 'acme'],
    ['a beginning of nobody', 'zz'],
    ['a beginning of half', 'an'],
  ] as const) {
    for (const filters of [{}, { isVerified: false }, { role: 'admin' }] as UserFilters[]) {
      test(`for ${what} walks an index in every order, of ${JSON.stringify(filters)}`, async () => {
        for (const sort of SORTS) {
          const middle = { id: USERS / 2, email_canonical: 'user5', created_at: AT }
          for (const after of [undefined, pageKeyOf(middle, sort)]) {
            const page = { sort, limit: 101, skip: 0, after }
            for (const plan of await plansOf({ q, ...filters }, page)) assertIndexed(plan, sort)
          }
        }
      })
    }
  }

  if (DATABASE === 'postgres')
    test('reads the index of texts for a rare one, and not for one of which it expects a third of all', async () => {
      const page = { sort: 'id', limit: 101, skip: 0, after: undefined } as const
      const isRead = async (q: string) =>
        (await plansOf({ q }, page)).some((plan) => plan.includes('users_with_text'))

      assert.deepEqual([await isRead('zzzz'), await isRead('acme')], [true, false])
    })

  /** The candidates, which SQLite calls `users`, too, are few; by id, the table itself is the index. */
  function assertIndexed(plan: string, sort: UserSort): void {
    assert.doesNotMatch(plan, /Seq Scan on users\b|"parent":3,[^}]*TEMP B-TREE/, plan)
    if (!plan.includes('MATERIALIZE users') && !sort.endsWith('id'))
      assert.doesNotMatch(plan, /SCAN users"/, plan)
  }

  /** Of the first statements of a search: later ones are alike. */
  async function plansOf(
    filters: UserFilters,
    page: {
      sort: UserSort
      limit: number
      skip: number
      after: ReturnType<typeof pageKeyOf> | undefined
    },
  ) {
    const found: string[] = []
    for (let index = 0; index < 5; index++) {
      try {
        found.push(await plans.planOf((db) => findUsers(db, filters, page).catch(() => {}), index))
      } catch {
        // There is none, or it asks for an estimate, of which there is no plan.
        assert.ok(index > 0)
      }
    }
    return found
  }
})
