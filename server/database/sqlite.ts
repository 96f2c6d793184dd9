import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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
import { AppError } from '../errors.ts'
import { setBounded } from '../lib/bounded-map.ts'
import type { Backend } from './connect.ts'
import type { Schema } from './schema.ts'

const STATEMENTS_MAX = 500

/** https://www.sqlite.org/rescode.html: BUSY and LOCKED pass; the others are faults of the file. */
const BUSY = new Set([5, 6])
const FAULTS = new Set([8, 10, 11, 13, 14, 26])

/**
 * Two handles on one file: a writer for transactions and a reader for everything else, because on
 * one handle a look-up would read inside somebody else's open transaction. There is no busy
 * timeout: it would stop the event loop; `transaction()` tries again instead.
 */
export function openSqlite(path: string | undefined): Backend {
  const temporary = path === undefined ? mkdtempSync(join(tmpdir(), 'coffee-shop-')) : undefined
  const file = path ?? join(temporary ?? '', 'app.db')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  createPrivately(file)
  const writer = named(() => openHandle(file, { readOnly: false }))
  const reader = named(() => openHandle(file, { readOnly: true }))
  const opened = identity(file)
  const assertSameFile = () => {
    // A deleted or replaced file would take writes that nobody can ever read.
    if (identity(file) !== opened)
      throw unavailable(new Error('the database file was replaced or removed'))
  }
  const writing = new Kysely<Schema>({
    dialect: dialect(shim(writer, assertSameFile)),
    plugins: [noRowLocks],
  })
  const reading = new Kysely<Schema>({
    dialect: dialect(shim(reader, () => {})),
    plugins: [noRowLocks],
  })
  const prepared = statementCache(reader)

  return {
    dialect: 'sqlite',
    reader: reading,
    writer: writing,
    prepared: async (_name, sql, key) => named(() => prepared(sql).all(key)),
    isTransient: (error) => BUSY.has(resultCode(error)),
    async check() {
      assertSameFile()
      named(() => prepared('select count(*) from sqlite_schema').get())
      return Date.now()
    },
    async close() {
      // The writer last: only it can put the log into the file and remove it.
      for (const [kysely, handle] of [
        [reading, reader],
        [writing, writer],
      ] as const) {
        await kysely.destroy()
        // Kysely closes only what it used.
        if (handle.isOpen) handle.close()
      }
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
    },
  }
}

/** SQLite would let everybody on the machine read it; its log gets the mode of the file. */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch {
    // It is there already, or SQLite says next why it cannot be.
  }
}

function openHandle(file: string, { readOnly }: { readOnly: boolean }): DatabaseSync {
  const handle = new DatabaseSync(file, { readOnly, timeout: 0, enableForeignKeyConstraints: true })
  // WAL with synchronous=NORMAL can lose acknowledged commits when the power fails.
  if (!readOnly) handle.exec('pragma journal_mode = wal; pragma synchronous = full')
  // SQLite's own lower() folds ASCII only; searches must find `Élodie` by `élo` as PostgreSQL does.
  handle.function('lower', { deterministic: true }, (text) =>
    typeof text === 'string' ? text.toLowerCase() : text,
  )
  return handle
}

/** Kysely's SQLite dialect, on a file whose schema changes are transactional. */
function dialect(database: SqliteDatabase): SqliteDialect {
  class Dialect extends SqliteDialect {
    override createAdapter(): DialectAdapter {
      return new TransactionalDdlAdapter()
    }
  }
  return new Dialect({ database })
}

/** SQLite does roll schema changes back; without this a kill in mid-migration would brick the file. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** What Kysely needs of a database, over node:sqlite. `onBegin` runs before each transaction. */
function shim(handle: DatabaseSync, onBegin: () => void): SqliteDatabase {
  const statement = statementCache(handle)
  const args = (parameters: ReadonlyArray<unknown>) => parameters as SQLInputValue[]
  return {
    close: () => handle.close(),
    prepare(sql) {
      if (sql === 'begin') onBegin()
      // A full disk rolls back by itself; Kysely's own rollback would hide that error behind another.
      if (sql === 'rollback' && !handle.isTransaction) return NOTHING
      // A transaction that begins with a read cannot become a writer once another one has written.
      const prepared = named(() => statement(sql === 'begin' ? 'begin immediate' : sql))
      return {
        reader: prepared.columns().length > 0,
        all: (parameters) => named(() => prepared.all(...args(parameters))),
        run: (parameters) => named(() => prepared.run(...args(parameters))),
        iterate: (parameters) => prepared.iterate(...args(parameters)) as IterableIterator<unknown>,
      }
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

/** `for update` has no meaning where `begin immediate` already holds the only write lock. */
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

/** Names a fault of the file `database_unavailable`; everything else stays what it is. */
function named<T>(operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw FAULTS.has(resultCode(error)) ? unavailable(error) : error
  }
}

function unavailable(cause: unknown): AppError {
  return new AppError('database_unavailable', { cause, retryAfterS: 1 })
}

/** The primary result code, 0 for what did not come from SQLite. */
function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
}

function identity(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? 'absent' : `${stat.dev}:${stat.ino}`
}
