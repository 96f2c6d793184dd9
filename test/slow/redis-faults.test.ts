import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDatabase } from '../support/cluster.ts'
import { temporaryFolder } from '../support/process.ts'
import { LONG } from '../support/long.ts'
import { countStatuses, times } from '../support/races.ts'
import { missing, type RedisServer, startRedis } from '../support/redis-server.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import type { Answer } from '../support/service.ts'
import { ADMIN } from '../support/settings.ts'
import { until } from '../support/until.ts'

const FORGOT = '/auth/password/forgot'
const LIMIT = 10
/** Of one process without Redis. */
const HALF = 5
const OUTAGES = LONG ? 5 : 2
/** A client that the servers believe to be its own network. */
const TRUSTED = { TRUSTED_PROXIES: '127.0.0.0/8' }
let networks = 0

async function startTwo(redis: RedisServer, url: string) {
  const settings = { DATABASE_URL: url, REDIS_URL: redis.url, ...TRUSTED, ...ADMIN }
  const first = await startServer(settings)
  const second = await startServer(settings)
  return {
    both: [first, second] as const,
    async [Symbol.asyncDispose]() {
      await Promise.all([first.kill(), second.kill()])
    },
  }
}
type Both = readonly [ServerProcess, ServerProcess]

async function send(server: ServerProcess, path: string, init: RequestInit): Promise<Answer> {
  const answer = await fetch(server.url + path, init)
  const text = await answer.text()
  const body = text === '' ? undefined : JSON.parse(text)
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body, text }
}
function post(server: ServerProcess, path: string, body: unknown, ip: string): Promise<Answer> {
  return send(server, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': ip },
    body: JSON.stringify(body),
  })
}
const nextNetwork = () => `198.51.${++networks >> 8}.${networks & 255}`

const untilRedis = (both: readonly ServerProcess[], state: string) =>
  until(`Redis ${state}`, async () => {
    const ready = await Promise.all(both.map((server) => send(server, '/ready', {})))
    return ready.every(({ body }) => body.checks.redis === state)
  })

/** From one network, over both servers; how many were let through. */
async function askOften(both: Both, count: number): Promise<number> {
  const ip = nextNetwork()
  const answers: Answer[] = []
  for (const n of times(count)) {
    const server = both[n % 2] as ServerProcess
    answers.push(await post(server, FORGOT, { email: `stranger${n}@example.com` }, ip))
  }
  const { 202: passed = 0, 429: refused = 0 } = countStatuses(answers)
  assert.equal(passed + refused, count, JSON.stringify(countStatuses(answers)))
  return passed
}

/** The same once it was counted in Redis from the first to the last: a busy machine may look like a fault. */
async function askWithRedis(both: Both, count: number): Promise<number> {
  const faults = () =>
    both.flatMap(({ lines }) => lines.filter((line) => /Redis is unavailable/.test(line))).length
  for (;;) {
    await untilRedis(both, 'ok')
    const before = faults()
    const passed = await askOften(both, count)
    if (faults() === before) return passed
  }
}

describe('two servers on PostgreSQL and a real Redis', { skip: missing }, () => {
  for (const [what, breakIt, endIt] of [
    ['is killed', (redis) => redis.kill(), (redis) => redis.start()],
    ['hangs', (redis) => redis.signal('SIGSTOP'), (redis) => redis.signal('SIGCONT')],
    // Its end comes by itself, be it while they still ask.
    ['pauses', (redis) => redis.command('CLIENT', 'PAUSE', '4000', 'ALL'), () => {}],
    ['forgets everything', (redis) => redis.command('FLUSHALL'), () => {}],
  ] as [string, (redis: RedisServer) => unknown, (redis: RedisServer) => unknown][]) {
    test(`Redis ${what}, ${OUTAGES} times: never unlimited, never an outage, revocations hold`, async (t) => {
      await using redis = await startRedis()
      const name = `redis_${what.replaceAll(' ', '_')}`
      const url = await createDatabase(process.env['TEST_POSTGRES_URL'] ?? '', name)
      await using servers = await startTwo(redis, url)
      const { both } = servers
      const [first, second] = both
      const login = { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD }
      assert.equal(await askWithRedis(both, 30), LIMIT)

      const passed: number[] = []
      for (const _ of times(OUTAGES)) {
        const { body } = await post(first, '/auth/login', login, nextNetwork())
        await breakIt(redis)
        passed.push(await askOften(both, 30))
        const { refresh_token } = body
        const refreshed = await post(second, '/auth/refresh', { refresh_token }, nextNetwork())
        assert.equal(refreshed.status, 200, refreshed.text)
        const authorization = `Bearer ${refreshed.body.access_token}`
        await send(second, '/auth/logout', { method: 'POST', headers: { authorization } })
        assert.equal((await send(first, '/me', { headers: { authorization } })).status, 401)
        await endIt(redis)
        assert.equal(await askWithRedis(both, 30), LIMIT)
      }
      t.diagnostic(`of 30 passed: ${passed.join(' ')}`)
      for (const count of passed)
        assert.ok(count >= HALF && count <= LIMIT + 2 * HALF, String(count))
    })
  }

  test('a server starts while Redis is away, and uses it once it is there', async () => {
    await using redis = await startRedis()
    await redis.kill()
    using folder = temporaryFolder()
    const settings = { DATABASE_URL: `sqlite:///${folder.path}/app.db`, REDIS_URL: redis.url }

    await using server = await startServer({ ...settings, ...TRUSTED })
    const away = await askOften([server, server], 20)
    await redis.start()
    const there = await askWithRedis([server, server], 20)

    assert.deepEqual([away, there], [HALF, LIMIT])
    assert.ok(!server.lines.some((line) => line.includes(redis.url)))
  })
})
