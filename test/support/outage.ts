import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { createDatabase } from './cluster.ts'
import { askPatiently } from './ask.ts'
import { PASSWORD } from './service.ts'
import { isStopped, type ServerProcess, startServer } from './server-process.ts'
import { startTcpProxy } from './tcp-proxy.ts'
import { until } from './until.ts'

const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'the long password of the admin' }

/** An answer, and when it was asked for and came: `performance.now()`. */
export interface Seen {
  readonly route: string
  readonly status: number
  readonly retryAfterS: number
  readonly askedAt: number
  readonly answeredAt: number
  readonly body: any
}
export const isFine = ({ status }: Seen) => status >= 200 && status < 300

/** One might be luck, with a dead connection still in the pool, which holds ten. */
export const HEALED_AFTER = 20

/** The newest answers of a route to what was asked after a time. */
export const newest = (seen: readonly Seen[], route: string, since: number) =>
  seen.filter((one) => one.route === route && one.askedAt >= since).slice(-HEALED_AFTER)

export async function send(
  server: ServerProcess,
  route: string,
  sent: { body?: unknown; token?: string | undefined; ip?: string } = {},
): Promise<Seen> {
  const [method = 'GET', path = '/'] = route.split(' ')
  const askedAt = performance.now()
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      ...(sent.ip ? { 'x-forwarded-for': sent.ip } : {}),
      ...(sent.token ? { authorization: `Bearer ${sent.token}` } : {}),
      ...(sent.body ? { 'content-type': 'application/json' } : {}),
    },
    ...(sent.body ? { body: JSON.stringify(sent.body) } : {}),
    // A request that hangs has no answer.
    signal: AbortSignal.timeout(2 * MINUTE_MS),
  })
  const body: any = answer.status === 204 ? undefined : await answer.json()
  return {
    route,
    status: answer.status,
    retryAfterS: Number(answer.headers.get('retry-after')),
    askedAt,
    answeredAt: performance.now(),
    body,
  }
}

export type Started = Awaited<ReturnType<typeof startWithAdmin>>
let databases = 0

