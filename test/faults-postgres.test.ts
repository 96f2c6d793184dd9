import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { openDatabase } from '../server/database/open.ts'
import { databaseProblem } from '../server/database/problems.ts'
import { databaseUrl } from '../server/database/url.ts'
import { MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { userById } from '../server/accounts/users.ts'
import { DATABASE } from './support/database.ts'
import { assertProblem } from './support/problem.ts'
import {
  countBlocked,
  countStatuses,
  startReplicas,
  times,
  waitForBlocked,
} from './support/races.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'
import { LOGOUT, refresh, sessionIdOf } from './support/sessions.ts'
import { startTcpProxy } from './support/tcp-proxy.ts'
import { until } from './support/until.ts'
import { rowOf } from './support/users.ts'

const CANARY = 'wr0ng-canary-password'

/** A connection that is not the service's: an operator, or somebody in the way. */
async function connectTo(service: Service) {
  const client = new pg.Client({ connectionString: service.databaseUrl })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** Of the service, on the server. */
async function countConnections(operator: pg.Client): Promise<number> {
  const { rows } = await operator.query(
    "select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name = 'coffee-shop-api'",
  )
  return rows[0].count
}

const terminateOthers = (client: pg.Client) =>
  client.query(
    'select pg_terminate_backend(pid, 1000) from pg_stat_activity where datname = current_database() and pid != pg_backend_pid()',
  )

function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 'database_unavailable')
  const retryAfterS = Number(answer.headers['retry-after'])
  assert.ok(retryAfterS >= 1 && retryAfterS <= 3)
}

/** So little that nothing is waited for. */
const IMPATIENT = { requestBudgetMs: 300 }

