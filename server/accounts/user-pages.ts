import { type SelectQueryBuilder, sql } from 'kysely'
import { type Db, type Query, run } from '../database/connect.ts'
import type { Role, Schema, ShownUserRow } from '../database/schema.ts'
import { matching } from './search.ts'
import { SHOWN_COLUMNS } from './users.ts'

const COLUMNS_OF_SORT = { id: 'id', email: 'email_canonical', created_at: 'created_at' } as const
type SortName = keyof typeof COLUMNS_OF_SORT
export type UserSort = SortName | `-${SortName}`

export interface UserFilters {
  /** Literal text in the address or the name, case-insensitive. */
  readonly q?: string | undefined
  readonly role?: Role | undefined
  readonly isVerified?: boolean | undefined
}

/** A cursor: the position of a row in a sort order; the id breaks ties. */
export interface PageKey {
  readonly value: string | number
  readonly id: number
}

export interface Page {
  readonly sort: UserSort
  readonly limit: number
  readonly skip: number
  /** The last row of the previous page, in the same order. */
  readonly after: PageKey | undefined
}

/**
 * At most `limit` users in the order of `sort`. Inserts and deletes do not shift pages after a cursor.
 * Each filter has an index in each order.
 */
export function findUserPage(
  db: Db,
  filters: UserFilters,
  { sort, limit, skip, after }: Page,
): Promise<ShownUserRow[]> {
  if (filters.q === undefined && limit === USUAL_LIMIT && skip === 0)
    return run(db, usualPage(filters, sort, after !== undefined), { ...after })
  return selectPage(db, filters, sort, after).limit(limit).offset(skip).execute()
}

export function pageKeyOf(
  user: Pick<ShownUserRow, 'id' | 'email_canonical' | 'created_at'>,
  sort: UserSort,
): PageKey {
  return { value: user[columnOf(sort)], id: user.id }
}

/** A full page, and the row that shows whether there is another. */
const USUAL_LIMIT = 101

type UserQuery = SelectQueryBuilder<Schema, 'users', ShownUserRow>
const usualPages = new Map<string, Query<Partial<PageKey>, ShownUserRow>>()

/** A prepared statement: there is one for each order, filter, and first or later page. */
function usualPage(filters: UserFilters, sort: UserSort, isLater: boolean) {
  const { role = '', isVerified = '' } = filters
  const name = `users ${sort} ${role} ${isVerified} ${isLater}`
  let page = usualPages.get(name)
  if (page === undefined) {
    // Literal: of a limit that it does not know, PostgreSQL expects a tenth of all users.
    const limit = sql.lit(USUAL_LIMIT)
    page = { name, build: (db, after) => selectPage(db, filters, sort, after).limit(limit) }
    usualPages.set(name, page)
  }
  return page
}

/** The users of a page and those after them, in its order. */
export function selectPage(
  db: Db,
  filters: UserFilters,
  sort: UserSort,
  { value, id }: Partial<PageKey> = {},
): UserQuery {
  const column = columnOf(sort)
  const isDescending = sort.startsWith('-')
  let query = selectUsers(db, filters).select(SHOWN_COLUMNS)
  if (value !== undefined && id !== undefined) {
    const beyond = isDescending ? '<' : '>'
    query = query.where(({ eb, refTuple, tuple }) =>
      column === 'created_at'
        ? eb(refTuple(column, 'id'), beyond, tuple(value as string, id))
        : eb(column, beyond, value),
    )
  }
  const direction = isDescending ? 'desc' : 'asc'
  query = query.orderBy(column, direction)
  // The other columns are unique.
  return column === 'created_at' ? query.orderBy('id', direction) : query
}

/** The users whom the filters select, in no order. */
export function selectUsers(db: Db, { q, role, isVerified }: UserFilters) {
  let query = db.selectFrom('users')
  // Literals: a partial index serves only the exact condition of its definition.
  if (role !== undefined) query = query.where('role', '=', sql.lit(role))
  if (isVerified !== undefined) {
    query =
      role === 'admin'
        ? // Not the condition of an index, by which the few admins were searched among all the unverified.
          query.where(
            sql<boolean>`case when verified_at is null then 0 else 1 end = ${sql.lit(Number(isVerified))}`,
          )
        : query.where('verified_at', isVerified ? 'is not' : 'is', null)
  }
  return q === undefined ? query : query.where(matching(q))
}

export function columnOf(sort: UserSort) {
  return COLUMNS_OF_SORT[sort.replace('-', '') as SortName]
}
