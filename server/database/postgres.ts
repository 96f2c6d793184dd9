import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { SECOND_MS } from '../lib/units.ts'
import { STATEMENT_BUDGET_MS } from './budget.ts'
import type { Backend } from './connect.ts'
import { READ_ONLY, sqlState, unavailable } from './outages.ts'
import { createPool, type Lent } from './pool.ts'
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

const POOL_MAX = 10
/** Budgets expire earlier; this limits a connect whose request has given up. */
const CONNECT_MAX_MS = 5 * SECOND_MS

export interface PostgresOptions {
  /** Connections of this process. */
  readonly poolMax?: number
  /** 0 disables it, for migrations. */
  readonly statementTimeoutMs?: number
  readonly onIdleError?: (error: Error) => void
}

/** Time that a request waits for the pool is charged to the request's budget. */
export function openPostgres(url: string, options: PostgresOptions = {}): Backend {
  const { poolMax = POOL_MAX, statementTimeoutMs = STATEMENT_BUDGET_MS, onIdleError } = options
  const open = () => openClient(url, statementTimeoutMs)
  const pool = createPool({ open, poolMax, statementTimeoutMs, onIdleError })
  const connect = pool.connect as unknown as () => Promise<PostgresPoolClient>
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool: { connect, end: async () => {}, options: {} } }),
  })
  /** Runs `work` on a connection that it alone uses. */
  async function on<T>(work: (lent: Lent) => Promise<T>): Promise<T> {
    const lent = await pool.connect()
    return work(lent).finally(() => lent.release())
  }
  return {
    dialect: 'postgres',
    reader: db,
    writer: db,
    prepared: (name, sql, key) =>
      on(async (lent) => (await lent.query({ name, text: sql, values: [key] })).rows),
    isTransient: (error) => TRANSIENT.has(sqlState(error)),
    check: () => on(check),
    async close() {
      await db.destroy()
      await pool.close()
    },
  }
}

/** The database's clock; throws where it cannot be written: on a standby, and during a read-only spell. */
async function check(lent: Lent): Promise<number> {
  const { rows } = await lent.query(
    "select clock_timestamp() as now, current_setting('transaction_read_only') as read_only",
    [],
  )
  if (rows[0].read_only === 'off') return Date.parse(rows[0].now)
  // Only this session may be so: a new one is asked next.
  lent.retire()
  throw unavailable(Object.assign(new Error('the database is read-only'), { code: READ_ONLY }))
}

async function openClient(url: string, statementTimeoutMs: number): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MAX_MS,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs && 2 * statementTimeoutMs,
    keepAlive: true,
    application_name: 'coffee-shop-api',
    // Timestamps are returned in UTC, whatever the server's time zone.
    options: '-c timezone=UTC',
    types,
  })
  // What is said after a refusal has nobody to hear it, and would end the process.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Converts `2026-11-22 17:40:00.1+00` to `2026-11-22T17:40:00.100Z`. */
function isoFromPostgres(text: string): string {
  const fraction = text.slice(20, text.indexOf('+')).padEnd(3, '0')
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`
}
