import { AsyncLocalStorage } from 'node:async_hooks'
import type { Compilable, Kysely, KyselyPlugin, Transaction } from 'kysely'
import { AppError } from '../errors.ts'
import { jitterMs } from '../lib/random.ts'
import { createTurns } from '../lib/turns.ts'
import { remainingMs, spend } from './budget.ts'
import type { Schema } from './schema.ts'

/** Reads take a `Db`: outside a transaction or, as a `Tx`, inside one; the caller decides. */
export type Db = Pick<Kysely<Schema>, 'selectFrom' | 'selectNoFrom'>
/** Writes take a `Tx`: the compiler proves that they run inside `transaction()`. */
export type Tx = Transaction<Schema>

/** A read by one key whose SQL is built once: building it per request halves the throughput. */
export interface LookUp<Key extends string | number, Row> {
  readonly name: string
  readonly build: (db: Db, key: Key) => Compilable<Row>
}

export interface Connection {
  readonly dialect: 'sqlite' | 'postgres'
  /**
   * Rows of one batch of background work. Fewer on SQLite, where a transaction holds the only write
   * lock and a statement the event loop.
   */
  readonly batchMax: number
  /** For reads. Throws when used inside a transaction: there the transaction's own handle is meant. */
  readonly db: Db
  /** One row or undefined, by a prepared statement. Tries a second connection when the first is dead. */
  lookUp<Key extends string | number, Row>(
    lookUp: LookUp<Key, Row>,
    key: Key,
  ): Promise<Row | undefined>
  /**
   * Runs `work` and commits, or rolls back what it did. `work` may run more than once: a
   * serialization failure, a deadlock or a locked SQLite file is tried again. Throws
   * `database_unavailable` when that does not help within the budget.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Throws when the database cannot be used now; resolves to its clock in Unix milliseconds. */
  check(): Promise<number>
  close(): Promise<void>
}

/** What a dialect brings; everything above it is the same for both. */
export interface Backend {
  readonly dialect: Connection['dialect']
  readonly reader: Kysely<Schema>
  readonly writer: Kysely<Schema>
  prepared(name: string, sql: string, key: string | number): Promise<unknown[]>
  /** True when the same transaction may well succeed if it is run again. */
  isTransient(error: unknown): boolean
  check(): Promise<number>
  close(): Promise<void>
}

const RETRIES_MAX = 200
const BATCH_MAX = { sqlite: 200, postgres: 1000 }

export function connect(backend: Backend): Connection {
  const insideTransaction = new AsyncLocalStorage<true>()
  const refuseInside = () => {
    if (insideTransaction.getStore()) throw new Error('db used inside a transaction; use tx')
  }
  // On SQLite such a read would not see what the transaction wrote, and on a single handle hang.
  const guard: KyselyPlugin = {
    transformQuery({ node }) {
      refuseInside()
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const db = backend.reader.withPlugin(guard)
  // SQLite writes one after the other. While another process holds the file, only the first in line
  // asks for it again and again: measured, 1500 of them stopped the event loop for 3 s.
  const writers = backend.dialect === 'sqlite' ? createTurns(1) : undefined
  const compiled = new Map<LookUp<never, unknown>, string>()

  return {
    dialect: backend.dialect,
    batchMax: BATCH_MAX[backend.dialect],
    db,
    async lookUp(lookUp, key) {
      refuseInside()
      let sql = compiled.get(lookUp)
      if (sql === undefined) {
        const query = lookUp.build(backend.reader, key).compile()
        // A constant that Kysely made a parameter (`limit(1)`) would take the key's place.
        if (query.parameters.length !== 1)
          throw new Error(`look-up ${lookUp.name} must have one parameter`)
        sql = query.sql
        compiled.set(lookUp, sql)
      }
      const rows = await onceMore(() => backend.prepared(lookUp.name, sql, key))
      return rows[0] as never
    },
    async transaction(work) {
      if (insideTransaction.getStore()) throw new Error('transaction inside a transaction; use tx')
      if (writers === undefined) return retrying(backend, insideTransaction, work)
      const { turn, abandon } = writers.enter()
      const endTurn = await spend(turn, abandon)
      try {
        return await retrying(backend, insideTransaction, work)
      } finally {
        endTurn()
      }
    },
    check: () => backend.check(),
    close: () => backend.close(),
  }
}

/** A pooled connection may have died unnoticed; a read can simply be asked again on the next one. */
async function onceMore<T>(read: () => Promise<T>): Promise<T> {
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
      // A connection that was dead before `begin` did nothing: that too can be tried again, once.
      const retryable =
        backend.isTransient(error) || (isUnavailable(error) && !begun && tries === 1)
      if (!retryable) throw error
      if (tries >= RETRIES_MAX || remainingMs() <= 0) {
        throw new AppError('database_unavailable', { cause: error, retryAfterS: 1 })
      }
      await spend(pause(Math.min(tries * 2, 20)))
    }
  }
}

/** Waits up to twice `meanMs`; the jitter keeps two processes from meeting again and again. */
function pause(meanMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, jitterMs(meanMs)))
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'database_unavailable'
}
