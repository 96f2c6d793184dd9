import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HOUR_MS } from '../../server/lib/units.ts'
import { assertProblem } from '../support/problem.ts'
import { countStatuses, oneByOne, times } from '../support/races.ts'
import { missing, type RedisServer, startRedis } from '../support/redis-server.ts'
import { NEW_PASSWORD, reset, tokenFor } from '../support/resets.ts'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const FORGOT = '/api/v1/auth/password/forgot'
const LOGIN = '/api/v1/auth/login'
const REFRESH = '/api/v1/auth/refresh'

function assertBetween(min: number, text: string | undefined, max: number): void {
  assert.ok(Number(text) >= min && Number(text) <= max, String(text))
}

describe('limits in Redis', { skip: missing }, () => {
  let redis: RedisServer
  let first: Service
  let second: Service
  before(async () => {
    redis = await startRedis()
    first = await startService({ REDIS_URL: redis.url })
    second = await startService({ REDIS_URL: redis.url }, { replicaOf: first })
    await untilStore('redis')
  })
  beforeEach(() => untilStore('redis'))
  after(async () => {
    await second[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  async function untilStore(expected: string): Promise<void> {
    const startedAt = performance.now()
    while ([first, second].some(({ ctx }) => ctx.limits.store() !== expected)) {
      assert.ok(performance.now() - startedAt < 20_000, `never ${expected}`)
      await delay(20)
    }
  }
  /**
   * Again, from another network, when Redis was taken for dead meanwhile: a machine that pauses for 100 ms
   * looks like that. What fails while Redis is used fails at once.
   */
  async function undisturbed(body: (ip: string) => Promise<void>): Promise<void> {
    for (let tried = 1; ; tried++) {
      const before = fallbacks()
      try {
        return await body(`192.0.2.${++networks}`)
      } catch (error) {
        if (tried === 3 || fallbacks() === before) throw error
        await untilStore('redis')
      }
    }
  }
  let networks = 0
  const fallbacks = () =>
    [first, second]
      .flatMap(({ logged }) => logged)
      .filter((line) => /Redis is unavailable/.test(line)).length
  const forget = (service: Service, n: number, ip: string) =>
    service.post(FORGOT, { email: `stranger${n}@example.com` }, { ip })
  const either = (n: number) => (n % 2 ? first : second)
  const forgetOften = (count: number, ip: string) =>
    oneByOne(count, (n) => forget(either(n), n, ip))

  test('two replicas share one count, and the windows of Redis end by themselves', () =>
    undisturbed(async (ip) => {
      const answers = await forgetOften(20, ip)
      assert.deepEqual(countStatuses(answers), { 202: 10, 429: 10 })
      // The time of Redis is not the test's to move.
      assertBetween(3590, answers[19]?.headers['retry-after'], 3600)
      for (const key of (await redis.command('KEYS', '*')) as string[])
        // -1 is for ever.
        assert.notEqual(await redis.command('PTTL', key), -1, key)
    }))

  test('of 200 at once over both, ten are looked at, and refused ones leave nothing behind', () =>
    undisturbed(async (ip) => {
      const answers = await Promise.all(times(200).map((n) => forget(either(n), n, ip)))
      const looked = countStatuses(answers)[202] ?? 0
      assert.equal(looked, 10)
    }))

  test('the networks of an IPv6 /56 share a count over both', () =>
    undisturbed(async (ip) => {
      const site = `2001:db8:${ip.split('.').at(-1)}`
      const answers = await oneByOne(41, (n) =>
        forget(either(n), n, `${site}:${n.toString(16)}::1`),
      )
      assert.deepEqual(countStatuses(answers), { 202: 40, 429: 1 })
    }))

  test('logins pause and are cleared over both', () =>
    undisturbed(async (ip) => {
      const ann = await first.addUser()
      const logIn = (service: Service, password: string) =>
        service.post(LOGIN, { email: ann.email, password }, { ip })
      const wrong = await Promise.all(times(40).map((n) => logIn(either(n), 'not it, sorry')))
      const paused = await logIn(first, ann.password)
      await first.ctx.limits.clear('login', `${ann.email} ${ip}`)
      const cleared = await logIn(second, ann.password)
      const again = await oneByOne(11, (n) => logIn(either(n), 'not it, sorry'))

      assert.deepEqual(countStatuses(wrong), { 401: 10, 429: 30 })
      assertBetween(20, paused.headers['retry-after'], 30)
      assert.equal(cleared.status, 200)
      assert.deepEqual(countStatuses(again), { 401: 10, 429: 1 })
    }))

  test('no address, name or number stands in Redis', async () => {
    const canary = { email: 'canary@example.com', password: PASSWORD }
    await first.post(LOGIN, canary, { ip: '192.0.2.77' })
    const keys = (await redis.command('KEYS', '*')) as string[]
    assert.ok(keys.length > 0)
    for (const key of keys) assert.match(key, /^coffee-shop:limit:(probe:\d+|\w+:[\w-]{43})$/)
  })

  test('refunded tries leave no key behind', () =>
    undisturbed(async (ip) => {
      await redis.command('FLUSHALL')
      const right = await first.addUser()
      const malformed = await first.post(LOGIN, {}, { ip })
      const twice = await first.ctx.limits.take('login_address', right.email)
      await Promise.all([twice.refund(), twice.refund()])

      assert.equal(malformed.status, 422)
      assert.deepEqual(await redis.command('KEYS', '*:login*'), [])
    }))

  test('flushed: the counts start over, and nothing else does', () =>
    undisturbed(async (ip) => {
      const ann = await first.addUser()
      await first.post('/api/v1/auth/logout', { refresh_token: ann.refresh })
      await forgetOften(11, ip)

      await redis.command('FLUSHALL')
      const answers = await forgetOften(11, ip)

      assert.deepEqual(countStatuses(answers), { 202: 10, 429: 1 })
      assertProblem(await second.post(REFRESH, { refresh_token: ann.refresh }), 'invalid_token')
    }))

  test('200 for a reset while Redis is away, which lifts the lock of this process', async () => {
    const ann = await first.addUser()
    redis.signal('SIGSTOP')
    for (const n of times(60))
      await first.post(LOGIN, { email: ann.email, password: 'not it' }, { ip: `192.0.2.${n}` })
    const locked = await first.post(LOGIN, { email: ann.email, password: ann.password })
    const token = await tokenFor(first, ann.email)

    const done = await reset(first, token)
    const later = await first.post(LOGIN, { email: ann.email, password: NEW_PASSWORD })
    redis.signal('SIGCONT')

    assertProblem(locked, 'login_locked')
    assert.equal(done.status, 200)
    assert.equal(later.status, 200)
  })

  for (const [index, [why, breakIt, endIt]] of (
    [
      ['killed', () => redis.kill(), () => redis.start()],
      ['hanging', () => redis.signal('SIGSTOP'), () => redis.signal('SIGCONT')],
      [
        'a replica that may not write',
        () => redis.command('REPLICAOF', '127.0.0.1', '1'),
        () => redis.command('REPLICAOF', 'NO', 'ONE'),
      ],
      [
        'full',
        () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
        () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
      ],
    ] as const
  ).entries()) {
    test(`${why}: each replica counts for itself at half, only the first request asks Redis, and it recovers`, async () => {
      const ip = `198.51.100.${10 + index}`
      const ann = await first.addUser()
      await breakIt()

      const asked = await oneByOne(8, async () => {
        const { refuse } = await first.ctx.limits.take('forgot_network', ip)
        return { isWithin: refuse === undefined, store: first.ctx.limits.store() }
      })
      const refused = await forget(first, 8, ip)
      const elsewhere = await forget(second, 1, ip)
      const tokens = await first.post(REFRESH, { refresh_token: ann.refresh })
      await first.post('/api/v1/auth/logout', { refresh_token: tokens.body.refresh_token })
      const me = await second.get('/api/v1/me', { token: tokens.body.access_token })
      const { body: ready, status } = await first.get('/ready')
      await endIt()
      await untilStore('redis')
      const recovered = await forget(second, 9, ip)

      const granted = asked.filter(({ isWithin }) => isWithin)
      assert.equal(granted.length, 5)
      assert.ok(asked.every(({ store }) => store === 'redis_unavailable'))
      assertProblem(refused, 'too_many_requests')
      assert.equal(elsewhere.status, 202)
      assert.equal(status, 200)
      assert.equal(ready.checks.redis, 'unavailable')
      assertProblem(me, 'invalid_token')
      assert.equal(recovered.status, 202)
      first.advance(HOUR_MS)
    })
  }
})
