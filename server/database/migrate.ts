import { setTimeout as delay } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import type { DatabaseUrl } from './url.ts'
import { SECOND_MS } from '../lib/units.ts'
import type { Backend, Db } from './connect.ts'
import { up as initial } from './migrations/0001-initial.ts'
import { up as mailAndJobs } from './migrations/0002-mail-and-jobs.ts'
import { up as accountLife } from './migrations/0003-account-life.ts'
import { up as oneRowAJob } from './migrations/0004-one-row-a-job.ts'
import { up as erasures } from './migrations/0005-erasures.ts'
import { up as reauthentication } from './migrations/0006-reauthentication.ts'
import { up as keysInUse } from './migrations/0007-keys-in-use.ts'
import { up as turns } from './migrations/0008-turns.ts'
import { up as loginUnlocks } from './migrations/0009-login-unlocks.ts'
import { up as dropJobRuns } from './migrations/0010-drop-job-runs.ts'
import { up as userSearch } from './migrations/0011-user-search.ts'
import { up as userLists } from './migrations/0012-user-lists.ts'
import { up as sessionIndexes } from './migrations/0013-session-indexes.ts'
import { up as auditIndexes } from './migrations/0014-audit-indexes.ts'
import { up as outboxLists } from './migrations/0015-outbox-lists.ts'
import { up as dropIndexes } from './migrations/0016-drop-indexes.ts'
import { up as invitations } from './migrations/0017-invitations.ts'
import { up as operations } from './migrations/0018-operations.ts'
import {
  type Applied,
  appliedMigrations,
  assertInCurrentSchema,
  findPlace,
  openMigrationTable,
  recordMigration,
} from './migration-table.ts'
import { openDatabase } from './open.ts'
import { SchemaError } from './problems.ts'

// A migration must not depend on today's Schema, hence any.
type Up = (db: Kysely<any>, dialect: Backend['dialect']) => Promise<void>

/** Forward-only, in this order, never edited once released. */
const MIGRATIONS: Readonly<Record<string, Up>> = {
  '0001-initial': initial,
  '0002-mail-and-jobs': mailAndJobs,
  '0003-account-life': accountLife,
  '0004-one-row-a-job': oneRowAJob,
  '0005-erasures': erasures,
  '0006-reauthentication': reauthentication,
  '0007-keys-in-use': keysInUse,
  '0008-turns': turns,
  '0009-login-unlocks': loginUnlocks,
  '0010-drop-job-runs': dropJobRuns,
  '0011-user-search': userSearch,
  '0012-user-lists': userLists,
  '0013-session-indexes': sessionIndexes,
  '0014-audit-indexes': auditIndexes,
  '0015-outbox-lists': outboxLists,
  '0016-drop-indexes': dropIndexes,
  '0017-invitations': invitations,
  '0018-operations': operations,
}

/**
 * The migration that a process must know to work with a later one, which is recorded with it: the
 * processes of the previous version go on. Without an entry, every process can.
 */
const NEEDS: Readonly<Record<string, string>> = {
  '0010-drop-job-runs': '0005-erasures',
}

/** Kysely's, which the previous version waits for. */
const LOCK = sql.raw('3853314791062309107')
/** How long a second process waits for the migration lock on SQLite. */
const LOCK_PATIENCE_MS = 60 * SECOND_MS

/** SQLSTATEs of a name that is taken, by a relation or by a type. */
const TAKEN = new Set(['42P07', '42710'])
/** The name in quotes, in the language of the server. */
const QUOTED = /["»„«]\s?([^"«“»]+)/
const TAKEN_ON_SQLITE =
  /^(?:table|index|view) (\S+) already exists|already (?:a table|an index) named (\S+)/

export interface SchemaState {
  /** Without any migration of ours. */
  readonly isNew: boolean
  /** Not applied yet. */
  readonly pending: readonly string[]
  /** Applied by a newer version that this one can run beside. */
  readonly newer: readonly string[]
}

/**
 * Applies pending migrations in one transaction under a lock and returns their names. A kill at any
 * point leaves the old schema or the new one. Throws SchemaError for a newer schema with which this
 * version cannot work, and for tables of another program that are in the way.
 */
