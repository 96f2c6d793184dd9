import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hash } from '@node-rs/argon2'
import { freePort } from '../test/support/cluster.ts'
import { type Database, type Databases, type Engine, numbers, timeLiteral } from './databases.ts'
import { ARGON2 } from './equal-cost.ts'
import type { Load } from './load.ts'
import type { Sunk } from './mail-sink.ts'
import { ROOT, runCommand, type Server, startHelper, startServer } from './processes.ts'

export const KINDS = ['me', 'list', 'search', 'refresh', 'login', 'signup'] as const
export type Kind = (typeof KINDS)[number]
export type TargetName =
  | 'ours'
  | 'limit'
  | 'limit that counts pages'
  | 'peer'
  | 'peer of equal hash cost'
export type Level = 'info' | 'warn'

/** A server under load, with users in its database and connections that are logged in. */
export interface Target {
  readonly name: TargetName
  readonly server: Server
  readonly database: Database
  /** What a batch of each kind sends; absent where the server has nothing alike. */
  readonly loads: Partial<Record<Kind, Load>>
  /** Resolves once so many mails more were sent; a server that sends none resolves at once. */
  readonly mails: (count: number) => Promise<void>
  readonly stop: () => Promise<void>
}

export interface Size {
  readonly users: number
  readonly connections: number
}

interface Options extends Size {
  readonly engine: Engine
  readonly level?: Level
  readonly settings?: Readonly<Record<string, string>>
}

/** What `npm start` runs. */
export const START = [
  '--import',
  resolve(ROOT, 'server/require-node.mjs'),
  resolve(ROOT, 'server/main.ts'),
]
export const PASSWORD = 'shelved lantern, quietly humming'
/** A network may have a quarter of our places for hashes, which are 34. */
const HASHING_CONNECTIONS_MAX = 6
/** Better Auth’s own hash takes long; its sessions are shared by the connections. */
const PEER_LOGINS_MAX = 8
/** Users up to here are `userN@example.com`; the others have names and addresses as people have. */
const NUMBERED = 2000
/** The first one is the admin, who reads lists; the next ones refresh. */
const ADMIN = 1
/** A user has at most twenty sessions: enough users that no login ends one. */
const LOGINS = { from: 1001, count: 1000 }
const SEARCH = 'user77'

const FIRST =
  "trim(substr('Anna  Boris ClaireDavid Elena Farid Greta HannesIngridJonas Katya Lukas Maria Nils  Olga  Pavel ', n % 16 * 6 + 1, 6))"
const LAST =
  "trim(substr('Abel    Baumann Celik   Dvorak  Eriksen Fischer Garcia  Hofmann Ivanova Jansen  KowalskiLindbergMoreau  Novak   Okonkwo Petersen', n / 16 % 16 * 8 + 1, 8))"
const NAME = `${FIRST} || ' ' || ${LAST}`
const EMAIL = `case when n <= ${NUMBERED} then 'user' else lower(${FIRST} || '.' || ${LAST}) end || n || '@example.com'`

export async function startOurs(databases: Databases, options: Options): Promise<Target> {
  const { engine, level = 'info', users, settings } = options
  const database = await databases.create(engine, 'ours')
  const env = ourSettings(database)
  runCommand({ args: [...START, 'migrate'], folder: database.folder, env })
  await fillOurs(database, users)
  const sink = startHelper<Sunk>('mail-sink.ts')
  const { port } = await sink.ask('which port?')
  const server = await startServer({
    port: await freePort(),
    args: START,
    folder: database.folder,
    env: {
      ...env,
      MAIL_URL: `smtp://127.0.0.1:${port}?tls=off`,
      MAIL_FROM: 'shop@example.com',
      MAIL_MAX_PER_HOUR: '1000000',
      LOG_LEVEL: level,
      ...settings,
    },
  })
  const loads = await ourLoads({ server, base: '/api/v1', ...options })
  let expected = 0
  return {
    name: 'ours',
    server,
    database,
    loads: { ...loads, search: { ...loads.list, path: `/api/v1/users?q=${SEARCH}&limit=100` } },
    async mails(count) {
      expected += count
      while ((await sink.ask('how many?')).mails < expected) await delay(5)
    },
    async stop() {
      await server.stop()
      await sink.stop()
    },
  }
}

