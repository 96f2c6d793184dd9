import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { SECOND_MS } from '../../server/lib/units.ts'
import { type Cluster, createDatabase, startCluster } from '../support/cluster.ts'
import { PASSWORD } from '../support/service.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const ANSWER_MAX_MS = 3 * SECOND_MS
const HEAL_MAX_MS = 5 * SECOND_MS
const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'the long password of the admin' }

let cluster: Cluster
let databases = 0
before(async () => {
  cluster = await startCluster({ durable: true })
})
after(() => cluster.stop())

interface Seen {
  readonly route: string
  readonly status: number
  readonly retryAfterS: number
  readonly startedAt: number
  readonly ms: number
  readonly body: any
}

async function send(
  server: ServerProcess,
  route: string,
  sent: { body?: unknown; token?: string } = {},
): Promise<Seen> {
  const [method = 'GET', path = '/'] = route.split(' ')
  const startedAt = performance.now()
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      ...(sent.token ? { authorization: `Bearer ${sent.token}` } : {}),
      ...(sent.body ? { 'content-type': 'application/json' } : {}),
    },
    ...(sent.body ? { body: JSON.stringify(sent.body) } : {}),
    signal: AbortSignal.timeout(20 * SECOND_MS),
  })
  const body: any = answer.status === 204 ? undefined : await answer.json()
  return {
    route,
    status: answer.status,
    retryAfterS: Number(answer.headers.get('retry-after')),
    startedAt,
    ms: performance.now() - startedAt,
    body,
  }
}