export async function migrate(url: DatabaseUrl, open: Backend): Promise<readonly string[]> {
  // Without the lock: a start beside others has nothing to wait for.
  const { pending } = await checkSchema(open)
  if (pending.length === 0) return []
  if (url.kind === 'sqlite') return applyPending(open)
  // A migration may take minutes; the service's connections time out after seconds.
  const patient = await openDatabase(url, { poolMax: 1, statementTimeoutMs: 0 })
  try {
    return await applyPending(patient)
  } finally {
    await patient.close()
  }
}

/** Throws what `migrate` would throw on a database without our tables, and leaves nothing behind. */
export async function rehearse(backend: Backend): Promise<void> {
  const done = new Error('rolled back')
  await applyPending(backend, () => {
    throw done
  }).catch((error: unknown) => {
    if (error !== done) throw error
  })
}

/** As `compareSchema`, and throws SchemaError if our tables are not in the current schema. */
export async function checkSchema(backend: Backend): Promise<SchemaState> {
  await assertInCurrentSchema(backend)
  return compareSchema(backend.reader)
}

/** Throws SchemaError for a newer schema with which this version cannot work. */
export async function compareSchema(db: Db): Promise<SchemaState> {
  return compare(await appliedMigrations(db))
}

function compare(applied: readonly Applied[]): SchemaState {
  const isKnown = (name: string) => Object.hasOwn(MIGRATIONS, name)
  const names = new Set(applied.map(({ name }) => name))
  const pending = Object.keys(MIGRATIONS).filter((name) => !names.has(name))
  const unknown = applied.filter(({ name }) => !isKnown(name))
  // Ours would run after those that expect it before them.
  const inOrder = unknown.length === 0 || pending.length === 0
  if (!inOrder || unknown.some(({ needs }) => needs !== null && !isKnown(needs))) {
    const list = unknown.map(({ name }) => name).join(', ')
    throw new SchemaError(
      `the database has migrations that this version does not know (${list}); start the newer version`,
    )
  }
  return { isNew: names.size === 0, pending, newer: unknown.map(({ name }) => name) }
}

async function applyPending(backend: Backend, beforeCommit = () => {}): Promise<readonly string[]> {
  for (const startedAt = performance.now(); ; await delay(50)) {
    try {
      return await backend.writer.transaction().execute(async (tx) => {
        const applied = await applyUnderLock(tx, backend.dialect)
        beforeCommit()
        return applied
      })
    } catch (error) {
      const patient = performance.now() - startedAt < LOCK_PATIENCE_MS
      if (!backend.isTransient(error) || !patient) throw await withRemedy(backend, error)
    }
  }
}

/** On SQLite every transaction that writes holds the lock. */
async function applyUnderLock(
  tx: Kysely<any>,
  dialect: Backend['dialect'],
): Promise<readonly string[]> {
  if (dialect === 'postgres') {
    // Another level would not see what was committed while this waited for the lock.
    await sql`set transaction isolation level read committed`.execute(tx)
    // To the end of the transaction, which a pooler gives one connection.
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx)
  }
  const { pending } = compare(await openMigrationTable(tx, dialect))
  for (const name of pending) {
    await MIGRATIONS[name]?.(tx, dialect)
    await recordMigration(tx, name, NEEDS[name])
  }
  return pending
}

/** Explains a name that is taken by something that no migration of ours has made. */
async function withRemedy({ dialect, writer }: Backend, error: unknown): Promise<unknown> {
  if (!(error instanceof Error)) return error
  if (dialect === 'sqlite') {
    const [, made, found = made] = TAKEN_ON_SQLITE.exec(error.message) ?? []
    if (found === undefined) return error
    return new SchemaError(
      `the SQLite file has ${found}, which is not of this service: rename that, or set DATABASE_URL to another file`,
    )
  }
  if (!('code' in error && TAKEN.has(String(error.code)))) return error
  const { schema, remedy } = await findPlace(writer)
  const name = QUOTED.exec(error.message)?.[1] ?? error.message
  return new SchemaError(
    `the schema ${schema} of the database has ${name}, which is not of this service: rename that, use another database, or give the service a schema of its own (${remedy})`,
  )
}
