import { type SelectQueryBuilder, sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import type { Role, Schema } from '../database/schema.ts'
import { type PublicUserRow, USER_COLUMNS } from './users.ts'

export type UserSort = 'id' | '-id' | 'email' | '-email' | 'created_at' | '-created_at'

export interface UserFilters {
  /** Literal text in the address or the name, case-insensitive. */
  readonly q?: string | undefined
  readonly role?: Role | undefined
  readonly isVerified?: boolean | undefined
}

interface PageOptions {
  readonly sort: UserSort
  readonly limit: number
  readonly skip: number
  /** The last row of the previous page, in the same order. */
  readonly after: PageKey | undefined
}

/** A cursor: the position of a row in a sort order; the id breaks ties. */
export interface PageKey {
  readonly value: string | number
  readonly id: number
}

const COLUMNS = { id: 'id', email: 'email_canonical', created_at: 'created_at' } as const

/** At most `limit` users in the order of `sort`. Inserts and deletes do not shift pages after a cursor. */
export function findUserPage(
  db: Db,
  filters: UserFilters,
  page: PageOptions,
): Promise<PublicUserRow[]> {
  const { column, direction } = sortOf(page.sort)
  let query = filtered(db.selectFrom('users').select(USER_COLUMNS), filters)
  if (page.after !== undefined) {
    const { value, id } = page.after
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple(column, 'id'), direction === 'asc' ? '>' : '<', tuple(value, id)),
    )
  }
  query = query.orderBy(column, direction)
  if (column !== 'id') query = query.orderBy('id', direction)
  return query.limit(page.limit).offset(page.skip).execute()
}

export function pageKeyOf(user: PublicUserRow, sort: UserSort): PageKey {
  return { value: user[sortOf(sort).column], id: user.id }
}

function sortOf(sort: UserSort) {
  const name = sort.replace('-', '') as keyof typeof COLUMNS
  return {
    column: COLUMNS[name],
    direction: sort.startsWith('-') ? ('desc' as const) : ('asc' as const),
  }
}

type UsersQuery<Row> = SelectQueryBuilder<Schema, 'users', Row>

function filtered<Row>(
  query: UsersQuery<Row>,
  { q, role, isVerified }: UserFilters,
): UsersQuery<Row> {
  let result = query
  if (role !== undefined) result = result.where('role', '=', role)
  if (isVerified !== undefined)
    result = result.where('verified_at', isVerified ? 'is not' : 'is', null)
  if (q !== undefined) {
    // `%`, `_` and the escape character match literally.
    const pattern = `%${q.normalize('NFC').replace(/[\\%_]/g, String.raw`\$&`)}%`
    // The database lowers both sides of a name: PostgreSQL and JavaScript differ on `Σ` and `İ`.
    result = result.where(
      sql<boolean>`(email_canonical like ${pattern.toLowerCase()} escape '\\' or lower(full_name) like lower(${pattern}) escape '\\')`,
    )
  }
  return result
}
