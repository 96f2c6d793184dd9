import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { STATEMENT_BUDGET_MS } from './budget.ts'
import type { Backend } from './connect.ts'
import { connectToHosts } from './hosts.ts'
import { READ_ONLY, sqlState, unavailable } from './outages.ts'
import { createPool, type Lent } from './pool.ts'
import { type PostgresRoute, type PostgresUrl, readPostgresUrl } from './postgres-url.ts'
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
  const server = readPostgresUrl(url)
  const open = connectToHosts(server, (route) => openClient(server, route, statementTimeoutMs))
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
  throw unavailable(readOnly('the database is read-only'))
}

async function openClient(
  url: PostgresUrl,
  { host, port, ssl }: PostgresRoute,
  statementTimeoutMs: number,
): Promise<pg.Client> {
  const { user, password, database, applicationName, sslNegotiation, connectTimeoutMs } = url
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database,
    ssl,
    sslnegotiation: sslNegotiation,
    application_name: applicationName,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs && 2 * statementTimeoutMs,
    keepAlive: true,
    // Timestamps are returned in UTC, whatever the server's time zone.
    options: '-c timezone=UTC',
    types,
  })
  // What is said after a refusal has nobody to hear it, and would end the process.
  client.on('error', () => {})
  const timer = setTimeout(() => client.connection.stream.destroy(), connectTimeoutMs)
  try {
    await client.connect()
    await assertAccepted(client, url)
    return client
  } catch (error) {
    await client.end()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Of several hosts, only the one that can be written is of use, whatever `target_session_attrs` says.
 * A single one is taken as it is: there, reads go on during a read-only spell.
 */
async function assertAccepted(client: pg.Client, url: PostgresUrl): Promise<void> {
  const { hosts, targetSessionAttrs } = url
  if (hosts.length === 1 && targetSessionAttrs === 'any') return
  const { rows } = await client.query(
    "select pg_is_in_recovery() as standby, current_setting('transaction_read_only') as read_only",
  )
  const [{ standby, read_only }] = rows
  if (targetSessionAttrs === 'primary' ? !standby : read_only === 'off') return
  throw readOnly(`${client.host}:${client.port} is read-only`)
}

function readOnly(message: string): Error {
  return Object.assign(new Error(message), { code: READ_ONLY })
}

/** Converts `2026-11-22 17:40:00.1+00` to `2026-11-22T17:40:00.100Z`. */
function isoFromPostgres(text: string): string {
  const fraction = text.slice(20, text.indexOf('+')).padEnd(3, '0')
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`
}
