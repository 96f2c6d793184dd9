import { type Kysely, sql } from 'kysely'
import { AppError } from '../errors.ts'
import type { Backend, Db } from './connect.ts'
import { SchemaError } from './problems.ts'

/** SQLSTATE: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const UNDEFINED_TABLE = '42P01'

type Dialect = Backend['dialect']

/** Where the applied migrations are recorded. */
export const TABLE = 'coffee_shop_migrations'
/**
 * Where the migrations up to 0009 were recorded, under a name that other programs use, too. It stays
 * as it was for processes of the previous version, which are not ready when it names others.
 */
export const FORMER_TABLE = 'schema_migrations'
/** In `schema_migrations`, it tells our table from that of another program. */
export const FIRST = '0001-initial'

export interface Applied {
  readonly name: string
  /** The migration that a process must know to work with this one; null if every process can. */
  readonly needs: string | null
}

/** The applied migrations; none without a table of ours. Outside of transactions, because it may fail. */
export async function appliedMigrations(db: Db): Promise<readonly Applied[]> {
  const untyped = db as unknown as Kysely<any>
  try {
    return await rowsOf(untyped, sql.table(TABLE))
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  try {
    return await formerRowsOf(untyped, sql.table(FORMER_TABLE))
  } catch (error) {
    // The table of another program may have other columns, or be closed to this user.
    if (error instanceof AppError) throw error
    return []
  }
}

/**
 * Throws SchemaError if our tables are in another schema than the current one: a table of another
 * program could come before one of ours, and new tables would not stand with the others.
 */
export async function assertInCurrentSchema({ reader, dialect }: Backend): Promise<void> {
  if (dialect === 'sqlite') return
  const [current, candidates] = await findCandidates(reader, dialect)
  const ours = candidates.find(({ name }) => name === TABLE)
  if (ours !== undefined && ours.schema !== current) throw elsewhere(ours.schema, current)
}

/**
 * Returns the rows of our table in the current schema. Creates the table if it is missing, with the
 * rows of its predecessor. Throws SchemaError if ours is in another schema of the search path.
 */
export async function openMigrationTable(
  tx: Kysely<any>,
  dialect: Dialect,
): Promise<readonly Applied[]> {
  const [current, candidates] = await findCandidates(tx, dialect)
  for (const { schema, name } of candidates) {
    const table = sql.id(schema, name)
    const rows = name === TABLE ? await rowsOf(tx, table) : await formerRowsOf(tx, table)
    // Empty, or another program's.
    if (name === FORMER_TABLE && rows.length === 0) continue
    if (schema !== current) throw elsewhere(schema, current)
    if (name === TABLE) return rows
    await createTable(tx, dialect)
    for (const { name: applied } of rows) await recordMigration(tx, applied)
    return rows
  }
  await createTable(tx, dialect)
  return []
}

export async function recordMigration(
  tx: Kysely<any>,
  name: string,
  needs: string | null = null,
): Promise<void> {
  await sql`insert into ${sql.table(TABLE)} (name, needs) values (${name}, ${needs})`.execute(tx)
}

async function createTable(tx: Kysely<any>, dialect: Dialect): Promise<void> {
  const time =
    dialect === 'postgres'
      ? sql`timestamptz(3) not null default current_timestamp`
      : sql`text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`
  await sql`
    create table ${sql.table(TABLE)} (name text primary key, needs text, applied_at ${time})`.execute(
    tx,
  )
}

/** The current schema, and the tables of either name in the order of the search path. No error, whatever there is. */
async function findCandidates(
  tx: Kysely<any>,
  dialect: Dialect,
): Promise<[string, { schema: string; name: string }[]]> {
  const names = sql.join([TABLE, FORMER_TABLE])
  if (dialect === 'sqlite') {
    const { rows } = await sql<{ schema: string; name: string }>`
      select 'main' as schema, name from sqlite_schema as found
      where type = 'table' and name in (${names})
      and exists (select 1 from pragma_table_info(found.name) where name = 'name')
      order by name`.execute(tx)
    return ['main', rows]
  }
  const { rows } = await sql<{ schema: string; name: string; current: string }>`
    select table_schema as schema, table_name as name
    from information_schema.columns
    where column_name = 'name' and table_name in (${names})
    and table_schema = any (current_schemas(false))
    and has_table_privilege(format('%I.%I', table_schema, table_name), 'select')
    order by array_position(current_schemas(false), table_schema::name), table_name`.execute(tx)
  return [await currentSchema(tx), rows]
}

function elsewhere(schema: string, current: string): SchemaError {
  return new SchemaError(
    `the tables of this service are in the schema ${schema}, but the current schema is ${current}: set the search_path of the user to ${schema}, or to ${current} alone to begin anew there`,
  )
}

async function currentSchema(tx: Kysely<any>): Promise<string> {
  const { schema, path, remedy } = await findPlace(tx)
  if (schema !== null) return schema
  throw new SchemaError(`the search_path of this user (${path}) names no schema: ${remedy}`)
}

/** The current schema of PostgreSQL, and the SQL that gives the service a schema of its own. */
export async function findPlace(db: Kysely<any>) {
  const { rows } = await sql<{ schema: string | null; path: string; remedy: string }>`
    select current_schema() as schema, current_setting('search_path') as path,
      format('create schema coffee_shop authorization %1$I; alter role %1$I in database %2$I set search_path = coffee_shop',
        current_user, current_database()) as remedy`.execute(db)
  return rows[0] as (typeof rows)[number]
}

/** By the code on PostgreSQL, whose message is in the language of the server. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (
    ('code' in error && error.code === UNDEFINED_TABLE) || error.message.startsWith('no such table')
  )
}

async function rowsOf(db: Kysely<any>, table: ReturnType<typeof sql.id>) {
  const { rows } = await sql<Applied>`select name, needs from ${table}`.execute(db)
  return rows
}

/** None unless it is ours. A process must know each of these migrations. */
async function formerRowsOf(db: Kysely<any>, table: ReturnType<typeof sql.id>) {
  const { rows } = await sql<Applied>`
    select cast(name as text) as name, cast(name as text) as needs from ${table}
    where exists (select 1 from ${table} where cast(name as text) = ${FIRST})`.execute(db)
  return rows
}
