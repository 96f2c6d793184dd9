import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { STATEMENT_BUDGET_MS } from './budget.ts'
import type { Backend } from './connect.ts'
import { connectToHosts } from './hosts.ts'
import { READ_ONLY, sqlState, unavailable } from './outages.ts'
import { createPool, type Lent } from './pool.ts'
import {
  Client,
  prepareSession,
  requireChannelBinding,
  type Session,
  throughPooler,
} from './postgres-session.ts'
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
  /** Called once, for a database with which the service can live. */
  readonly onWarning?: (text: string) => void
}

const ASCII_ONLY =
  'DATABASE_URL: the database folds case of ASCII letters only (locale C): searches do not find É by é; create it again with createdb --locale=C.UTF-8 --template=template0, and copy the data with pg_dump'
/** The server has no such statement, or has it already: something else decides which session we talk to. */
const STATEMENT_LOST = /^(26000|42P05)$/
const IN_UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00$/

/** Time that a request waits for the pool is charged to the request's budget. */
export function openPostgres(url: string, options: PostgresOptions = {}): Backend {
  const { poolMax = POOL_MAX, statementTimeoutMs = STATEMENT_BUDGET_MS, onIdleError } = options
  const server = readPostgresUrl(url)
  let { namedStatements } = server
  let isPooled = false
  let isWarned = false
  const open = connectToHosts(server, async (route) => {
    const { client, session } = await openClient(server, route, statementTimeoutMs)
    isPooled ||= session.pooled
    if (session.asciiOnly && !isWarned) options.onWarning?.(ASCII_ONLY)
    isWarned ||= session.asciiOnly
    return client
  })
  const pool = createPool({ open, poolMax, statementTimeoutMs, onIdleError })
  /** The names of the prepared statements, by their text. */
  const names = new Map<string, string>()
  async function connect(): Promise<Lent> {
    const lent = await pool.connect()
    if (isPooled) return { ...lent, query: throughPooler(lent.query, statementTimeoutMs) }
    return namedStatements ? { ...lent, query: asPrepared(lent.query) } : lent
  }
  function asPrepared(send: Lent['query']): Lent['query'] {
    return async (query, values) => {
      const asked = typeof query === 'string' ? { text: query } : query
      const name = namedStatements ? names.get(asked.text) : undefined
      if (name === undefined) return send(query, values)
      try {
        return await send({ ...asked, name }, values)
      } catch (error) {
        if (isStatementLost(error)) namedStatements = false
        throw error
      }
    }
  }
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: {
        connect: connect as unknown as () => Promise<PostgresPoolClient>,
        end: async () => {},
        options: {},
      },
    }),
  })
  /** Runs `work` on a connection that it alone uses. */
  async function on<T>(work: (lent: Lent) => Promise<T>): Promise<T> {
    const lent = await connect()
    return work(lent).finally(() => lent.release())
  }
  return {
    dialect: 'postgres',
    reader: db,
    longReader: db,
    writer: db,
    nameStatement: (sql, name) => void names.set(sql, name),
    prepared: (text, values, { commits = false } = {}) =>
      on(async (lent) => {
        const query = { text, commits }
        try {
          return (await lent.query(query, values)).rows
        } catch (error) {
          if (!isStatementLost(error)) throw error
          return (await lent.query(query, values)).rows
        }
      }),
    // After the loss of a prepared statement, none is named any more.
    isTransient: (error) => TRANSIENT.has(sqlState(error)) || isStatementLost(error),
    check: () => on(check),
    async close() {
      await db.destroy()
      await pool.close()
    },
  }
}

function isStatementLost(error: unknown): boolean {
  return STATEMENT_LOST.test(sqlState(error))
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
  throw unavailable(readOnlyError('the database is read-only'))
}

async function openClient(
  url: PostgresUrl,
  route: PostgresRoute,
  statementTimeoutMs: number,
): Promise<{ client: pg.Client; session: Session }> {
  const client = new Client({
    ...route,
    // All that is not given here, pg would take from PGUSER, PGPASSWORD and their like.
    user: url.user,
    password: () => url.password,
    database: url.database,
    application_name: url.applicationName,
    enableChannelBinding: url.channelBinding !== 'disable',
    keepAlive: true,
    types,
  })
  if (url.channelBinding === 'require') requireChannelBinding(client)
  // What is said after a refusal has nobody to hear it, and would end the process.
  client.on('error', () => {})
  const timedOut = Object.assign(new Error('connect timed out'), {
    code: 'ETIMEDOUT',
    syscall: 'connect',
  })
  const timer = setTimeout(() => client.connection.stream.destroy(timedOut), url.connectTimeoutMs)
  try {
    await client.connect()
    const session = await prepareSession(client, statementTimeoutMs)
    assertAccepted(client, session, url)
    return { client, session }
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
function assertAccepted(
  client: pg.Client,
  { standby, readOnly }: Session,
  { hosts, targetSessionAttrs }: PostgresUrl,
): void {
  if (hosts.length === 1 && targetSessionAttrs === 'any') return
  if (targetSessionAttrs === 'primary' ? standby : readOnly)
    throw readOnlyError(`${client.host}:${client.port} is read-only`)
}

function readOnlyError(message: string): Error {
  return Object.assign(new Error(message), { code: READ_ONLY })
}

/** Converts `2026-11-22 17:40:00.1+00` to `2026-11-22T17:40:00.100Z`; beyond four-digit years, to the last there is. */
function isoFromPostgres(text: string): string {
  if (!IN_UTC.test(text)) {
    if (/^(?:\d{5,}-|infinity$)/.test(text)) return '9999-12-31T23:59:59.999Z'
    if (/^-infinity$| BC$/.test(text)) return '0001-01-01T00:00:00.000Z'
    throw new Error('the server answers times in another format than ISO and UTC')
  }
  const fraction = text.slice(20, text.indexOf('+')).padEnd(3, '0')
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`
}
