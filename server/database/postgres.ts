import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { AppError } from '../errors.ts'
import { createTurns, type Turns } from '../lib/turns.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { currentBudget, remainingMs, spend, STATEMENT_BUDGET_MS, takeTurn } from './budget.ts'
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

/** Serialization failure and deadlock: the transaction can be retried. */
const TRANSIENT = new Set(['40001', '40P01'])
/** SQLSTATEs of an outage: connection, resources, operator intervention, I/O, read-only, time-outs, start-up. */
const OUTAGE = /^(08...|53...|57P0.|57014|58...|25006|25P0[34]|55P03|28P01|28000|3D000|E[A-Z_]+)$/
/** pg reports a lost connection only in the message, without a code. */
const OUTAGE_WORDS =
  /connection terminated|connection error|timeout exceeded|not queryable|client was closed/i

const COMMIT_LEAST_MS = SECOND_MS

const POOL_MAX = 10
/** The part of the pool that one caller may use at a time. */
const SHARE = 1 / 4

export interface PostgresOptions {
  /** Connections of this process. */
  readonly poolMax?: number
  /** 0 disables it, for migrations. */
  readonly statementTimeoutMs?: number
  readonly onIdleError?: (error: Error) => void
}

/** Time that a request waits for the pool is charged to the request's budget. */
export function openPostgres(url: string, options: PostgresOptions = {}): Backend {
  const { poolMax = POOL_MAX, statementTimeoutMs = STATEMENT_BUDGET_MS } = options
  const pool = createPool(url, { ...options, poolMax, statementTimeoutMs })
  const turns = createTurns({ slots: poolMax, runningMax: Math.ceil(poolMax * SHARE) })
  const connect = () => connectInTurn(pool, turns, statementTimeoutMs)
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
      // Kysely closes only a pool that it has used; idle connections keep the process alive for a minute.
      if (!pool.ended) await pool.end()
    },
  }
}

function createPool(
  url: string,
  {
    poolMax,
    statementTimeoutMs,
    onIdleError,
  }: PostgresOptions & { poolMax: number; statementTimeoutMs: number },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolMax,
    // Budgets expire earlier; this limits a connect whose request has given up.
    connectionTimeoutMillis: 5 * SECOND_MS,
    idleTimeoutMillis: MINUTE_MS,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs && 2 * statementTimeoutMs,
    keepAlive: true,
    application_name: 'coffee-shop-api',
    // Timestamps are returned in UTC, whatever the server's time zone.
    options: '-c timezone=UTC',
    types,
  })
  // A lost idle connection emits `error` on the pool; without a listener it would end the process.
  pool.on('error', (error) => onIdleError?.(error))
  // The same holds for a client lost between two queries; the next query rejects.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Waits for the caller's turn before it takes a connection, so that no caller holds the whole pool. */
async function connectInTurn(pool: pg.Pool, turns: Turns, statementTimeoutMs: number) {
  const outsideMs = statementTimeoutMs || DAY_MS
  const endTurn = await takeTurn(turns, currentBudget()?.caller, { outsideMs })
  try {
    const client = await connectWithinBudget(pool, statementTimeoutMs)
    return {
      query: client.query,
      release() {
        client.release()
        endTurn()
      },
    }
  } catch (error) {
    endTurn()
    throw error
  }
}

/** The part of a pooled client that Kysely uses; waits are bounded, outages are `database_unavailable`. */
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
    // A connection that is established after its request has given up returns to the pool.
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
      // An interrupted commit may have succeeded: none starts late, and each has time to finish.
      const commits = query === 'commit'
      if (commits && remainingMs() <= 0) throw outage(new Error('connection terminated'))
      // Discarding closes the connection even while its query hangs.
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

/** Maps outages to `database_unavailable` and passes on all other errors. */
function outage(error: unknown): unknown {
  if (error instanceof AppError) return error
  const state = sqlState(error)
  const message = error instanceof Error ? error.message : ''
  // A refused connect to a host with two addresses is an AggregateError without a code.
  if (OUTAGE.test(state) || OUTAGE_WORDS.test(message) || error instanceof AggregateError) {
    return new AppError('database_unavailable', { cause: error, retryAfterS: 1 })
  }
  return error
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Converts `2026-11-22 17:40:00.1+00` to `2026-11-22T17:40:00.100Z`. */
function isoFromPostgres(text: string): string {
  const fraction = text.slice(20, text.indexOf('+')).padEnd(3, '0')
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`
}
