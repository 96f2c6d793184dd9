import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { AppError } from '../errors.ts'
import { MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { remainingMs, spend, STATEMENT_BUDGET_MS } from './budget.ts'
import type { Backend } from './connect.ts'
import type { Schema } from './schema.ts'

const INT8 = 20
const TIMESTAMPTZ = 1184

const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return Number
    if (oid === TIMESTAMPTZ) return isoFromPostgres
    return pg.types.getTypeParser(oid, format)
  },
}

/** Serialization failure and deadlock: the loser is asked to run again. */
const TRANSIENT = new Set(['40001', '40P01'])
/** SQLSTATE classes and codes of an outage: connection, resources, intervention, I/O, read-only, time-outs, start-up. */
const OUTAGE = /^(08...|53...|57P0.|57014|58...|25006|25P0[34]|55P03|28P01|28000|3D000|E[A-Z_]+)$/
/** pg reports a lost connection by words alone. */
const OUTAGE_WORDS =
  /connection terminated|connection error|timeout exceeded|not queryable|client was closed/i

const COMMIT_LEAST_MS = SECOND_MS

export interface PostgresOptions {
  /** Connections of this process. */
  readonly poolMax?: number
  /** 0: none, for migrations. */
  readonly statementTimeoutMs?: number
  readonly onIdleError?: (error: Error) => void
}

/** A pool of connections; what a request waits for any of them is charged to its budget. */
export function openPostgres(url: string, options: PostgresOptions = {}): Backend {
  const { poolMax = 10, statementTimeoutMs = STATEMENT_BUDGET_MS, onIdleError } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: poolMax,
    // Budgets end waits earlier; this ends a connect that nobody waits for any more.
    connectionTimeoutMillis: 5 * SECOND_MS,
    idleTimeoutMillis: MINUTE_MS,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs && 2 * statementTimeoutMs,
    keepAlive: true,
    application_name: 'coffee-shop-api',
    // Times come back as text in UTC, whatever the server's zone.
    options: '-c timezone=UTC',
    types,
  })
  // An idle connection that dies emits this on the pool; unheard, it would end the process.
  pool.on('error', (error) => onIdleError?.(error))
  // So does one in use that dies between two queries, on the client; the next query tells the caller.
  pool.on('connect', (client) => client.on('error', () => {}))

  const connect = () => connectWithinBudget(pool, statementTimeoutMs)
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: {
        connect: connect as () => Promise<PostgresPoolClient>,
        end: () => pool.end(),
        options: {},
      },
    }),
  })
  return {
    dialect: 'postgres',
    reader: db,
    writer: db,
    async prepared(name, sql, key) {
      const client = await connect()
      try {
        const { rows } = await client.query({ name, text: sql, values: [key] })
        return rows
      } finally {
        client.release()
      }
    },
    isTransient: (error) => TRANSIENT.has(sqlState(error)),
    async check() {
      const client = await connect()
      try {
        const { rows } = await client.query('select clock_timestamp() as now', [])
        return Date.parse(rows[0].now)
      } finally {
        client.release()
      }
    },
    async close() {
      await db.destroy()
      // Kysely closes only what it used; a look-up's idle connection would keep the process for a minute.
      if (!pool.ended) await pool.end()
    },
  }
}

/** The part of a pooled client that Kysely uses, with every wait bounded and every outage named. */
async function connectWithinBudget(pool: pg.Pool, statementTimeoutMs: number) {
  const bounded = <T>(operation: Promise<T>, giveUp: () => void, leastMs = 0) =>
    statementTimeoutMs === 0
      ? operation
      : spend(operation, giveUp, { leastMs, outsideMs: statementTimeoutMs })
  let abandoned = false
  const connecting = pool.connect()
  const client = await bounded(connecting, () => {
    abandoned = true
  }).catch((error: unknown) => {
    // A connection that arrives after its request gave up goes back to the pool.
    if (abandoned) connecting.then((late) => late.release()).catch(() => {})
    throw outage(error)
  })

  let released = false
  const release = (discard = false) => {
    if (!released) client.release(discard)
    released = true
  }
  return {
    async query(query: string | pg.QueryConfig, values?: readonly unknown[]): Promise<any> {
      if (released) throw outage(new Error('connection terminated'))
      // A commit that is cut off may have happened: none is begun late, and one begun has time to end.
      const commits = query === 'commit'
      if (commits && remainingMs() <= 0) throw outage(new Error('connection terminated'))
      // Discarding ends the connection though its query hangs, so that nothing waits behind it.
      const answer = client.query(query as string, values as unknown[])
      return bounded(answer, () => release(true), commits ? COMMIT_LEAST_MS : 0).catch(
        (error: unknown) => {
          throw outage(error)
        },
      )
    },
    release,
  }
}

/** Names an outage `database_unavailable`; everything else stays what it is. */
function outage(error: unknown): unknown {
  if (error instanceof AppError) return error
  const state = sqlState(error)
  const message = error instanceof Error ? error.message : ''
  // A refused connect to a name with two addresses is an AggregateError without a code of its own.
  if (OUTAGE.test(state) || OUTAGE_WORDS.test(message) || error instanceof AggregateError) {
    return new AppError('database_unavailable', { cause: error, retryAfterS: 1 })
  }
  return error
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** `2026-11-22 17:40:00.1+00` as `2026-11-22T17:40:00.100Z`. */
function isoFromPostgres(text: string): string {
  const fraction = text.slice(20, text.indexOf('+')).padEnd(3, '0')
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`
}
