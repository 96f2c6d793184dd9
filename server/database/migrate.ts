import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
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
import { openDatabase } from './open.ts'
import type { Schema } from './schema.ts'

/** Forward-only, in this order, never edited once released. */
const MIGRATIONS = {
  '0001-initial': initial,
  '0002-mail-and-jobs': mailAndJobs,
  '0003-account-life': accountLife,
  '0004-one-row-a-job': oneRowAJob,
  '0005-erasures': erasures,
  '0006-reauthentication': reauthentication,
  '0007-keys-in-use': keysInUse,
  '0008-turns': turns,
  '0009-login-unlocks': loginUnlocks,
}

const TABLE = 'schema_migrations'
/** How long a second process waits for the migration lock on SQLite. */
const LOCK_PATIENCE_MS = 60 * SECOND_MS

/** The schema does not fit this version; the message names the remedy. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/**
 * Applies pending migrations in one transaction under a lock and returns their names. A kill at any
 * point leaves the old schema or the new one. Throws SchemaError for a newer schema.
 */
export async function migrate(url: DatabaseUrl, open: Backend): Promise<string[]> {
  if (url.kind === 'sqlite') return migrateWith(open)
  // A migration may take minutes; the service's connections time out after seconds.
  const patient = await openDatabase(url, { poolMax: 1, statementTimeoutMs: 0 })
  try {
    return await migrateWith(patient)
  } finally {
    await patient.close()
  }
}

async function migrateWith(backend: Backend): Promise<string[]> {
  const migrator = new Migrator({
    db: backend.writer,
    provider: { getMigrations: async () => migrationsFor(backend.dialect) },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  })
  const startedAt = performance.now()
  for (;;) {
    await assertNotNewer(backend.reader)
    const { error, results = [] } = await migrator.migrateToLatest()
    if (error === undefined) return results.map((result) => result.migrationName)
    if (!backend.isTransient(error) || performance.now() - startedAt > LOCK_PATIENCE_MS) throw error
    await delay(50)
  }
}

/** Migrations that have not been applied yet. Throws SchemaError for a newer schema. */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const applied = await appliedMigrations(db)
  const unknown = applied.filter((name) => !Object.hasOwn(MIGRATIONS, name))
  if (unknown.length > 0) {
    throw new SchemaError(
      `the database has migrations that this version does not know (${unknown.join(', ')}); start the newer version`,
    )
  }
  return Object.keys(MIGRATIONS).filter((name) => !applied.includes(name))
}

async function assertNotNewer(db: Db): Promise<void> {
  await pendingMigrations(db)
}

async function appliedMigrations(db: Db): Promise<string[]> {
  // Kysely owns this table; `Schema` does not contain it.
  const untyped = db as unknown as Kysely<{ [TABLE]: { name: string } }>
  try {
    const rows = await untyped.selectFrom(TABLE).select('name').execute()
    return rows.map((row) => row.name)
  } catch (error) {
    if (error instanceof Error && /no such table|does not exist/.test(error.message)) return []
    throw error
  }
}

function migrationsFor(dialect: Backend['dialect']): Record<string, Migration> {
  const entries = Object.entries(MIGRATIONS).map(([name, up]) => [
    name,
    { up: (db: Kysely<Schema>) => up(db, dialect) },
  ])
  return Object.fromEntries(entries) as Record<string, Migration>
}