async function fillOurs(database: Database, users: number): Promise<void> {
  const at = timeLiteral(database, Date.now())
  await database.fillUsers(`insert into users
    (email, email_canonical, full_name, role, verified_at, password_hash, created_at, updated_at)
    ${numbers(users)} select ${EMAIL}, ${EMAIL}, ${NAME},
      case when n = ${ADMIN} then 'admin' else 'user' end,
      case when n > ${NUMBERED} and n % 100 = 7 then null else ${at} end,
      '${await hash(PASSWORD, ARGON2)}', ${at}, ${at} from numbers`)
}

/** As people run it, but for the limits of requests. */
export function ourSettings(database: Pick<Database, 'url'>): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    SECRET_KEY: randomBytes(32).toString('base64'),
    JWT_SECRET_KEY: randomBytes(32).toString('base64'),
    RATE_LIMIT: 'off',
  }
}

export async function startLimit(databases: Databases, options: Options): Promise<Target> {
  const { engine, level = 'info', users } = options
  const database = await databases.create(engine, 'limit')
  const server = await startServer({
    port: await freePort(),
    args: [resolve(import.meta.dirname, 'limit.ts')],
    folder: database.folder,
    // As many hashes at once as the machine has cores here, and as ours.
    env: { DATABASE_URL: database.url, LOG_LEVEL: level, UV_THREADPOOL_SIZE: '2' },
  })
  const at = `'${new Date().toISOString()}'`
  await database.run(`insert into users
    (email, full_name, role, verified_at, created_at, updated_at, password_hash)
    ${numbers(users)} select ${EMAIL}, ${NAME}, 'user', ${at}, ${at},
      ${at}, '${await hash(PASSWORD, ARGON2)}' from numbers`)
  const loads = await ourLoads({ server, base: '', ...options })
  return { name: 'limit', server, database, loads, mails: async () => {}, stop: server.stop }
}

/** The same server, whose lists leave a trace as ours do. */
export function countingPages(limit: Target): Target {
  const { list } = limit.loads
  if (list === undefined) throw new Error('the limit has no list')
  const path = list.path.replace('/users', '/users/counted')
  return { ...limit, name: 'limit that counts pages', loads: { list: { ...list, path } } }
}

/** The same requests for ours and for the limit, which answer alike. */
async function ourLoads({
  server,
  base,
  connections,
}: Pick<Options, 'connections'> & { server: Server; base: string }) {
  const logins = await inTurn(connections, (n) => logIn(`${server.url}${base}/auth/login`, n))
  const tokens = await Promise.all(
    logins.map(
      async (answer) => (await answer.json()) as { access_token: string; refresh_token: string },
    ),
  )
  const headers = tokens.map(({ access_token }) => ({ authorization: `Bearer ${access_token}` }))
  const post = (path: string) => ({ method: 'POST' as const, path: `${base}${path}` })
  const get = (path: string) => ({ method: 'GET' as const, path: `${base}${path}` })
  return {
    me: { ...get('/me'), connections, headers },
    list: { ...get('/users?limit=100'), connections, headers: headers.slice(0, 1) },
    refresh: {
      ...post('/auth/refresh'),
      connections,
      body: '{"refresh_token":"{token}"}',
      tokens: tokens.map(({ refresh_token }) => refresh_token),
    },
    ...hashing({ login: post('/auth/login'), signUp: post('/auth/signup'), connections }),
  }
}

type Place = Pick<Load, 'method' | 'path'>

interface Hashing {
  readonly login: Place
  readonly signUp: Place
  readonly connections: number
  /** Other fields of a sign-up. */
  readonly more?: Readonly<Record<string, string>>
}

