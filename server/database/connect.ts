import { AsyncLocalStorage } from 'node:async_hooks'
import type { Compilable, Kysely, KyselyPlugin, Transaction } from 'kysely'
import { AppError } from '../errors.ts'
import { jitterMs } from '../lib/random.ts'
import { createTurns } from '../lib/turns.ts'
import { currentBudget, remainingMs, spend, takeTurn } from './budget.ts'
import { READ_ONLY, sqlState } from './outages.ts'
import type { Schema } from './schema.ts'

/** Reads take a `Db`: the reader or, inside a transaction, its `Tx`. */
export type Db = Pick<Kysely<Schema>, 'selectFrom' | 'selectNoFrom'>
/** Writes take a `Tx`: the compiler proves that they run inside `transaction()`. */
export type Tx = Transaction<Schema>

/** A read by one key whose SQL is built once. Measured: building it per request halves the throughput. */
export interface LookUp<Key extends string | number, Row> {
  readonly name: string
  readonly build: (db: Db, key: Key) => Compilable<Row>
}

export interface Connection {
  readonly dialect: 'sqlite' | 'postgres'
  /**
   * Rows per batch of background work. Fewer on SQLite, where a transaction holds the only write
   * lock and a statement blocks the event loop.
   */
  readonly batchMax: number
  /** For reads. Throws inside a transaction, where `tx` must be used. */
  readonly db: Db
  /**
   * For reads of many rows: on SQLite on a thread of its own, one at a time, so that they do not hold the
   * event loop; a short read takes longer there. On PostgreSQL the same as `db`.
   */
  readonly longReads: Db
  /** One row or undefined, by a prepared statement. Retries once when the connection was lost. */
  lookUp<Key extends string | number, Row>(
    lookUp: LookUp<Key, Row>,
    key: Key,
  ): Promise<Row | undefined>
  /**
   * Runs `work` and commits it, or rolls it back. `work` may run more than once: serialization
   * failures, deadlocks and a locked SQLite file are retried. Throws `database_unavailable` when
   * retries do not succeed within the budget.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Resolves to the database's clock in Unix milliseconds; throws when the database cannot be written. */
  check(): Promise<number>
  close(): Promise<void>
}

/** The part that differs by dialect. */
export interface Backend {
  readonly dialect: Connection['dialect']
  /** On SQLite, but for a temporary file: its absolute path, and whether it did not exist. */
  readonly file?: { readonly path: string; readonly created: boolean }
  readonly reader: Kysely<Schema>
  readonly longReader: Kysely<Schema>
  readonly writer: Kysely<Schema>
  prepared(name: string, sql: string, key: string | number): Promise<unknown[]>
  /** True when a retry of the transaction can succeed. */
  isTransient(error: unknown): boolean
  check(): Promise<number>
  close(): Promise<void>
}

/** Background work takes turns with the callers. */
export const SERVICE = 'service'
const RETRIES_MAX = 200
const BATCH_MAX = { sqlite: 200, postgres: 1000 }

export function connect(backend: Backend): Connection {
  const insideTransaction = new AsyncLocalStorage<true>()
  const refuseInside = () => {
    if (insideTransaction.getStore()) throw new Error('db used inside a transaction; use tx')
  }
  // Such a read would not see the transaction's own writes.
  const guard: KyselyPlugin = {
    transformQuery({ node }) {
      refuseInside()
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const db = backend.reader.withPlugin(guard)
  const isSqlite = backend.dialect === 'sqlite'
  // SQLite has one writer. While another process holds the lock, only the first in the queue
  // retries. Measured: 1500 concurrent retries blocked the event loop for 3 s.
  // On PostgreSQL the writes of one session wait for each other, before they take a connection: its
  // row serializes them anyway.
  const writers = createTurns(isSqlite ? { slots: 1 } : { slots: Infinity, runningMax: 1 })
  const writer = () => (isSqlite ? (currentBudget()?.caller ?? SERVICE) : currentBudget()?.session)
  const compiled = new Map<LookUp<never, unknown>, string>()

  return {
    dialect: backend.dialect,
    batchMax: BATCH_MAX[backend.dialect],
    db,
    longReads: backend.longReader.withPlugin(guard),
    async lookUp(lookUp, key) {
      refuseInside()
      let sql = compiled.get(lookUp)
      if (sql === undefined) {
        const query = lookUp.build(backend.reader, key).compile()
        // Kysely turns constants such as `limit(1)` into parameters, too.
        if (query.parameters.length !== 1)
          throw new Error(`look-up ${lookUp.name} must have one parameter`)
        sql = query.sql
        compiled.set(lookUp, sql)
      }
      const rows = await retryOnce(() => backend.prepared(lookUp.name, sql, key))
      return rows[0] as never
    },
    async transaction(work) {
      if (insideTransaction.getStore()) throw new Error('transaction inside a transaction; use tx')
      const endTurn = await takeTurn(writers, writer())
      try {
        return await retrying(backend, insideTransaction, work)
      } finally {
        endTurn()
      }
    },
    check: () => retryOnce(() => backend.check()),
    close: () => backend.close(),
  }
}

/** A pooled connection may have been lost unnoticed; a read is safe to retry on another one. */
async function retryOnce<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return read()
  }
}

async function retrying<T>(
  backend: Backend,
  insideTransaction: AsyncLocalStorage<true>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  let begun = false
  const attempt = () =>
    backend.writer.transaction().execute((tx) => {
      begun = true
      return insideTransaction.run(true, () => work(tx))
    })
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      // A connection lost before `begin` did nothing, and a read-only one could do nothing, so one retry
      // on another connection is safe.
      const didNothing = isUnavailable(error) && (!begun || sqlState(error.cause) === READ_ONLY)
      const retryable = backend.isTransient(error) || (didNothing && tries === 1)
      if (!retryable) throw error
      if (tries >= RETRIES_MAX || remainingMs() <= 0) {
        throw new AppError('database_unavailable', { cause: error, retryAfterS: 1 })
      }
      await spend(pause(Math.min(tries * 2, 20)))
    }
  }
}

/** Backoff with jitter, up to twice `meanMs`, so that two processes do not collide repeatedly. */
function pause(meanMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, jitterMs(meanMs)))
}

function isUnavailable(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'database_unavailable'
}
