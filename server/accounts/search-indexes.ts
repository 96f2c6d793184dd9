import { setImmediate } from 'node:timers/promises'
import { type Kysely, sql, SqliteAdapter } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { Schema, ShownUserRow } from '../database/schema.ts'
import type { JobRun } from '../schedule/schedule.ts'
import {
  matchesOnSqlite,
  matchesText,
  nameBeginnings,
  patternsOf,
  type SearchText,
  trigramQuery,
} from './search.ts'
import { type Page, pageKeyOf, selectPage, type UserFilters, type UserSort } from './user-pages.ts'

/** More are not read and sorted for a page: some 20 ms. */
const CANDIDATES_MAX = 20_000
/** The part of all users from which on a text is common. */
const COMMON = 0.025
/** What SQLite reads before others get their turn: some 2 ms. */
const SLICE = 1000
/** Pages of its index that SQLite merges before others get their turn: some 4 ms. */
const MERGED_PAGES = 16
/** No text has a character beyond it. */
const LAST = '\u{10ffff}'

export interface Search {
  readonly text: SearchText
  readonly filters: UserFilters
  readonly page: Pick<Page, 'sort' | 'limit' | 'after'>
}

/** The users of the page, found by an index of texts; undefined if there are too many to be sorted, or no index. */
export function findByIndex(db: Db, search: Search): Promise<ShownUserRow[] | undefined> {
  return isSqlite(db) ? findOnSqlite(db, search) : findOnPostgres(db, search)
}

export const NO_TRIGRAMS =
  'the database has no index users_search: the search for users finds beginnings only. The runbook has the SQL that creates it'

const withTrigrams = new WeakSet<Db>()

/** False on a PostgreSQL without the index for substrings. */
export async function hasTrigrams(db: Db): Promise<boolean> {
  if (isSqlite(db) || withTrigrams.has(db)) return true
  const { rows } = await sql`
    select from pg_index where indexrelid = to_regclass('users_search') and indisvalid`.execute(
    full(db),
  )
  if (rows.length > 0) withTrigrams.add(db)
  return rows.length > 0
}

/** The condition, in the form that costs least. */
export function matches(db: Db, text: SearchText) {
  return isSqlite(db) ? matchesOnSqlite(text) : matchesText(text)
}

/**
 * On SQLite, the parts of a deleted text stay in its index, covered by a later segment, until these are merged: here.
 * The option `secure-delete` would remove them at once, but makes deletions in batches a hundred times slower.
 */
export async function forgetDeletedTexts(db: Db, { batch }: JobRun): Promise<void> {
  if (!isSqlite(db)) return
  // The negative number begins to merge all segments; the others continue.
  let pages = -MERGED_PAGES
  while (await batch((tx) => mergeSegments(tx, pages))) pages = MERGED_PAGES
}

/** False if there was nothing to merge. */
async function mergeSegments(tx: Tx, pages: number): Promise<boolean> {
  const changes = async () =>
    (await sql<{ count: number }>`select total_changes() as count`.execute(tx)).rows[0]?.count ?? 0
  const before = await changes()
  await sql`insert into users_search (users_search, rank) values ('merge', ${pages})`.execute(tx)
  // Of the statement itself.
  return (await changes()) - before > 1
}

const full = (db: Db) => db as Kysely<Schema>
const isSqlite = (db: Db) => full(db).getExecutor().adapter instanceof SqliteAdapter

/** Three letters or digits of a word, or two at its beginning or end: pg_trgm ignores all other characters. */
const TRIGRAM = /[\p{L}\p{N}]{3}|[^\p{L}\p{N}][\p{L}\p{N}]{2}|[\p{L}\p{N}]{2}[^\p{L}\p{N}]/u

async function findOnPostgres(
  db: Db,
  { text, filters, page }: Search,
): Promise<ShownUserRow[] | undefined> {
  if (text.isSubstring && !TRIGRAM.test(text.name)) return undefined
  if (await isCommon(db, text)) return undefined
  const patterns = patternsOf(text)
  const found = text.isSubstring
    ? sql`users_with_text(${patterns.email}, lower(${patterns.name}), ${CANDIDATES_MAX + 1})`
    : sql`users_with_prefix(${text.email}, lower(${text.name}), ${CANDIDATES_MAX + 1})`
  const candidates = shadowed(db, sql`(select * from ${found})`)
  const rows = await candidates
    .selectFrom((eb) =>
      eb
        .selectFrom('users')
        .select((count) => count.fn.countAll<number>().as('candidates'))
        .as('counted'),
    )
    .leftJoin(
      selectPage(candidates, filters, page.sort, page.after).limit(page.limit).as('found'),
      (join) => join.onTrue(),
    )
    .selectAll()
    .execute()
  if ((rows[0]?.candidates ?? 0) > CANDIDATES_MAX) return undefined
  return rows.filter(({ id }) => id !== null) as unknown as ShownUserRow[]
}