function hashing({ login, signUp, connections: most, more = {} }: Hashing) {
  const connections = Math.min(most, HASHING_CONNECTIONS_MAX)
  const bodyOf = (email: string) => JSON.stringify({ email, password: PASSWORD, ...more })
  return {
    login: { ...login, connections, body: loginBody('{n}'), numbers: LOGINS },
    signup: { ...signUp, connections, body: bodyOf('new{n}@example.com') },
  }
}

function loginBody(n: number | string): string {
  return JSON.stringify({ email: `user${n}@example.com`, password: PASSWORD })
}

function logIn(url: string, n: number): Promise<Response> {
  return post(url, loginBody(n))
}

async function post(url: string, body: string): Promise<Response> {
  // Better Auth wants to know the origin of what looks like a browser, as `fetch` does.
  const headers = { 'content-type': 'application/json', origin: new URL(url).origin }
  const answer = await fetch(url, { method: 'POST', headers, body })
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${await answer.text()}`)
  return answer
}

async function inTurn<T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let n = 1; n <= count; n++) made.push(await make(n))
  return made
}

/** Better Auth has no rotation of tokens, and sends no mail by default. */
export async function startPeer(
  databases: Databases,
  { engine, users, connections }: Options,
  hashing: 'own' | 'equal',
): Promise<Target> {
  const database = await databases.create(engine, 'peer')
  const port = await freePort()
  const server = await startServer({
    port,
    args: [resolve(import.meta.dirname, 'peer.ts')],
    folder: database.folder,
    env: {
      DATABASE_URL: database.url,
      NODE_ENV: 'production',
      ...(hashing === 'equal' ? { ARGON2: 'on' } : {}),
    },
    path: '/api/auth/ok',
  })
  const api = `${server.url}/api/auth`
  await seedPeer(database, users, api)
  const logins = await inTurn(hashing === 'own' ? Math.min(connections, PEER_LOGINS_MAX) : 1, (n) =>
    logIn(`${api}/sign-in/email`, n),
  )
  const headers = logins.map((answer) => ({
    cookie: answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; '),
  }))
  return {
    name: hashing === 'own' ? 'peer' : 'peer of equal hash cost',
    server,
    database,
    loads: peerLoads({ headers, connections, hashing }),
    mails: async () => {},
    stop: server.stop,
  }
}

/** Every user has the hash of one who signed up. */
async function seedPeer(database: Database, users: number, api: string): Promise<void> {
  const body = JSON.stringify({ name: 'Owner', email: 'owner@example.com', password: PASSWORD })
  await post(`${api}/sign-up/email`, body)
  const at = timeLiteral(database, Date.now())
  await database.run(`insert into "user"
    (id, name, email, "emailVerified", "createdAt", "updatedAt", role)
    ${numbers(users)} select 'user' || n, ${NAME}, ${EMAIL}, true,
      ${at}, ${at}, case when n = ${ADMIN} then 'admin' else 'user' end from numbers`)
  await database.run(`insert into account
    (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
    ${numbers(users)} select 'account' || n, 'user' || n, 'credential', 'user' || n,
      (select password from account limit 1), ${at}, ${at} from numbers`)
}

interface PeerLoads {
  readonly headers: Load['headers'] & {}
  readonly connections: number
  readonly hashing: 'own' | 'equal'
}

function peerLoads({ headers, connections, hashing: kind }: PeerLoads): Target['loads'] {
  const post = (path: string) => ({ method: 'POST' as const, path: `/api/auth${path}` })
  const get = (path: string) => ({ method: 'GET' as const, path: `/api/auth${path}`, connections })
  const hashed = hashing({
    login: post('/sign-in/email'),
    signUp: post('/sign-up/email'),
    connections,
    more: { name: 'New User' },
  })
  if (kind === 'equal') return hashed
  const admin = headers.slice(0, 1)
  const search = `&searchField=email&searchOperator=contains&searchValue=${SEARCH}`
  return {
    me: { ...get('/get-session'), headers },
    list: { ...get('/admin/list-users?limit=100'), headers: admin },
    search: { ...get(`/admin/list-users?limit=100${search}`), headers: admin },
    ...hashed,
  }
}