/** A server with an admin who is signed in, on a database of its own behind a proxy. */
async function startWithAdmin() {
  const url = await createDatabase(cluster.url, `outage_${++databases}`)
  const proxy = await startTcpProxy(url)
  const server = await startServer({ DATABASE_URL: proxy.url, RATE_LIMIT: 'off', ...ADMIN })
  const credentials = { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD }
  const { body } = await send(server, 'POST /auth/login', { body: credentials })
  return {
    url,
    proxy,
    server,
    token: body.access_token as string,
    credentials,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

type Started = Awaited<ReturnType<typeof startWithAdmin>>

/** Every kind of route that needs the database, asked again and again until `isOver`. */
async function load(
  { server, token, credentials }: Started,
  isOver: () => boolean,
): Promise<Seen[]> {
  const seen: Seen[] = []
  let count = 0
  const loop = async (ask: () => Promise<Seen>) => {
    while (!isOver()) {
      seen.push(await ask())
      await delay(10)
    }
  }
  // Twenty sessions are kept: those of the load would push out the one that it works with.
  const logInAndOut = async () => {
    const loggedIn = await send(server, 'POST /auth/login', { body: credentials })
    const { refresh_token } = loggedIn.body
    if (refresh_token)
      seen.push(await send(server, 'POST /auth/logout', { body: { refresh_token } }))
    return loggedIn
  }
  const email = () => `user${++count}@example.com`
  await Promise.all([
    loop(() => send(server, 'GET /me', { token })),
    loop(() => send(server, 'PATCH /me', { token, body: { full_name: `Admin ${++count}` } })),
    loop(() => send(server, 'GET /users', { token })),
    loop(logInAndOut),
    loop(() => send(server, 'POST /auth/signup', { body: { email: email(), password: PASSWORD } })),
    loop(() => send(server, 'POST /auth/verify/resend', { body: { email: email() } })),
    loop(() => send(server, 'GET /ready')),
  ])
  return seen
}

const isFine = ({ status }: Seen) => status >= 200 && status < 300

/** No hang, no 500, and 503 only as clients expect it. */
function assertFineOr503(seen: readonly Seen[]): void {
  for (const answer of seen) {
    const told = `${answer.route}: ${answer.status} after ${Math.round(answer.ms)} ms`
    assert.ok(answer.ms <= ANSWER_MAX_MS, told)
    if (isFine(answer)) continue
    assert.equal(answer.status, 503, `${told} ${JSON.stringify(answer.body)}`)
    assert.ok(answer.retryAfterS >= 1 && answer.retryAfterS <= 3, told)
    if (answer.route !== 'GET /ready') assert.equal(answer.body.code, 'database_unavailable')
  }
}

/** What began between the two times, and how much of it was fine. */
function between(seen: readonly Seen[], from: number, to: number) {
  const these = seen.filter(({ startedAt, ms }) => startedAt >= from && startedAt + ms <= to)
  return { count: these.length, fine: these.filter(isFine).length }
}

/** Runs the load around an outage: fine before, 503 in it, and fine again soon after. */
async function around(
  started: Started,
  outage: { begin(): unknown; end(): unknown },
  outageMs: number,
) {
  let over = false
  const loading = load(started, () => over)
  try {
    await delay(SECOND_MS)
    await outage.begin()
    const from = performance.now()
    await delay(outageMs)
    const to = performance.now()
    await outage.end()
    const healBy = performance.now() + HEAL_MAX_MS
    await delay(HEAL_MAX_MS + SECOND_MS)
    over = true
    return { seen: await loading, from, to, healBy }
  } finally {
    over = true
    await Promise.allSettled([loading])
  }
}

describe('a PostgreSQL that', () => {
  test('crashes under load: 503 within 3 s, back within 5 s without a restart, nothing lost', async () => {
    await using started = await startWithAdmin()

    const { seen, from, to, healBy } = await around(
      started,
      { begin: () => cluster.crash(), end: () => cluster.restart() },
      5 * SECOND_MS,
    )

    assertFineOr503(seen)
    const during = between(seen, from, to)
    assert.ok(during.count > 10)
    assert.equal(during.fine, 0, 'answered without a database')
    const healed = between(seen, healBy, Number.POSITIVE_INFINITY)
    assert.ok(healed.count > 10)
    assert.equal(healed.fine, healed.count, 'not healed after 5 s')
    await assertKept(started.url, seen)
    assert.equal((await send(started.server, 'GET /health')).status, 200)
  })

  test('is in a black hole: 503 within 3 s, back within 5 s without a restart', async () => {
    await using started = await startWithAdmin()

    const { seen, from, to, healBy } = await around(
      started,
      { begin: () => started.proxy.swallow(), end: () => started.proxy.heal() },
      8 * SECOND_MS,
    )

    assertFineOr503(seen)
    const during = between(seen, from, to)
    assert.ok(during.count > 10)
    assert.equal(during.fine, 0)
    const healed = between(seen, healBy, Number.POSITIVE_INFINITY)
    assert.ok(healed.count > 10)
    assert.equal(healed.fine, healed.count, 'not healed after 5 s')
    await assertKept(started.url, seen)
  })

  test('stops all its backends: 503 within 3 s, then served by new connections', async () => {
    await using started = await startWithAdmin()
    const operator = new pg.Client({ connectionString: started.url })
    await operator.connect()
    const signal = async (name: NodeJS.Signals, pids: readonly number[]) => {
      for (const pid of pids) process.kill(pid, name)
    }
    let stopped: number[] = []
    try {
      const { seen, healBy } = await around(
        started,
        {
          async begin() {
            const { rows } = await operator.query(
              "select pid from pg_stat_activity where datname = current_database() and application_name = 'coffee-shop-api'",
            )
            stopped = rows.map((row) => row.pid)
            await signal('SIGSTOP', stopped)
          },
          end: () => undefined,
        },
        100,
      )

      assert.ok(stopped.length > 0)
      assertFineOr503(seen)
      // A stopped backend may hold a row's lock: what needs that row goes on being refused.
      const others = seen.filter(({ route }) => !/^PATCH|login/.test(route))
      const healed = between(others, healBy, Number.POSITIVE_INFINITY)
      assert.ok(healed.count > 10)
      assert.equal(healed.fine, healed.count, 'not healed after 5 s')
      assert.equal((await send(started.server, 'GET /health')).status, 200)
    } finally {
      await signal('SIGCONT', stopped)
      await operator.end()
    }
  })

  for (const bytes of [1, 100, 400, 1000, 2000, 5000]) {
    test(`is cut off after ${bytes} bytes of each connection: 2xx or 503, and what was 2xx is there`, async () => {
      await using started = await startWithAdmin()

      const { seen } = await around(
        started,
        { begin: () => started.proxy.cutAnswersAfter(bytes), end: () => started.proxy.heal() },
        2 * SECOND_MS,
      )

      assertFineOr503(seen)
      await assertKept(started.url, seen)
    })
  }
})

/** Every sign-up that was answered 201 is in the table, once. */
async function assertKept(url: string, seen: readonly Seen[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select id from sign_ups')
  await client.end()
  const kept = new Set(rows.map((row) => row.id))
  const acknowledged = seen.filter(({ status }) => status === 201)
  assert.ok(acknowledged.length > 0)
  for (const { body } of acknowledged) assert.ok(kept.has(body.sign_up_id), body.email)
}
