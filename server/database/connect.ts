import { AsyncLocalStorage } from 'node:async_hooks'
import type { Compilable, CompiledQuery, Kysely, KyselyPlugin, Transaction } from 'kysely'
import { AppError } from '../errors.ts'
import { jitterMs } from '../lib/random.ts'
import { createTurns } from '../lib/turns.ts'
import { currentBudget, remainingMs, spend, takeTurn } from './budget.ts'
import { groupByTurn, type Outcome, type Prepared } from './group-commit.ts'
import { READ_ONLY, sqlState } from './outages.ts'
import type { Schema } from './schema.ts'
import type { Checkpoints } from './sqlite-checkpoints.ts'

/** Reads take a `Db`: the reader or, inside a transaction, its `Tx`. */
export type Db = Pick<Kysely<Schema>, 'selectFrom' | 'selectNoFrom' | 'with'>
/** Writes take a `Tx`: the compiler proves that they run inside `transaction()`. */
export type Tx = Transaction<Schema>

export type Value = string | number | null
/** The parameters of a prepared statement, by name; a single one needs none. */
type Values = Value | Readonly<Record<string, Value>>

/**
 * A read whose SQL is built once. Measured: building it per request halves the throughput. `build` is
 * given markers instead of values, so it may only put them in their places. It names its columns: with
 * `*`, a column that is added later would break the statement.
 */
export interface Query<Parameters extends Values, Row> {
  /** Under this name PostgreSQL keeps it prepared, once per connection. */
  readonly name: string
  readonly build: (db: Db, parameters: Parameters) => Compilable<Row>
}

/** A write, or a read that locks, whose SQL is built once, as that of a `Query`. */
export interface Statement<Parameters extends Values, Row> {
  readonly name: string
  readonly build: (tx: Tx, parameters: Parameters) => Compilable<Row>
}

type AnyStatement = Statement<never, unknown>
type Run = (statement: AnyStatement, parameters: Values) => Promise<unknown[]>
const runners = new WeakMap<Db, Run>()

/** Runs a prepared read through `ctx.db` or within a transaction, any other statement within one. */
export function run<Parameters extends Values, Row>(
  db: Db,
  query: Query<Parameters, Row>,
  parameters: NoInfer<Parameters>,
): Promise<Row[]>
export function run<Parameters extends Values, Row>(
  tx: Tx,
  statement: Statement<Parameters, Row>,
  parameters: NoInfer<Parameters>,
): Promise<Row[]>
export async function run(
  db: Db | Tx,
  statement: AnyStatement,
  parameters: Values,
): Promise<unknown[]> {
  const prepared = runners.get(db)
  if (prepared !== undefined) return prepared(statement, parameters)
  // A handle with a plugin of its caller's, which must see the query.
  const tx = db as Tx
  return (await tx.executeQuery(statement.build(tx, parameters as never))).rows
}

export interface Connection {
  readonly dialect: 'sqlite' | 'postgres'
  /**
   * Rows per batch of background work. Fewer on SQLite, where a transaction holds the only write
   * lock and a statement blocks the event loop.
   */
  readonly batchMax: number
  /**
   * The pause after a batch of background work is as long as the batch, at most this: on SQLite both need
   * this process. PostgreSQL needs none, and other writes wait for a few milliseconds of a batch at most.
   */
  readonly pauseMaxMs: number
  /** For reads. Throws inside a transaction, where `tx` must be used. */
  readonly db: Db
  /**
   * For reads of many rows: on SQLite on a thread of its own, one at a time, so that they do not hold the
   * event loop; a short read takes longer there. On PostgreSQL the same as `db`.
   */
  readonly longReads: Db
  /** The first row of a prepared read. Retries once when the connection was lost. */
  lookUp<Parameters extends Values, Row>(
    query: Query<Parameters, Row>,
    parameters: NoInfer<Parameters>,
  ): Promise<Row | undefined>
  /**
   * Runs a prepared statement that commits by itself: a transaction of one round trip. It may run again
   * after it has happened, when the connection was lost, so its condition must then no longer hold. What
   * it throws is as of `transaction`. On SQLite, those of one turn of the event loop share a commit.
   */
  autocommit<Parameters extends Values, Row>(
    statement: Statement<Parameters, Row>,
    parameters: NoInfer<Parameters>,
  ): Promise<Row[]>
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
  /** On SQLite. */
  readonly checkpoints?: Checkpoints
  /**
   * On SQLite, where a commit costs more than the statements: runs each, and commits them together. Throws if
   * none of them happened.
   */
  commitTogether?(group: readonly Prepared[]): Promise<Outcome[]>
  /** Lets the server keep the statement of this text prepared under a name. */
  nameStatement(sql: string, name: string): void
  /** Runs a prepared statement on its own: a read, unless it `commits`. Of `first`, only that row counts. */
  prepared(
    sql: string,
    values: readonly Value[],
    options?: { readonly commits?: boolean; readonly first?: boolean },
  ): Promise<unknown[]>
  /** True when a retry of the transaction can succeed. */
  isTransient(error: unknown): boolean
  check(): Promise<number>
  close(): Promise<void>
}

