import { sql } from 'kysely'
import { AppError } from '../errors.ts'
import type { Tx } from './connect.ts'
import { sqlState } from './outages.ts'

// `audit_events` on PostgreSQL as one table a month, so that old months are dropped instead of deleted row
// by row. What belongs to no month (the job did not run, the clock was moved) is in audit_events_default.

/** One of the tables behind `audit_events`. Times are texts as in the rows. */
export interface Month {
  readonly name: string
  /** Empty for the table of all events from before the partitioning. */
  readonly startsAt: string
  readonly endsAt: string
  readonly bytes: number
}

export interface Months {
  readonly months: readonly Month[]
  readonly defaultBytes: number
  /** False for a user who may neither add nor drop months. */
  readonly canChange: boolean
}

/** Months beyond the current one that exist in advance. */
const AHEAD = 3
/** A month is attached under a lock that lasts for a scan of audit_events_default: a tenth of a second. */
const DEFAULT_MAX_BYTES = 128 * 1024 ** 2
/** Logins wait behind a lock that is not free. */
const LOCK_MAX = sql.lit('100ms')

const LOCK_NOT_AVAILABLE = '55P03'
const NAME = /^audit_events_(until_)?(\d{4})_(\d\d)$/

/** Undefined if the table is not partitioned. */
export async function findMonths(tx: Tx): Promise<Months | undefined> {
  const { rows } = await sql<{ name: string; bytes: number; can_change: boolean }>`
    select part.relname as name, pg_table_size(part.oid) as bytes,
      pg_has_role(whole.relowner, 'usage') and has_schema_privilege(whole.relnamespace, 'create') as can_change
    from pg_class as whole
    join pg_inherits on inhparent = whole.oid
    join pg_class as part on part.oid = inhrelid
    where whole.oid = to_regclass('audit_events') and whole.relkind = 'p'`.execute(tx)
  const [first] = rows
  if (first === undefined) return undefined
  return {
    months: rows.flatMap(({ name, bytes }) => readMonth(name, bytes)),
    defaultBytes: rows.find(({ name }) => name === 'audit_events_default')?.bytes ?? 0,
    canChange: first.can_change,
  }
}

/** The current month and those after it that have no table, and can be given one. */
export function findMissing({ months, defaultBytes, canChange }: Months, nowMs: number): Month[] {
  if (!canChange || defaultBytes > DEFAULT_MAX_BYTES) return []
  return monthsFrom(new Date(nowMs)).filter(
    ({ startsAt, endsAt }) =>
      !months.some((other) => other.startsAt < endsAt && startsAt < other.endsAt),
  )
}

/**
 * Adds a month, unless the default table has events of it, which must then be deleted row by row. Throws
 * `database_unavailable` if others use the tables, as all changes of months do.
 */
export async function addMonth(tx: Tx, { name, startsAt, endsAt }: Month): Promise<void> {
  await sql`set local lock_timeout = ${LOCK_MAX}`.execute(tx)
  const { rows } = await sql<{ is_taken: boolean }>`
    select to_regclass(${name}) is not null
      or exists (select from audit_events_default where at >= ${startsAt} and at < ${endsAt}) as is_taken`.execute(
    tx,
  )
  if (rows[0]?.is_taken !== false) return
  const table = sql.table(name)
  // Not `create table … partition of`, whose lock excludes reads of all months.
  await sql`
    create table ${table} (like audit_events including indexes, primary key (id))`.execute(tx)
  await sql`
    alter table audit_events attach partition ${table}
    for values from (${sql.lit(startsAt)}) to (${sql.lit(endsAt)})`.execute(tx)
}

/** Deletes a month with all its events. */
export async function dropMonth(tx: Tx, { name }: Month): Promise<void> {
  await sql`set local lock_timeout = ${LOCK_MAX}`.execute(tx)
  await sql`drop table ${sql.table(name)}`.execute(tx)
}

/** True if the lock of a month was not free; a dump, for example, holds it to its end. */
export function isLocked(error: unknown): boolean {
  return error instanceof AppError && sqlState(error.cause) === LOCK_NOT_AVAILABLE
}

/**
 * Turns `audit_events` into months. The rows remain where they are, in a table of all events to the end of
 * the current month, or of the latest event's. Nobody records an event while they are read once, to
 * prove that. Returns false if it has months already.
 */
