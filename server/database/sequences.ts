import { type Kysely, sql } from 'kysely'
import { type Backend, connect, type Db } from './connect.ts'
import type { Schema } from './schema.ts'

/**
 * The tables whose ids the database numbers, with what tells the highest id that was ever used. A
 * deleted user's id must not return: tokens, sessions and audit events may still name it.
 */
const HIGHEST = {
  users: [
    sql`select id from users order by id desc limit 1`,
    sql`select user_id from sessions order by user_id desc limit 1`,
    sql`select subject_id from audit_events where subject_id is not null order by subject_id desc limit 1`,
    sql`select user_id from erasures where user_id is not null order by user_id desc limit 1`,
  ],
  audit_events: [sql`select id from audit_events order by id desc limit 1`],
  erasures: [sql`select id from erasures order by id desc limit 1`],
} as const

type Table = keyof typeof HIGHEST
const TABLES = Object.keys(HIGHEST) as Table[]

export interface SequenceBehind {
  readonly table: Table
  readonly highest: number
  /** The SQL that mends it. */
  readonly remedy: string
}

/**
 * Finds the sequences that are behind their tables: logical replication copies rows and not sequences,
 * and `pg_dump --table` leaves them out, too.
 */
export async function findSequencesBehind({
  reader,
  dialect,
}: Pick<Backend, 'dialect'> & { readonly reader: Db }): Promise<readonly SequenceBehind[]> {
  const behind: SequenceBehind[] = []
  for (const table of TABLES) {
    const found = await findBehind(reader as Kysely<Schema>, { table, dialect })
    if (found !== undefined) behind.push(found)
  }
  return behind
}

/** Moves the sequence of a table to its highest id; it never moves back, whatever runs beside. */
export async function mendSequence(backend: Backend, { table }: SequenceBehind): Promise<void> {
  const { dialect } = backend
  await connect(backend).transaction(async (tx) => {
    // Whoever inserts takes a number under a lock that this one excludes.
    if (dialect === 'postgres')
      await sql`lock table ${sql.table(table)} in share row exclusive mode`.execute(tx)
    const found = await findBehind(tx, { table, dialect })
    if (found === undefined) return
    for (const statement of found.remedy.split('; ')) await sql.raw(statement).execute(tx)
  })
}

async function findBehind(
  db: Kysely<Schema>,
  { table, dialect }: { table: Table; dialect: Backend['dialect'] },
): Promise<SequenceBehind | undefined> {
  const ids = sql.join(
    HIGHEST[table].map((query) => sql`select (${query}) as id`),
    sql` union all `,
  )
  const { rows } = await sql<{ highest: number | null; last: number | null; sequence: string }>`
    select max(id) as highest, ${dialect === 'postgres' ? lastOf(table) : lastInFile(table)}
    from (${ids}) as used`.execute(db)
  const { highest, last, sequence } = rows[0] ?? { highest: null, last: null, sequence: '' }
  if (highest === null || last === null || last >= highest) return undefined
  const remedy =
    dialect === 'postgres'
      ? `select setval('${sequence}', ${highest})`
      : `delete from sqlite_sequence where name = '${table}'; insert into sqlite_sequence (name, seq) values ('${table}', ${highest})`
  return { table, highest, remedy }
}

/** Null for a user who may not see it. */
function lastOf(table: Table) {
  return sql`
    (select case when has_sequence_privilege(sequence, 'select') then coalesce(pg_sequence_last_value(sequence::regclass), 0) end
      from pg_get_serial_sequence(${table}, 'id') as sequence) as last,
    pg_get_serial_sequence(${table}, 'id') as sequence`
}

function lastInFile(table: Table) {
  return sql`
    coalesce((select seq from sqlite_sequence where name = ${table}), 0) as last, '' as sequence`
}
