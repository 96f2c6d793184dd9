import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  type DialectAdapter,
  Kysely,
  type KyselyPlugin,
  OperationNodeTransformer,
  type SelectQueryNode,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteStatement,
} from 'kysely'
import { setBounded } from '../lib/bounded-map.ts'
import { currentBudget } from './budget.ts'
import type { Backend } from './connect.ts'
import type { Outcome, Prepared } from './group-commit.ts'
import { FIRST, FORMER_TABLE, TABLE } from './migration-table.ts'
import { SchemaError } from './problems.ts'
import type { Schema } from './schema.ts'
import { openAside } from './sqlite-aside.ts'
import { createCheckpoints, FALLBACK_PAGES } from './sqlite-checkpoints.ts'
import { isBusy, isFault, nameFault, resultCode, unavailable } from './sqlite-faults.ts'
import { defineLower } from './sqlite-lower.ts'

const STATEMENTS_MAX = 500
/** What background work may hold of the event loop at a time, where its statements are shorter. */
const TURN_MAX_MS = 4

/**
 * Opens two handles on one file: a writer for transactions and a reader for everything else. On a
 * single handle a read would run inside another request's open transaction. There is no busy
 * timeout, because it blocks the event loop; `transaction()` retries instead.
 */
export function openSqlite(path: string | undefined): Backend {
  const temporary = path === undefined ? mkdtempSync(join(tmpdir(), 'coffee-shop-')) : undefined
  const file = path ?? join(temporary ?? '', 'app.db')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const created = createPrivately(file)
  const writer = named(() => openHandle(file, { readOnly: false }))
  const reader = named(() => openHandle(file, { readOnly: true }))
  const opened = identity(file)
  const assertSameFile = () => {
    // Writes to a deleted or replaced file would be lost.
    if (identity(file) !== opened)
      throw unavailable(new Error('the database file was replaced or removed'))
  }
  const writing = new Kysely<Schema>({
    dialect: dialect(shim(writer, assertSameFile)),
    plugins: [noRowLocks, givesWay()],
  })
  const reading = new Kysely<Schema>({
    dialect: dialect(shim(reader, () => {})),
    plugins: [noRowLocks, givesWay()],
  })
  const aside = openAside(file, assertSameFile)
  const checkpoints = createCheckpoints(file, aside.checkpoint)
  const reads = statementCache(reader)
  const writes = statementCache(writer)

  return {
    dialect: 'sqlite',
    ...(path === undefined ? {} : { file: { path: resolve(path), created } }),
    reader: reading,
    longReader: aside.reader,
    checkpoints,
    writer: writing,
    nameStatement() {},
    async prepared(sql, values, { first = false } = {}) {
      // The look-up of each request; a list of one row costs twice as much.
      if (first) return [named(() => reads(sql).get(...values))]
      return named(() => reads(sql).all(...values))
    },
    async commitTogether(group) {
      assertSameFile()
      // Within an open transaction nothing commits by itself.
      if (writer.isTransaction) throw new Error('a transaction is open')
      return named(() => commitAll(writer, writes, group))
    },
    isTransient: isBusy,
    async check() {
      assertSameFile()
      named(() => reads('select count(*) from sqlite_schema').get())
      return Date.now()
    },
    async close() {
      await aside.close()
      // The writer closes last: only it can checkpoint the WAL and remove it.
      for (const [kysely, handle] of [
        [reading, reader],
        [writing, writer],
      ] as const) {
        await kysely.destroy()
        // Kysely closes only handles that it has used.
        if (handle.isOpen) handle.close()
      }
      // Last: when a file is closed, POSIX ends all locks of the process on it, also those of SQLite.
      checkpoints.close()
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
    },
  }
}

/**
 * SQLite would create the file readable by every local user; the WAL inherits the file's mode. True if
 * it did not exist.
 */
function createPrivately(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx', 0o600))
    return true
  } catch {
    // The file exists, or the open that follows reports the error.
    return false
  }
}

function openHandle(file: string, { readOnly }: { readOnly: boolean }): DatabaseSync {
  const handle = new DatabaseSync(file, { readOnly, timeout: 0, enableForeignKeyConstraints: true })
  if (!readOnly) {
    try {
      assertOurs(handle, file)
      useWal(handle)
      assertWritable(handle)
    } catch (error) {
      handle.close()
      throw error
    }
  }
  defineLower(handle)
  return handle
}

/** Throws SchemaError for the file of another program, before anything of it is changed. */
function assertOurs(handle: DatabaseSync, file: string): void {
  const tables = handle
    .prepare(
      `select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite#_%' escape '#'`,
    )
    .all()
    .map(({ name }) => String(name))
  // An earlier version that was killed at its first start left its two tables of migrations, empty.
  const others = tables.filter((name) => !name.startsWith(FORMER_TABLE))
  if (others.length === 0 || tables.includes(TABLE) || hasFormerTable(handle)) return
  throw new SchemaError(
    `${resolve(file)} is the database of another program (it has ${others.slice(0, 3).join(', ')}): set DATABASE_URL to another file`,
  )
}