export async function partitionByMonth(tx: Tx, nowMs: number): Promise<boolean> {
  await sql`set local lock_timeout = '5s'`.execute(tx)
  await sql`lock table audit_events in access exclusive mode`.execute(tx)
  if ((await findMonths(tx)) !== undefined) return false
  await actAsOwner(tx)
  const { rows } = await sql<{ latest: string | null; last_id: number }>`
    select max(at) as latest, greatest(max(id), pg_sequence_last_value(
      pg_get_serial_sequence('audit_events', 'id')::regclass), 0) as last_id
    from audit_events`.execute(tx)
  const { latest = null, last_id: lastId = 0 } = rows[0] ?? {}
  const lastMs = Math.max(nowMs, latest === null ? 0 : Date.parse(latest))
  const [last, ...later] = monthsFrom(new Date(lastMs)) as [Month, ...Month[]]
  const old = sql.table(last.name.replace('audit_events', 'audit_events_until'))
  const statements = await setAside(tx, old)
  await sql`
    create table audit_events (like ${old}) partition by range (at)`.execute(tx)
  await sql`alter table audit_events alter id add generated always as identity`.execute(tx)
  if (lastId > 0)
    await sql`select setval(pg_get_serial_sequence('audit_events', 'id'), ${lastId})`.execute(tx)
  for (const statement of statements) await sql.raw(statement).execute(tx)
  await sql`
    create table audit_events_default partition of audit_events (primary key (id)) default`.execute(
    tx,
  )
  await sql`
    alter table audit_events attach partition ${old}
    for values from (minvalue) to (${sql.lit(last.endsAt)})`.execute(tx)
  for (const month of later) await addMonth(tx, month)
  return true
}

/** A superuser would take the table from the service, whose logins record events in it. */
async function actAsOwner(tx: Tx): Promise<void> {
  const { rows } = await sql<{ owner: string }>`
    select pg_get_userbyid(relowner) as owner from pg_class where oid = to_regclass('audit_events')`.execute(
    tx,
  )
  if (rows[0] !== undefined) await sql`set local role ${sql.id(rows[0].owner)}`.execute(tx)
}

/** Renames the table and its indexes; returns what makes its indexes and grants on the next one of its name. */
async function setAside(tx: Tx, old: ReturnType<typeof sql.table>): Promise<string[]> {
  const { rows: indexes } = await sql<{ name: string; is_unique: boolean; definition: string }>`
    select relname as name, indisunique as is_unique, pg_get_indexdef(indexrelid) as definition
    from pg_index join pg_class on oid = indexrelid
    where indrelid = to_regclass('audit_events') order by indexrelid`.execute(tx)
  const { rows: grants } = await sql<{ definition: string }>`
    select format('grant %s on audit_events to %s', privilege_type,
      case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end) as definition
    from pg_class, aclexplode(relacl)
    where pg_class.oid = to_regclass('audit_events') and grantee <> relowner`.execute(tx)
  await sql`alter table audit_events alter id drop identity`.execute(tx)
  await sql`alter table audit_events rename to ${old}`.execute(tx)
  for (const { name } of indexes)
    await sql`alter index ${sql.table(name)} rename to ${sql.table(`${name}_until`)}`.execute(tx)
  const repeated = [...indexes.filter((index) => !index.is_unique), ...grants]
  return repeated.map(({ definition }) => definition)
}

function readMonth(name: string, bytes: number): Month[] {
  const [, until, year, month] = NAME.exec(name) ?? []
  if (year === undefined) return []
  const { startsAt, endsAt } = monthAt(Number(year), Number(month) - 1)
  return [{ name, startsAt: until === undefined ? startsAt : '', endsAt, bytes }]
}

function monthsFrom(first: Date): Month[] {
  return Array.from({ length: AHEAD + 1 }, (_, n) =>
    monthAt(first.getUTCFullYear(), first.getUTCMonth() + n),
  )
}

function monthAt(year: number, month: number): Month {
  const startsAt = new Date(Date.UTC(year, month)).toISOString()
  const endsAt = new Date(Date.UTC(year, month + 1)).toISOString()
  const name = `audit_events_${startsAt.slice(0, 7).replace('-', '_')}`
  return { name, startsAt, endsAt, bytes: 0 }
}
