import type { ShownUserRow } from '../database/schema.ts'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import { fieldError } from '../errors.ts'
import { searchText } from './search.ts'
import { findByIndex, hasTrigrams, matches, type Search } from './search-indexes.ts'
import {
  columnOf,
  findUserPage,
  type Page,
  pageKeyOf,
  selectPage,
  type UserFilters,
} from './user-pages.ts'

/** What is read at once in the order of the page: some 2 ms. */
const WINDOW = 500
/** If matches are so rare that a page needs more, an index of texts is quicker. */
const WALK_MAX = 10_000

/**
 * As `findUserPage`, also with a text. Where many match it, the first ones in the order are soon found; where few
 * match, an index finds them. Throws `validation_failed` for what neither finds: many, far down in the order.
 */
export async function findUsers(
  db: Db,
  { q, ...filters }: UserFilters,
  { walkMax = WALK_MAX, ...page }: Page & { readonly walkMax?: number },
): Promise<ShownUserRow[]> {
  if (q === undefined) return findUserPage(db, filters, page)
  const text = searchText(q, { hasTrigrams: await hasTrigrams(db) })
  const limit = page.limit + page.skip
  const search = { text, filters, page: { ...page, limit } }
  const found: ShownUserRow[] = []
  let { after } = page
  let isIndexTried = false
  for (let read = WINDOW; ; read += WINDOW) {
    const part = await readPart(db, { ...search, page: { ...search.page, after } })
    found.push(...part.matches)
    after = part.end
    if (found.length >= limit || after === undefined) return found.slice(page.skip, limit)
    const isSparse = found.length * (WALK_MAX / read) < limit
    if (isSparse && !isIndexTried) {
      const rows = await findByIndex(db, search)
      if (rows !== undefined) return rows.slice(page.skip)
      isIndexTried = true
    }
    if (read >= walkMax && isIndexTried) throw tooBroad()
    // On SQLite others would wait for all of it.
    await setImmediate()
  }
}

/** The matches among the next users in the order, and the last of these users if there may be others after them. */
async function readPart(db: Db, { text, filters, page }: Search) {
  const { sort, after } = page
  const [column, direction] = [columnOf(sort), sort.startsWith('-') ? 'desc' : 'asc'] as const
  const part = db.with(
    (cte) => cte('part').materialized(),
    (within) =>
      selectPage(within as Db, filters, sort, after)
        .select(matches(db, text).as('is_match'))
        .limit(sql.lit(WINDOW)),
  )
  const rows = await part
    .with('last', (within) =>
      within
        .selectFrom('part')
        .select('id as last')
        .orderBy(column, direction)
        .orderBy('id', direction)
        .offset(sql.lit(WINDOW - 1))
        .limit(sql.lit(1)),
    )
    .selectFrom('part')
    .leftJoin('last', (join) => join.onTrue())
    .selectAll()
    .where((eb) => eb.or([sql<boolean>`is_match`, eb('id', '=', eb.ref('last'))]))
    .orderBy(column, direction)
    .orderBy('id', direction)
    .execute()
  const end = rows.find(({ id, last }) => id === last)
  return {
    matches: rows.filter((row) => row.is_match),
    end: end && pageKeyOf(end, sort),
  }
}

function tooBroad() {
  return fieldError(
    'q',
    'too_broad',
    'Too many users match to be put in this order: use a longer text, or another sort.',
  )
}