/**
 * Whether by the statistics of PostgreSQL so many match that the index would read them for 0.1 s or more, in vain:
 * it finds all before the first. The estimate is a hundredth of all users too high where one of the sampled texts
 * matches by chance, so it must be several of these.
 */
async function isCommon(db: Db, text: SearchText): Promise<boolean> {
  const { rows: plans } = await sql<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>`
    explain (format json) select from users where ${matchesText(text)}`.execute(full(db))
  const expected = plans[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0
  if (expected <= CANDIDATES_MAX) return false
  const { rows } = await sql<{ users: number }>`
    select reltuples as users from pg_class where oid = to_regclass('users')`.execute(full(db))
  return expected > COMMON * (rows[0]?.users ?? 0)
}

/** Reads `rows` in the place of the table. */
function shadowed(db: Db, rows: ReturnType<typeof sql>): Db {
  return db.with(
    (cte) => cte('users').materialized(),
    () => rows as ReturnType<typeof sql<any>>,
  ) as Db
}

async function findOnSqlite(
  db: Db,
  { text, filters, page }: Search,
): Promise<ShownUserRow[] | undefined> {
  const ids = await findCandidates(db, text, page)
  if (ids === undefined) return undefined
  // Trigrams are found in the order of ids, the first ones first.
  const isOrdered = text.isSubstring && page.sort.endsWith('id')
  if (ids.length > CANDIDATES_MAX && !isOrdered) return undefined
  let rows: ShownUserRow[] = []
  for (let start = 0; start < Math.min(ids.length, CANDIDATES_MAX); start += SLICE) {
    await setImmediate()
    const slice = JSON.stringify(ids.slice(start, start + SLICE))
    const candidates = shadowed(
      db,
      sql`(select * from main.users where id in (select value from json_each(${slice})) and ${matchesOnSqlite(text)})`,
    )
    const more = await selectPage(candidates, filters, page.sort, page.after)
      .limit(page.limit)
      .execute()
    rows = [...rows, ...more].toSorted(inOrder(page.sort)).slice(0, page.limit)
    if (isOrdered && rows.length === page.limit) return rows
  }
  return ids.length > CANDIDATES_MAX ? undefined : rows
}

/** The ids of all whom the text may match, one more than the maximum if they are more. */
async function findCandidates(
  db: Db,
  text: SearchText,
  page: Search['page'],
): Promise<number[] | undefined> {
  const query = trigramQuery(text)
  if (text.isSubstring && query === undefined) return undefined
  const found = text.isSubstring ? byTrigrams(query, page) : byBeginning(text)
  const { rows } = await sql<{ ids: string }>`
    select json_group_array(id) as ids from (${found} limit ${CANDIDATES_MAX + 1})`.execute(
    full(db),
  )
  return JSON.parse(rows[0]?.ids ?? '[]')
}

function byTrigrams(query: string | undefined, { sort, after }: Search['page']) {
  const [order, beyond] = sort === '-id' ? (['desc', '<'] as const) : (['asc', '>'] as const)
  const rest =
    after !== undefined && sort.endsWith('id')
      ? sql`and rowid ${sql.raw(beyond)} ${after.id}`
      : sql``
  return sql`
    select rowid as id from users_search where users_search match ${query} ${rest}
    order by rowid ${sql.raw(order)}`
}

function byBeginning(text: SearchText) {
  const ranges = [
    sql`select id from users where email_canonical >= ${text.email} and email_canonical < ${text.email + LAST}`,
    ...nameBeginnings(text).map(
      (name) => sql`select id from users where full_name >= ${name} and full_name < ${name + LAST}`,
    ),
  ]
  return sql.join(ranges, sql` union all `)
}

/** As SQLite compares; addresses and times are ASCII. */
function inOrder(sort: UserSort) {
  const sign = sort.startsWith('-') ? -1 : 1
  return (one: ShownUserRow, other: ShownUserRow) => {
    const [a, b] = [pageKeyOf(one, sort), pageKeyOf(other, sort)]
    if (a.value === b.value) return sign * (a.id - b.id)
    return a.value < b.value ? -sign : sign
  }
}