function hasFormerTable(handle: DatabaseSync): boolean {
  try {
    return handle.prepare(`select 1 from ${FORMER_TABLE} where name = ?`).get(FIRST) !== undefined
  } catch (error) {
    // There is no such table or column.
    if (resultCode(error) === 1) return false
    throw error
  }
}

function useWal(handle: DatabaseSync): void {
  // A file system without shared memory keeps the other mode and reports no error.
  const mode = handle.prepare('pragma journal_mode = wal').get()?.['journal_mode']
  if (mode !== 'wal')
    throw unavailable(
      new Error('it cannot use WAL; choose a local disk, not a network file system'),
    )
  // WAL with synchronous=NORMAL can lose acknowledged commits when the power fails.
  handle.exec('pragma synchronous = full')
  handle.exec(`pragma wal_autocheckpoint = ${FALLBACK_PAGES}`)
}

/** SQLite opens a file that it may only read, and fails at the first write. */
function assertWritable(handle: DatabaseSync): void {
  try {
    handle.exec('begin immediate; create table coffee_shop_probe (id); rollback')
  } catch (error) {
    // Another process writes.
    if (!isBusy(error)) throw error
  }
}

function dialect(database: SqliteDatabase): SqliteDialect {
  class Dialect extends SqliteDialect {
    override createAdapter(): DialectAdapter {
      return new TransactionalDdlAdapter()
    }
  }
  return new Dialect({ database })
}

/** SQLite can roll back DDL; without this, a kill during a migration leaves half a schema. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Adapts node:sqlite to Kysely's interface. `onBegin` runs before each transaction. */
function shim(handle: DatabaseSync, onBegin: () => void): SqliteDatabase {
  const statement = statementCache(handle)
  const adapted = new WeakMap<StatementSync, SqliteStatement>()
  const args = (parameters: ReadonlyArray<unknown>) => parameters as SQLInputValue[]
  return {
    close: () => handle.close(),
    prepare(sql) {
      if (sql === 'begin') onBegin()
      // A full disk rolls back automatically; a second rollback would fail and hide that error.
      if (sql === 'rollback' && !handle.isTransaction) return NOTHING
      // A deferred transaction that has read cannot upgrade to a write lock after another write.
      const prepared = named(() => statement(sql === 'begin' ? 'begin immediate' : sql))
      const known = adapted.get(prepared)
      if (known !== undefined) return known
      const adapting: SqliteStatement = {
        reader: prepared.columns().length > 0,
        all: (parameters) => named(() => prepared.all(...args(parameters))),
        run: (parameters) => named(() => prepared.run(...args(parameters))),
        iterate: (parameters) => prepared.iterate(...args(parameters)) as IterableIterator<unknown>,
      }
      adapted.set(prepared, adapting)
      return adapting
    },
  }
}

const NOTHING: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [][Symbol.iterator](),
}

function statementCache(handle: DatabaseSync): (sql: string) => StatementSync {
  const cache = new Map<string, StatementSync>()
  return (sql) => {
    const known = cache.get(sql)
    if (known !== undefined) return known
    const statement = handle.prepare(sql)
    setBounded(cache, [sql, statement], STATEMENTS_MAX)
    return statement
  }
}

/** Runs statements in one transaction. Each that fails is undone by itself, unless all have to be. */
function commitAll(
  handle: DatabaseSync,
  statement: (sql: string) => StatementSync,
  group: readonly Prepared[],
): Outcome[] {
  statement('begin immediate').run()
  try {
    const outcomes = group.map(({ sql, values }): Outcome => {
      try {
        return { rows: statement(sql).all(...values) }
      } catch (error) {
        // A full disk, an error of the file: nothing of this transaction lasts.
        if (!handle.isTransaction || isFault(error)) throw error
        return { error }
      }
    })
    statement('commit').run()
    return outcomes
  } catch (error) {
    if (handle.isTransaction) statement('rollback').run()
    throw error
  }
}

/** SQLite has no `for update`: `begin immediate` already holds the only write lock. */
const rowLockRemover = new (class extends OperationNodeTransformer {
  protected override transformSelectQuery(node: SelectQueryNode): SelectQueryNode {
    const { endModifiers: _, ...rest } = super.transformSelectQuery(node)
    return rest
  }
})()
const noRowLocks: KyselyPlugin = {
  transformQuery: ({ node }) => rowLockRemover.transformNode(node),
  transformResult: async ({ result }) => result,
}

/** Between the statements of background work, requests get turns of the event loop. */
function givesWay(): KyselyPlugin {
  let sinceMs = 0
  return {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (currentBudget() === undefined && performance.now() - sinceMs > TURN_MAX_MS) {
        await setImmediate()
        sinceMs = performance.now()
      }
      return result
    },
  }
}

/** Maps errors of the file to `database_unavailable` and passes on all others. */
function named<T>(operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw nameFault(error)
  }
}

function identity(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? 'absent' : `${stat.dev}:${stat.ino}`
}
