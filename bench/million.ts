import { Agent } from 'node:http'
import type { Databases, Engine } from './databases.ts'
import { percentile, type Question, timeRequest } from './latency.ts'
import type { Goal, Line } from './lines.ts'
import { PASSWORD, startOurs, type Target } from './targets.ts'

/** As deep as one may skip; further on there are only cursors. */
const SKIP_MAX = 10_000
/** How deep the page is that a cursor finds: the way there is a walk. */
const DEEP = 100_000
const CONNECTIONS = 2
const ASKED = 60
/** What takes too long is asked less often. */
const ROUND_MAX_MS = 1000
/** Hashes take long. */
const LOGINS = 8

interface Sizes {
  readonly few: number
  readonly many: number
}

interface Options extends Sizes {
  readonly engine: Engine
  readonly rounds: number
}

interface Place {
  readonly target: Target
  readonly agent: Agent
  readonly admin: Readonly<Record<string, string>>
  /** The address of a user deep in the list, and the URL of the page that follows. */
  readonly email: string
  readonly deep: string
  refreshToken: string
}

interface Row {
  readonly what: string
  readonly goal?: Goal
  readonly times?: number
  /** The next question; the answer to the one before may be needed. */
  readonly ask: (place: Place, n: number) => Question
}

const users = (query: string) => (place: Place) => ({
  path: `/api/v1/users?${query}`,
  headers: place.admin,
})
const search = (text: (place: Place) => string) => (place: Place) =>
  users(`limit=50&q=${encodeURIComponent(text(place))}`)(place)
const FOUND_FAST = { atMost: 10 }

const ROWS: readonly Row[] = [
  { what: 'first page of 100', ask: users('limit=100') },
  {
    what: 'a page deep in the list, by its cursor',
    ask: ({ deep, admin }) => ({ path: deep, headers: admin }),
  },
  { what: 'search with many hits', goal: FOUND_FAST, ask: search(() => 'lind') },
  {
    what: 'search with one hit',
    goal: FOUND_FAST,
    ask: search(({ email }) => email.slice(2, email.indexOf('@'))),
  },
  // Each three letters of it are common.
  { what: 'search without a hit', goal: FOUND_FAST, ask: search(() => 'lindberg.anna') },
  {
    what: 'unverified users, first 50',
    goal: FOUND_FAST,
    ask: users('limit=50&is_verified=false'),
  },
  { what: 'look-up by address', goal: FOUND_FAST, ask: search(({ email }) => email) },
  {
    what: 'login',
    times: LOGINS,
    ask: (_, n) => ({
      path: '/api/v1/auth/login',
      body: JSON.stringify({ email: `user${1001 + (n % 900)}@example.com`, password: PASSWORD }),
    }),
  },
  {
    what: 'refresh',
    ask: ({ refreshToken }) => ({
      path: '/api/v1/auth/refresh',
      body: JSON.stringify({ refresh_token: refreshToken }),
    }),
  },
  { what: '`/me`', ask: ({ admin }) => ({ path: '/api/v1/me', headers: admin }) },
]

/** What one client waits for among few users and among many, in turns. */
export async function measureMillion(
  databases: Databases,
  { engine, rounds, ...sizes }: Options,
): Promise<Line[]> {
  const few = await startPlace(databases, engine, sizes.few)
  const many = await startPlace(databases, engine, sizes.many)
  const [fewText, manyText] = [sizes.few, sizes.many].map((count) => count.toLocaleString('en'))
  const lines: Line[] = []
  for (const row of ROWS) {
    const waits: [number, number][] = []
    for (let round = 0; round < rounds; round++)
      waits.push([await p50(few, row), await p50(many, row)])
    const base = { part: 'million', engine }
    lines.push({
      ...base,
      what: `${row.what}, p50 among ${manyText} users`,
      ...(row.goal === undefined ? {} : { goal: row.goal }),
      unit: 'ms',
      measured: waits.map(([, ms]) => ms),
    })
    lines.push({
      ...base,
      what: `${row.what}: time, ${fewText} → ${manyText} users`,
      unit: 'ratio',
      goal: { atMost: 1.5 },
      measured: waits.map(([fewMs, manyMs]) => manyMs / fewMs),
    })
  }
  for (const { agent, target } of [few, many]) {
    agent.destroy()
    await target.stop()
  }
  return lines
}

async function startPlace(databases: Databases, engine: Engine, count: number): Promise<Place> {
  const target = await startOurs(databases, { engine, users: count, connections: CONNECTIONS })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const { me, refresh } = target.loads
  const admin = me?.headers?.[0] ?? {}
  const ask = (path: string) => timeRequest(target.server.url, { path, headers: admin }, agent)
  let { body, link } = await ask(
    `/api/v1/users?limit=100&skip=${Math.min(SKIP_MAX, Math.floor(count / 2))}`,
  )
  const read = () => JSON.parse(body) as { id: number; email: string }[]
  const deep = Math.min(DEEP, count / 2)
  while (link !== undefined && (read().at(-1)?.id ?? 0) < deep) ({ body, link } = await ask(link))
  return {
    target,
    agent,
    admin,
    email: read().at(-1)?.email ?? '',
    deep: link ?? '',
    refreshToken: refresh?.tokens?.[1] ?? '',
  }
}

/** Milliseconds until half of the answers had come, after one that does not count. */
async function p50(place: Place, { ask, times = ASKED }: Row): Promise<number> {
  const waits: number[] = []
  const endsAt = performance.now() + ROUND_MAX_MS
  for (let n = 0; n <= times && (n <= 1 || performance.now() < endsAt); n++) {
    const question = ask(place, n)
    const { ms, body } = await timeRequest(place.target.server.url, question, place.agent)
    if (n > 0) waits.push(ms)
    if (question.path.endsWith('/refresh'))
      place.refreshToken = (JSON.parse(body) as { refresh_token: string }).refresh_token
  }
  return percentile(waits, 0.5)
}