/** A server on a database of its own behind a proxy. */
export async function startWithAdmin(clusterUrl: string) {
  const url = await createDatabase(clusterUrl, `outage_${++databases}`)
  const proxy = await startTcpProxy(url)
  const customers = await startCustomers(proxy.url)
  return {
    ...customers,
    url,
    proxy,
    async [Symbol.asyncDispose]() {
      await customers[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

export type Customers = Awaited<ReturnType<typeof startCustomers>>

/**
 * A server, an admin who is signed in, and a visitor, who may log in as often as need be: of the
 * admin's twenty sessions that would end the first.
 */
export async function startCustomers(
  databaseUrl: string,
  visitorEmail = 'visitor@example.com',
  settings: Record<string, string> = {},
) {
  const server = await startServer({
    DATABASE_URL: databaseUrl,
    RATE_LIMIT: 'off',
    ...ADMIN,
    ...settings,
  })
  const admin = { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD }
  async function insist(path: string, sent: unknown): Promise<any> {
    const { status, body } = await askPatiently(server.url, path, sent)
    assert.ok(status >= 200 && status < 300, JSON.stringify(body))
    return body
  }
  const token: string = (await insist('/auth/login', admin)).access_token
  const visitor = { email: visitorEmail, password: PASSWORD }
  await insist('/auth/signup', visitor)
  const code = () =>
    server.lines
      .map((line) => /code for (\S+): (\d{6})/.exec(line))
      .find((match) => match?.[1] === visitorEmail)?.[2]
  await until('a code', () => code() !== undefined)
  await insist('/auth/verify', { email: visitor.email, code: code() })
  return { server, token, visitor, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** Every kind of route that needs the database. */
export const ROUTES = [
  'GET /me',
  'PATCH /me',
  'GET /users',
  'POST /auth/login',
  'POST /auth/signup',
  'POST /auth/verify/resend',
  'GET /ready',
] as const

/** Of all loads, so that no address signs up twice. */
let count = 0

/**
 * Asks each of them again and again, adding to `seen`, while `work` does its own. `atRest` does
 * something while nothing is asked.
 */
export async function underLoad(
  { server, token, visitor }: Pick<Customers, 'server' | 'token' | 'visitor'>,
  seen: Seen[],
  work: (atRest: (act: () => unknown) => Promise<void>) => Promise<void>,
): Promise<void> {
  let over = false
  let asking = 0
  let rest = Promise.resolve()
  async function atRest(act: () => unknown): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    rest = promise
    try {
      await until('an end of all requests', () => asking === 0)
      await act()
    } finally {
      resolve()
    }
  }
  const email = () => `user${++count}.${visitor.email}`
  const bodies: Partial<Record<string, () => unknown>> = {
    'PATCH /me': () => ({ full_name: `Admin ${++count}` }),
    'POST /auth/login': () => visitor,
    'POST /auth/signup': () => ({ email: email(), password: PASSWORD }),
    'POST /auth/verify/resend': () => ({ email: email() }),
  }
  async function ask(route: string): Promise<void> {
    await rest
    asking++
    await exchange(route).finally(() => asking--)
    await delay(10)
  }
  async function exchange(route: string): Promise<void> {
    const body = bodies[route]?.()
    const answer = await send(server, route, route.includes('/auth/') ? { body } : { body, token })
    seen.push(answer)
    const refresh_token = answer.body?.refresh_token
    if (refresh_token)
      seen.push(await send(server, 'POST /auth/logout', { body: { refresh_token } }))
  }
  const loading = ROUTES.map(async (route) => {
    while (!over) await ask(route)
  })
  try {
    await Promise.race([work(atRest), Promise.all(loading)])
    over = true
    await Promise.all(loading)
  } finally {
    over = true
    await Promise.allSettled(loading)
  }
}

/** Stops what PostgreSQL runs for the service, each between two statements; returns how to let it go on. */
export async function stopBackends(url: string): Promise<{ count: number; goOn: () => void }> {
  const operator = new pg.Client({ connectionString: url })
  await operator.connect()
  const backends = async () =>
    (
      await operator.query(
        "select pid, state from pg_stat_activity where datname = current_database() and application_name = 'coffee-shop-api'",
      )
    ).rows
  const areIdle = (rows: readonly any[]) => rows.every(({ state }) => state === 'idle')
  let pids: number[] = []
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) process.kill(pid, name)
  }
  await until('backends that stop between two statements', async () => {
    const rows = await backends()
    if (!areIdle(rows)) return false
    pids = rows.map(({ pid }) => pid)
    signal('SIGSTOP')
    await until('a stop', () => pids.every(isStopped))
    if (areIdle(await backends())) return true
    signal('SIGCONT')
    return false
  })
  await operator.end()
  return { count: pids.length, goOn: () => signal('SIGCONT') }
}

/** Every sign-up that was answered 201 is in the table, once. */
export async function assertKept(url: string, seen: readonly Seen[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select id from sign_ups')
  await client.end()
  const kept = new Set(rows.map((row) => row.id))
  const acknowledged = seen.filter(({ status }) => status === 201)
  assert.ok(acknowledged.length > 0)
  for (const { body } of acknowledged) assert.ok(kept.has(body.sign_up_id), body.email)
}

/** No hang, no 500, and 503 only as clients expect it. */
export function assertFineOr503(seen: readonly Seen[]): void {
  for (const answer of seen) {
    if (isFine(answer)) continue
    const told = `${answer.route}: ${answer.status} ${JSON.stringify(answer.body)}`
    assert.equal(answer.status, 503, told)
    assert.ok(answer.retryAfterS >= 1 && answer.retryAfterS <= 3, told)
    if (answer.route !== 'GET /ready') assert.equal(answer.body.code, 'database_unavailable')
  }
}
