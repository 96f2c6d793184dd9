import { type Db, type Query, run } from '../database/connect.ts'
import { selectUsers, type UserFilters } from './user-pages.ts'

/** Up to here an estimate is a count. */
const COUNTED_MAX = 10_000
/** An estimate reads so many ids in each of so many equal parts of all ids. */
const SAMPLE = { parts: 25, ids: 400 }

/** Without a search, whose users no index counts. */
export type CountFilters = Omit<UserFilters, 'q'>

export interface UserCount {
  readonly total: number
  readonly isEstimated: boolean
}

/** Counts in time that grows with the number of users: with `longReads`. */
export async function countUsers(longReads: Db, filters: CountFilters): Promise<UserCount> {
  const { total } = await selectUsers(longReads, filters)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { total, isEstimated: false }
}

/** Counts up to 10 000; more are estimated from a sample, in time that does not grow with their number. */
export async function estimateUsers(db: Db, filters: CountFilters): Promise<UserCount> {
  const counted = await countFirst(db, filters, COUNTED_MAX + 1)
  if (counted <= COUNTED_MAX) return { total: counted, isEstimated: false }
  const { first, last } = await findIds(db)
  const partIds = (last - first + 1) / SAMPLE.parts
  const slice = countBetween(filters)
  let sampled = 0
  for (let part = 0; part < SAMPLE.parts; part++) {
    // The middle of each part, every time: an estimate that varied would look like news.
    const above = Math.floor(first - 1 + part * partIds + (partIds - SAMPLE.ids) / 2)
    const [row] = await run(db, slice, { above, to: above + SAMPLE.ids })
    sampled += row?.count ?? 0
  }
  const total = Math.round((sampled / SAMPLE.ids) * partIds)
  return { total: Math.max(total, counted), isEstimated: true }
}

async function findIds(db: Db): Promise<{ first: number; last: number }> {
  const ids = db.selectFrom('users').select('id').limit(1)
  const first = await ids.orderBy('id').executeTakeFirst()
  const last = await ids.orderBy('id', 'desc').executeTakeFirst()
  return { first: first?.id ?? 1, last: last?.id ?? 0 }
}

type IdRange = { readonly above: number; readonly to: number }
const counts = new Map<string, Query<IdRange, { count: number }>>()

/** Counts users within a range of ids; prepared once for each filter. */
function countBetween(filters: CountFilters): Query<IdRange, { count: number }> {
  const { role = '', isVerified = '' } = filters
  const name = `count users ${role} ${isVerified}`
  let query = counts.get(name)
  if (query === undefined) {
    query = {
      name,
      build: (db, { above, to }) =>
        selectUsers(db, filters)
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('id', '>', above)
          .where('id', '<=', to),
    }
    counts.set(name, query)
  }
  return query
}

async function countFirst(db: Db, filters: CountFilters, max: number): Promise<number> {
  const { count } = await db
    .selectFrom(selectUsers(db, filters).select('id').limit(max).as('first'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
