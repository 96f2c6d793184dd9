import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { countUsers, estimateUsers } from '../server/accounts/user-counts.ts'
import {
  findUserPage,
  pageKeyOf,
  type UserFilters,
  type UserSort,
} from '../server/accounts/user-pages.ts'
import type { Schema, ShownUserRow } from '../server/database/schema.ts'
import { DATABASE } from './support/database.ts'
import { startPlans } from './support/plans.ts'
import { times } from './support/races.ts'

// A page never reads the users that its filter leaves out, though they be all others.

const USERS = 100_000
const PART = 5000
const ADMIN_EVERY = 10_000
const MIDDLE = {
  id: USERS / 2,
  email_canonical: 'user5',
  created_at: '2025-01-01T03:00:00.000Z',
}
const SORTS = ['id', '-id', 'email', '-email', 'created_at', '-created_at'] as const
const FILTERS: readonly UserFilters[] = [undefined, true, false].flatMap((isVerified) =>
  ([undefined, 'user', 'admin'] as const).map((role) => ({ role, isVerified })),
)

/** Users of whom those are verified whose number `n` fulfils a condition. */
async function fill(db: Kysely<Schema>, isVerified: string): Promise<void> {
  const at =
    DATABASE === 'sqlite'
      ? sql`strftime('%Y-%m-%dT%H:%M:%fZ', 1735689600 + n / 4, 'unixepoch')`
      : sql`to_timestamp(1735689600 + n / 4)`
  const verified = sql.raw(isVerified)
  // In parts, which are quick enough for the statement limit of a busy machine.
  for (const part of times(USERS / PART)) {
    const [first, last] = [sql.lit(part * PART + 1), sql.lit((part + 1) * PART)]
    await sql`
      with recursive numbers(n) as (select ${first} union all select n + 1 from numbers where n < ${last})
      insert into users (email, email_canonical, role, password_hash, verified_at, created_at, updated_at)
      select 'User' || (n * 7919 % 100003) || '@example.com', 'user' || (n * 7919 % 100003) || '@example.com',
        case n % ${sql.lit(ADMIN_EVERY)} when 7 then 'admin' else 'user' end,
        case when ${verified} then 'none' end, case when ${verified} then ${at} end, ${at}, ${at}
      from numbers`.execute(db)
  }
}

/** By the database and the order. */
const OF_ALL = {
  sqlite: {
    id: 'INTEGER PRIMARY KEY|SCAN users"',
    email: 'sqlite_autoindex_users_1',
    created_at: 'users_created_at',
  },
  postgres: {
    id: 'users_pkey',
    email: 'users_email_canonical_key',
    created_at: 'users_created_at',
  },
}[DATABASE]
const ORDERS = { id: '_id', email: '_email', created_at: '_created' }

/** The indexes that serve a filter in an order, of which `isRare` tells how few users it selects. */
function indexesFor({ role, isVerified }: UserFilters, sort: UserSort, isRare: boolean): RegExp {
  const order = sort.replace('-', '') as keyof typeof ORDERS
  if (role !== 'admin' && isVerified === undefined) return new RegExp(`\\b(${OF_ALL[order]})`)
  const ofSome = role === 'admin' ? 'users_admins' : `users_${isVerified ? '' : 'un'}verified`
  // The index by id has the name of the first.
  const inOrder = `${ofSome}${ORDERS[order]}`.replace('users_admins_id', 'users_admins')
  if (DATABASE === 'sqlite') return new RegExp(`\\b${inOrder}\\b`)
  // PostgreSQL sorts what is few, and need not filter what is nearly all.
  return isRare
    ? new RegExp(`\\b${ofSome}(_id|_email|_created)?\\b`)
    : new RegExp(`\\b(${inOrder}|${OF_ALL[order]})\\b`)
}

for (const [who, isVerified, usual] of [
  ['nobody is verified but the first', 'n <= 50', false],
  ['all are verified but the last', `n <= ${USERS - 50}`, true],
] as const) {
  describe(`GET /users of 100 000, when ${who}`, () => {
    let plans: Awaited<ReturnType<typeof startPlans>>
    let everybody: Pick<ShownUserRow, 'role' | 'verified_at'>[]
    before(async () => {
      plans = await startPlans((db) => fill(db, isVerified), { analyzed: false })
      everybody = await plans.db.selectFrom('users').select(['role', 'verified_at']).execute()
    })
    after(() => plans[Symbol.asyncDispose]())

    for (const filters of FILTERS) {
      const isRare = filters.role === 'admin' || filters.isVerified === !usual
      test(`pages of ${JSON.stringify(filters)} walk an index in every order`, async () => {
        for (const sort of SORTS) {
          for (const after of [undefined, pageKeyOf(MIDDLE, sort)]) {
            const page = { sort, limit: 101, skip: 0, after }
            const plan = await plans.planOf((db) => findUserPage(db, filters, page))

            assert.match(plan, indexesFor(filters, sort, isRare), sort)
            assert.doesNotMatch(plan, /TEMP B-TREE|Seq Scan/)
            if (!isRare) assert.doesNotMatch(plan, /Sort/)
          }
        }
      })
    }

    for (const filters of FILTERS) {
      test(`${JSON.stringify(filters)} are counted, and estimated within 5 %`, async () => {
        const { db } = plans
        const { length: total } = everybody.filter(
          ({ role, verified_at: verifiedAt }) =>
            role === (filters.role ?? role) &&
            (verifiedAt !== null) === (filters.isVerified ?? verifiedAt !== null),
        )

        const estimated = await estimateUsers(db, filters)

        assert.deepEqual(await countUsers(db, filters), { total, isEstimated: false })
        assert.equal(estimated.isEstimated, total > 10_000)
        const toleranceMax = estimated.isEstimated ? total * 0.05 : 0
        assert.ok(
          Math.abs(estimated.total - total) <= toleranceMax,
          `${estimated.total} of ${total}`,
        )
      })
    }

    test('others are served while users are counted', async () => {
      let turns = 0
      let isCounting = true
      const takeTurns = () => {
        turns++
        if (isCounting) setImmediate(takeTurns)
      }
      takeTurns()

      await countUsers(plans.longReads, {})

      isCounting = false
      // One, if the count had held the event loop.
      assert.ok(turns > 1, `${turns} turns`)
    })
  })
}
