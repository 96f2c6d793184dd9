import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { AppError } from '../errors.ts'
import { createTurns, type Turns } from '../lib/turns.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { currentBudget, remainingMs, spend, STATEMENT_BUDGET_MS, takeTurn } from './budget.ts'
import type { Backend } from './connect.ts'
import {
  Client,
  prepareSession,
  type Query,
  type Session,
  throughPooler,
} from './postgres-session.ts'
import { type PostgresUrl, readPostgresUrl, type PostgresRoute, routesOf } from './postgres-url.ts'
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

const IN_UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00$/

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
  /** At most once for each problem with which the service can live. */
  readonly onWarning?: (text: string) => void
}

/** Connections, and what is known of each. */
interface Connections {
  readonly pool: pg.Pool
  readonly sessions: WeakMap<pg.ClientBase, Session>
  readonly routes: readonly PostgresRoute[]
  readonly statementTimeoutMs: number
}

const ASCII_ONLY =
  'the database folds case of ASCII letters only (locale C): searches do not find É by é; create it again with createdb --locale=C.UTF-8 --template=template0, and copy the data with pg_dump'
/** The server has no such statement (a pooler led to another one), or has it already. */
const STATEMENT_LOST = /^(26000|42P05)$/

/** Time that a request waits for the pool is charged to the request's budget. */
export function openPostgres(url: string, options: PostgresOptions = {}): Backend {
  const { poolMax = POOL_MAX, statementTimeoutMs = STATEMENT_BUDGET_MS } = options
  const server = readPostgresUrl(url)
  const connections = openConnections(server, { ...options, poolMax, statementTimeoutMs })
  const { pool } = connections
  let { namedStatements } = server
  const turns = createTurns({ slots: poolMax, runningMax: Math.ceil(poolMax * SHARE) })
  const connect = () => connectInTurn(connections, turns)
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: {
        connect: connect as unknown as () => Promise<PostgresPoolClient>,
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
        const unnamed = { text: sql, values: [key] }
        if (!namedStatements || client.pooled) return (await client.query(unnamed)).rows
        try {
          return (await client.query({ ...unnamed, name })).rows
        } catch (error) {
          if (!STATEMENT_LOST.test(sqlState(error))) throw error
          namedStatements = false
          return (await client.query(unnamed)).rows
        }
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

function openConnections(
  server: PostgresUrl,
  {
    poolMax,
    statementTimeoutMs,
    onIdleError,
    onWarning,
  }: PostgresOptions & { poolMax: number; statementTimeoutMs: number },
): Connections {
  const routes = routesOf(server)
  const sessions: Connections['sessions'] = new WeakMap()
  let warned = false
  async function onConnect(client: pg.ClientBase): Promise<void> {
    const session = await prepareSession(client, {
      statementTimeoutMs,
      patienceMs: server.connectTimeoutMs,
    })
    sessions.set(client, session)
    if (session.asciiOnly && !warned) onWarning?.(ASCII_ONLY)
    warned ||= session.asciiOnly
  }
  const pool = new pg.Pool({
    Client,
    max: poolMax,
    // Budgets expire earlier; this limits a connect whose request has given up.
    connectionTimeoutMillis: server.connectTimeoutMs,
    idleTimeoutMillis: MINUTE_MS,
    keepAlive: true,
    // All that is not given here, pg would take from PGUSER, PGPASSWORD and their like.
    user: server.user,
    password: () => server.password,
    database: server.database,
    application_name: server.applicationName,
    ...routes[0],
    types,
    // The pool waits for it, whatever its types say.
    onConnect: (client): any => onConnect(client),
  })
  // A lost idle connection emits `error` on the pool; without a listener it would end the process.
  pool.on('error', (error) => onIdleError?.(error))
  // The same holds for a client lost between two queries; the next query rejects.
  pool.on('connect', (client) => client.on('error', () => {}))
  return { pool, sessions, routes, statementTimeoutMs }
}

/** Waits for the caller's turn before it takes a connection, so that no caller holds the whole pool. */
async function connectInTurn(connections: Connections, turns: Turns) {
  const outsideMs = connections.statementTimeoutMs || DAY_MS
  const endTurn = await takeTurn(turns, currentBudget()?.caller, { outsideMs })
  try {
    const client = await connectWithinBudget(connections)
    return {
      query: client.query,
      pooled: client.pooled,
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
async function connectWithinBudget(connections: Connections) {
  const { sessions, statementTimeoutMs } = connections
  const bounded = <T>(operation: Promise<T>, giveUp: () => void, leastMs = 0) =>
    statementTimeoutMs === 0
      ? operation
      : spend(operation, giveUp, { leastMs, outsideMs: statementTimeoutMs })
  let abandoned = false
  const connecting = connectByRoute(connections)
  const client = await bounded(connecting, () => {
    abandoned = true
  }).catch((error: unknown) => {
    // A connection that is established after its request has given up returns to the pool.
    if (abandoned) connecting.then((late) => late.release()).catch(() => {})
    throw unavailable(error)
  })

  let released = false
  const release = (discard = false) => {
    if (!released) client.release(discard)
    released = true
  }
  const query: Query = async (text, values) => {
    if (released) throw outage(new Error('connection terminated'))
    // An interrupted commit may have succeeded: none starts late, and each has time to finish.
    const commits = text === 'commit'
    if (commits && remainingMs() <= 0) throw outage(new Error('connection terminated'))
    // Discarding closes the connection even while its query hangs.
    const answer = client.query(text as string, values as unknown[])
    return bounded(answer, () => release(true), commits ? COMMIT_LEAST_MS : 0).catch(
      (error: unknown) => {
        throw outage(error)
      },
    )
  }
  const pooled = sessions.get(client)?.pooled ?? false
  return { query: pooled ? throughPooler(query, statementTimeoutMs) : query, pooled, release }
}

/** Tries the other kind of encryption where the server refuses one; later connections begin with that. */
async function connectByRoute({ pool, routes }: Connections): Promise<pg.PoolClient> {
  const options = pool.options as pg.PoolConfig
  for (let tries = 1; ; tries++) {
    const { ssl } = options
    try {
      return await pool.connect()
    } catch (error) {
      if (tries === routes.length || !isAboutEncryption(error)) throw error
      // Another connect may have found it out in the meantime.
      if (options.ssl === ssl) {
        const at = routes.findIndex((route) => route.ssl === ssl)
        Object.assign(options, routes[(at + 1) % routes.length])
      }
    }
  }
}

/** 28000: no line of pg_hba.conf fits, perhaps one for the other kind. */
function isAboutEncryption(error: unknown): boolean {
  const said = error instanceof Error ? error.message : ''
  return sqlState(error) === '28000' || /\bSSL\b|\bTLS\b|certificate/i.test(said)
}

/** Whatever keeps us from connecting is an outage. */
function unavailable(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('database_unavailable', { cause: error, retryAfterS: 1 })
}

/** Maps outages to `database_unavailable` and passes on all other errors. */
function outage(error: unknown): unknown {
  if (error instanceof AppError) return error
  const state = sqlState(error)
  const message = error instanceof Error ? error.message : ''
  return OUTAGE.test(state) || OUTAGE_WORDS.test(message) ? unavailable(error) : error
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Converts `2026-11-22 17:40:00.1+00` to `2026-11-22T17:40:00.100Z`; beyond four-digit years, to the last there is. */
function isoFromPostgres(text: string): string {
  if (!IN_UTC.test(text)) {
    if (/^(\d{5,}-|infinity$)/.test(text)) return '9999-12-31T23:59:59.999Z'
    if (/^-infinity$| BC$/.test(text)) return '0001-01-01T00:00:00.000Z'
    throw new Error('the server answers times in another format than ISO and UTC')
  }
  const fraction = text.slice(20, text.indexOf('+')).padEnd(3, '0')
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`
}