/** Background work takes turns with the callers. */
export const SERVICE = 'service'
const RETRIES_MAX = 200
const BATCH_MAX = { sqlite: 200, postgres: 1000 }
const PAUSE_MAX_MS = { sqlite: 10, postgres: 0 }

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
  const writer = () => {
    const budget = currentBudget()
    if (!isSqlite) return budget?.session
    // Of several callers: they do not wait for a place behind those of one of them.
    return budget === undefined ? SERVICE : budget.caller
  }
  const prepare = createStatements(backend)
  const read: Run = async (query, parameters) => {
    refuseInside()
    const { sql, values } = prepare(query, parameters)
    return retryOnce(() => backend.prepared(sql, values))
  }
  runners.set(db, read)
  const refuseWithin = () => {
    if (insideTransaction.getStore()) throw new Error('transaction inside a transaction; use tx')
  }
  async function inTurn<T>(write: () => Promise<T>): Promise<T> {
    refuseWithin()
    // Not within its turn, which requests may need before the checkpoint ends.
    if (currentBudget() === undefined) await backend.checkpoints?.ended()
    const endTurn = await takeTurn(writers, writer())
    try {
      await backend.checkpoints?.settle()
      return await write()
    } finally {
      endTurn()
      backend.checkpoints?.begin()
    }
  }
  const { commitTogether } = backend
  const joinGroup =
    commitTogether &&
    groupByTurn(
      (attempt) => inTurn(() => retrying(backend, { attempt, hasBegun: () => false })),
      commitTogether,
    )
  function within(tx: Tx): Tx {
    runners.set(tx, async (statement, parameters) => {
      const { compiled, values } = prepare(statement, parameters)
      return (await tx.executeQuery({ ...compiled, parameters: values })).rows
    })
    return tx
  }

  return {
    dialect: backend.dialect,
    batchMax: BATCH_MAX[backend.dialect],
    pauseMaxMs: PAUSE_MAX_MS[backend.dialect],
    db,
    longReads: backend.longReader.withPlugin(guard),
    async lookUp(query, parameters) {
      refuseInside()
      const { sql, values } = prepare(query, parameters)
      const rows = await retryOnce(() => backend.prepared(sql, values, { first: true }))
      return rows[0] as never
    },
    async autocommit(statement, parameters) {
      refuseWithin()
      const { sql, values } = prepare(statement, parameters)
      if (joinGroup !== undefined) return (await joinGroup({ sql, values })) as never[]
      const attempt = () => backend.prepared(sql, values, { commits: true })
      return inTurn(() => retrying(backend, { attempt, hasBegun: () => false })) as Promise<never[]>
    },
    transaction: (work) =>
      inTurn(() => {
        let begun = false
        const attempt = () =>
          backend.writer.transaction().execute((tx) => {
            begun = true
            return insideTransaction.run(true, () => work(within(tx)))
          })
        return retrying(backend, { attempt, hasBegun: () => begun })
      }),
    check: () => retryOnce(() => backend.check()),
    close: () => backend.close(),
  }
}

/** Compiles each statement once; its parameters go to the places in which `build` has put them. */
function createStatements(backend: Backend) {
  const known = new Map<AnyStatement, CompiledQuery>()
  function compile(statement: AnyStatement, given: Values): CompiledQuery {
    const markers = isRecord(given)
      ? Object.fromEntries(Object.keys(given).map((name) => [name, Symbol(name)]))
      : Symbol(statement.name)
    const compiled = statement.build(backend.writer as Tx, markers as never).compile()
    backend.nameStatement(compiled.sql, statement.name)
    known.set(statement, compiled)
    return compiled
  }
  return (statement: AnyStatement, given: Values) => {
    const compiled = known.get(statement) ?? compile(statement, given)
    const values = compiled.parameters.map((place) => {
      // Kysely turns constants such as `limit(1)` into parameters, too.
      if (typeof place !== 'symbol') return place as Value
      return isRecord(given) ? (given[place.description ?? ''] as Value) : given
    })
    return { compiled, sql: compiled.sql, values }
  }
}

function isRecord(given: Values): given is Readonly<Record<string, Value>> {
  return typeof given === 'object' && given !== null
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
  { attempt, hasBegun }: { attempt: () => Promise<T>; hasBegun: () => boolean },
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      // A connection lost before `begin` did nothing, and a read-only one could do nothing, so one retry
      // on another connection is safe.
      const didNothing =
        isUnavailable(error) && (!hasBegun() || sqlState(error.cause) === READ_ONLY)
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