if (DATABASE === 'postgres') {
  describe('connections that the server ended', () => {
    test('200 for reads at once: the look-up goes on over another connection', async () => {
      await using service = await startService()
      await using operator = await connectTo(service)
      const ann = await service.addUser()

      for (let round = 0; round < 5; round++) {
        await terminateOthers(operator)
        const answers = [
          await service.get('/api/v1/me', { token: ann.access }),
          await service.patch('/api/v1/me', { full_name: `Ann ${round}` }, { token: ann.access }),
          await service.get('/ready'),
        ]

        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 200, 200],
        )
      }
    })

    test('200 and 202 for a look-up and a write whose connection had died unnoticed', async () => {
      await using home = await startService()
      await using proxy = await startTcpProxy(home.databaseUrl)
      const replicaOf = { ...home, databaseUrl: proxy.url }
      await using service = await startService({}, { replicaOf })
      const ann = await home.addUser()
      const look = () => service.get('/api/v1/me', { token: ann.access })
      await look()

      proxy.resetOnUse()
      const looked = await look()
      proxy.resetOnUse()
      // Its first statement is `begin`: nothing was done yet, so all of it can be done again.
      const written = await service.post('/api/v1/auth/verify/resend', { email: ann.email })

      assert.equal(looked.status, 200, looked.text)
      assert.equal(written.status, 202, written.text)
    })

    test('200 or 503 under load while all connections are ended again and again, then 200', async () => {
      await using service = await startService({ RATE_LIMIT: 'off' })
      await using operator = await connectTo(service)
      // Each login beyond twenty ends the oldest session of its user.
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const seen = new Map<number, number>()
      let finished = false

      async function load(path: () => Promise<Answer>): Promise<void> {
        while (!finished) {
          const answer = await path()
          if (answer.status === 503) assertUnavailable(answer)
          seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
        }
      }
      async function terminate(): Promise<void> {
        for (let round = 0; round < 4; round++) await terminateOthers(operator)
        finished = true
      }
      let name = 0
      await Promise.all([
        ...times(4).map(() => load(() => service.get('/api/v1/me', { token: ann.access }))),
        ...times(4).map(() =>
          load(() =>
            service.patch('/api/v1/me', { full_name: `Ann ${++name}` }, { token: ann.access }),
          ),
        ),
        load(() => service.post('/api/v1/auth/login', { email: bob.email, password: PASSWORD })),
        terminate(),
      ])

      assert.deepEqual(
        [...seen.keys()].filter((status) => status !== 200 && status !== 503),
        [],
      )
      assert.ok((seen.get(200) ?? 0) > 0)
      // Dead connections are dropped as they are found: ten at most are left.
      for (let n = 0; n < 10; n++) await service.get('/api/v1/me', { token: ann.access })
      assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
    })

    test('a transaction whose connection ends is rolled back, answered 503 and can be repeated', async () => {
      await using service = await startService()
      await using operator = await connectTo(service)
      await using blocker = await connectTo(service)
      const ann = await service.addUser()
      await blocker.query('begin')
      await blocker.query('select id from users where id = $1 for update', [ann.id])

      const patching = service.patch('/api/v1/me', { full_name: 'Ann' }, { token: ann.access })
      await waitForBlocked(operator)
      await operator.query(
        "select pg_terminate_backend(pid, 1000) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      const answer = await patching
      await blocker.query('rollback')
      const again = await service.patch('/api/v1/me', { full_name: 'Ann' }, { token: ann.access })

      assertUnavailable(answer)
      assert.equal(again.status, 200)
    })
  })

  describe('two transactions that wait for each other', () => {
    test('both commit: the deadlock’s victim is run again', async () => {
      await using replicas = await startReplicas()
      const [first, second] = replicas.pair
      const [ann, bob] = [await first.addUser(), await first.addUser()]
      const bothHoldOne = createBarrier(2)
      let runs = 0

      const append = (service: Service, ids: readonly number[]) =>
        service.ctx.transaction(async (tx) => {
          runs++
          for (const [at, id] of ids.entries()) {
            if (at === 1) await bothHoldOne()
            await sql`update users set full_name = coalesce(full_name, '') || 'x' where id = ${id}`.execute(
              tx,
            )
          }
        })
      await Promise.all([append(first, [ann.id, bob.id]), append(second, [bob.id, ann.id])])

      // On a busy machine the victim may be back before the survivor has woken, and they meet once more.
      assert.ok(runs >= 3, `${runs} runs`)
      for (const { id } of [ann, bob])
        assert.equal((await first.ctx.lookUp(userById, id))?.full_name, 'xx')
    })
  })

  test('a statement has five seconds, and an open transaction ten', async () => {
    await using service = await startService()
    const backend = await openDatabase(databaseUrl(service.databaseUrl))
    try {
      const { rows } = await sql<Record<string, string>>`
        select current_setting('statement_timeout') as statement,
          current_setting('idle_in_transaction_session_timeout') as idle`.execute(backend.reader)

      assert.deepEqual({ ...rows[0] }, { statement: '5s', idle: '10s' })
    } finally {
      await backend.close()
    }
  })

  describe('a row that somebody else has locked', () => {
    test('503 with Retry-After once the budget is spent, and what was asked for does not happen later', async () => {
      await using service = await startService({}, IMPATIENT)
      await using blocker = await connectTo(service)
      const ann = await service.addUser()
      await blocker.query('begin')
      await blocker.query('select id from users where id = $1 for update', [ann.id])

      const answer = await service.patch('/api/v1/me', { full_name: 'Late' }, { token: ann.access })
      await blocker.query('commit')
      const row = await rowOf(service, ann)

      assertUnavailable(answer)
      assert.equal(row.full_name, null)
    })

    test('503 for requests beyond the pool, too; others have room, and 200 for all once it is free', async () => {
      await using service = await startService({}, IMPATIENT)
      await using blocker = await connectTo(service)
      const ann = await service.addUser()
      await blocker.query('begin')
      await blocker.query('select id from users where id = $1 for update', [ann.id])
      const rename = () => service.patch('/api/v1/me', { full_name: 'Ann' }, { token: ann.access })

      const blocked = await Promise.all(times(30).map(rename))
      // Half of what the server gives the statements that still wait for the row: they make no room.
      Object.assign(service.ctx, { requestBudgetMs: MINUTE_MS / 2 })
      const me = await service.get('/api/v1/me', { token: ann.access })
      await blocker.query('commit')
      const free = await Promise.all(times(30).map(rename))

      for (const answer of blocked) assertUnavailable(answer)
      assert.equal(me.status, 200)
      assert.deepEqual(countStatuses(free), { 200: 30 })
    })
  })

  describe('a read-only spell', () => {
    const spell = (operator: pg.Client, change: string) =>
      operator.query(
        `do $$ begin execute format('alter database %I ${change}', current_database()); end $$`,
      )

    test('503 for writes and /ready, 200 for reads; then 200 for every login at once', async () => {
      await using service = await startService()
      await using operator = await connectTo(service)
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const me = () => service.get('/api/v1/me', { token: ann.access })
      const logIn = () =>
        service.post('/api/v1/auth/login', { email: bob.email, password: PASSWORD })
      const statuses = async () =>
        [await service.get('/ready'), await logIn(), await me()].map(({ status }) => status)

      await spell(operator, 'set default_transaction_read_only = on')
      await terminateOthers(operator)
      const during = await statuses()
      // Of the sessions that may only read, several are idle now.
      await Promise.all(times(6).map(me))
      await operator.query('set default_transaction_read_only = off')
      await spell(operator, 'reset default_transaction_read_only')
      const logins = countStatuses(await Promise.all(times(6).map(logIn)))
      const after = await statuses()

      assert.deepEqual(during, [503, 503, 200])
      assert.deepEqual(logins, { 200: 6 })
      assert.deepEqual(after, [200, 200, 200])
    })
  })

  describe('a list of hosts', () => {
    for (const [what, hosts] of [
      ['the first refuses', (silent: string, good: string) => `127.0.0.1:1,${good},${silent}`],
      ['the first says nothing', (silent: string, good: string) => `${silent},${good}`],
    ] as const) {
      test(`200 where ${what}`, async () => {
        await using home = await startService()
        const ann = await home.addUser()
        const url = new URL(home.databaseUrl)
        await using silent = await startTcpProxy(url.href)
        silent.swallow()
        const list = hosts(new URL(silent.url).host, url.host)
        const databaseUrl = url.href.replace(url.host, list)
        const replicaOf = { ...home, databaseUrl }
        await using service = await startService({}, { replicaOf, requestBudgetMs: 2 * SECOND_MS })

        const me = await service.get('/api/v1/me', { token: ann.access })
        const ready = await service.get('/ready')

        assert.deepEqual([me.status, ready.status], [200, 200])
      })
    }
  })

  test('a server that says nothing is asked once, and the sentence says so', async () => {
    let asked = 0
    const silent = createServer((socket) => {
      asked++
      socket.on('error', () => {}).resume()
    }).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const url = `postgresql://ann:secret@127.0.0.1:${port}/shop?connect_timeout=1`
    const backend = await openDatabase(databaseUrl(url))
    try {
      const error: unknown = await backend.check().catch((thrown: unknown) => thrown)

      assert.match(String(databaseProblem(error)), /the server does not respond.*\(ETIMEDOUT\)$/)
      assert.equal(asked, 1)
    } finally {
      await backend.close()
      silent.close()
    }
  })

  describe('queries that are given up', () => {
    test('503 behind a locked table: the server never has more connections than the pool, and none is left', async () => {
      await using service = await startService({ DATABASE_POOL_SIZE: '4' }, IMPATIENT)
      await using blocker = await connectTo(service)
      await using operator = await connectTo(service)
      const users = await Promise.all(times(8).map(() => service.addUser()))
      await blocker.query('begin')
      await blocker.query('lock table users')
      const counts: number[] = []
      let finished = false

      async function watch(): Promise<void> {
        while (!finished) counts.push(await countConnections(operator))
      }
      async function ask(): Promise<Answer[]> {
        const answers: Answer[] = []
        for (let round = 0; round < 4; round++) {
          const reading = users.map(({ access }) => service.get('/api/v1/me', { token: access }))
          answers.push(...(await Promise.all(reading)))
        }
        finished = true
        return answers
      }
      const [answers] = await Promise.all([ask(), watch()])
      while ((await countBlocked(operator)) > 0);
      await blocker.query('commit')
      const me = await service.get('/api/v1/me', { token: users[0]?.access })

      for (const answer of answers) assertUnavailable(answer)
      assert.equal(Math.max(...counts), 4)
      assert.equal(me.status, 200)
    })
  })

  test('a connection in a black hole does not outlive its pool', async () => {
    await using service = await startService()
    await using operator = await connectTo(service)
    await using proxy = await startTcpProxy(service.databaseUrl)
    const url = `${proxy.url}?application_name=swallowed`
    const backend = await openDatabase(databaseUrl(url), { statementTimeoutMs: 300 })
    await backend.check()
    proxy.swallow()

    await assert.rejects(backend.check(), { code: 'database_unavailable' })
    await backend.close()
    const closedAt = performance.now()
    await until('its end', async () => {
      const { rows } = await operator.query(
        "select 1 from pg_stat_activity where application_name = 'swallowed'",
      )
      return rows.length === 0
    })

    // By itself it would be given a minute.
    assert.ok(performance.now() - closedAt < MINUTE_MS / 2)
  })

  describe('a caller that asks for much', () => {
    test('200 for the writes of others while 300 refreshes of one session wait for its row', async () => {
      await using service = await startService()
      await using blocker = await connectTo(service)
      await using operator = await connectTo(service)
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      await blocker.query('begin')
      await blocker.query('select id from sessions where id = $1 for update', [sessionIdOf(ann)])

      const refreshing = Promise.all(times(300).map(() => refresh(service, ann.refresh)))
      await waitForBlocked(operator)
      const others = await Promise.all(
        times(12).map((number) =>
          service.patch('/api/v1/me', { full_name: `Bob ${number}` }, { token: bob.access }),
        ),
      )
      const blocked = await countBlocked(operator)
      await blocker.query('commit')

      assert.deepEqual(countStatuses(others), { 200: 12 })
      assert.equal(blocked, 1)
      assert.deepEqual(countStatuses(await refreshing), { 200: 300 })
    })

    test('200 for others while one network waits for a quarter of the connections', async () => {
      await using service = await startService({ DATABASE_POOL_SIZE: '8' })
      await using blocker = await connectTo(service)
      await using operator = await connectTo(service)
      const users = await Promise.all(times(6).map(() => service.addUser()))
      const bob = await service.addUser()
      await blocker.query('begin')
      await blocker.query('lock table sessions in exclusive mode')
      const ip = '192.0.2.1'

      const loggingOut = Promise.all(
        users.map((user) => service.post(LOGOUT, { refresh_token: user.refresh }, { ip })),
      )
      await waitForBlocked(operator, 2)
      const verified = await service.post('/api/v1/auth/verify', {
        email: bob.email,
        code: '000000',
      })
      const me = await service.get('/api/v1/me', { token: bob.access })
      const blocked = await countBlocked(operator)
      await blocker.query('commit')

      assertProblem(verified, 'invalid_code')
      assert.equal(me.status, 200)
      assert.equal(blocked, 2)
      assert.deepEqual(countStatuses(await loggingOut), { 204: 6 })
    })
  })

  describe('a server that', () => {
    for (const [why, broken] of [
      ['is not there', (url: URL) => void (url.port = '1')],
      ['has no such database', (url: URL) => void (url.pathname = '/nothing_here')],
      ['refuses the password', (url: URL) => void (url.password = CANARY)],
      ['offers no encryption', (url: URL) => url.searchParams.set('sslmode', 'require')],
    ] as const) {
      test(`${why}: 503 with Retry-After for every route, no stack, /health stays 200`, async () => {
        await using home = await startService()
        const ann = await home.addUser('ann@example.com')
        const url = new URL(home.databaseUrl)
        broken(url)
        await using lost = await startService({}, { replicaOf: { ...home, databaseUrl: url.href } })

        const answers = await Promise.all([
          lost.get('/api/v1/me', { token: ann.access }),
          lost.post('/api/v1/auth/login', { email: ann.email, password: PASSWORD }),
          lost.post('/api/v1/auth/refresh', { refresh_token: ann.refresh }),
          lost.post('/api/v1/auth/signup', { email: 'new@example.com', password: PASSWORD }),
          lost.post('/api/v1/auth/verify', { email: ann.email, code: '000000' }),
        ])
        const [ready, health] = [await lost.get('/ready'), await lost.get('/health')]

        for (const answer of answers) assertUnavailable(answer)
        assert.deepEqual([ready.status, health.status], [503, 200])
        assert.ok(!lost.logged.join('').includes(CANARY), 'the password was logged')
        assert.doesNotMatch(lost.logged.join(''), /"stack"/)
      })
    }
  })
}

/** Lets nobody pass before `count` have come; later ones pass at once. */
function createBarrier(count: number): () => Promise<void> {
  const open = Promise.withResolvers<void>()
  let waiting = 0
  return () => {
    if (++waiting === count) open.resolve()
    return open.promise
  }
}
