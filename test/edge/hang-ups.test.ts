import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SLOW_HASHES } from '../support/hashes.ts'
import { times, turns } from '../support/races.ts'
import { openRaw, requestText, untilNoneIsConnected } from '../support/raw.ts'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const CLIENTS = 20
/** Slow enough that the last of them still wait when all have hung up. */
const REAL_HASHES = { ARGON2_MEMORY_KIB: '19456', ARGON2_PASSES: '2' }

describe('who hangs up while a password is hashed', () => {
  for (const [who, settings, headers] of [
    ['a client', {}, {} as Record<string, string>],
    ['a proxy', { TRUSTED_PROXIES: '127.0.0.1/32' }, { 'X-Forwarded-For': '203.0.113.7' }],
  ] as const) {
    test(`is no error, and the service is well: ${who}`, async () => {
      await using service = await startService({ ...REAL_HASHES, ...settings })
      const allCame = afterRequests(service, CLIENTS)
      const base = await service.listen()

      const clients = times(CLIENTS).map((n) => openRaw(base, passwordRequest(n, headers)))
      await allCame
      for (const client of clients) client.reset()
      await Promise.all(clients.map(({ answered }) => answered))
      await untilNoneIsConnected(service)
      // Hashed one after the other: behind these nothing of the others is left.
      await service.signUp('late@example.com')
      await service.signUp('later@example.com')

      assert.equal((await service.get('/ready')).status, 200)
      const errors = service.logged.filter((line) => /"level":"(error|fatal)"/.test(line))
      assert.deepEqual(errors, [])
      const lines = requestLines(service)
      assert.equal(new Set(lines.map((line) => line.request_id)).size, CLIENTS + 2)
      assert.equal(lines.length, CLIENTS + 2)
      const hungUp = lines.filter((line) => line.status === 499)
      assert.ok(hungUp.length > CLIENTS / 2, String(hungUp.length))
      const ip = headers['X-Forwarded-For'] ?? '127.0.0.1'
      assert.deepEqual(new Set(hungUp.map((line) => line.ip)), new Set([ip]))
    })
  }

  test('has a log line and a count for each of several requests of one connection', async () => {
    await using service = await startService(REAL_HASHES)
    const allCame = afterRequests(service, 12)
    const base = await service.listen()

    const bytes = times(12).map((n) => passwordRequest(2 * n + 1))
    const client = openRaw(base, bytes.join(''))
    await allCame
    client.reset()
    await untilNoneIsConnected(service)
    await service.signUp('late@example.com')

    const statuses = requestLines(service).map((line) => line.status)
    assert.deepEqual(statuses, [...times(12).map(() => 499), 201])
    const metrics = await service.ctx.metrics.expose()
    const count = /http_requests_total\{method="POST",route="[^"]*login",status="499"\} 12\n/
    assert.match(metrics, count)
  })

  for (const [path, parity] of [
    ['login', 1],
    ['signup', 0],
  ] as const) {
    test(`leaves the queue of hashes: POST /auth/${path}`, async () => {
      await using service = await startService({ ...SLOW_HASHES, RATE_LIMIT: 'off' })
      const { hasher } = service.ctx
      const { hash, verify } = hasher
      let hashed = 0
      const counted = async <T>(hashing: Promise<T>) => {
        const result = await hashing
        hashed++
        return result
      }
      hasher.verify = (...given) => counted(verify(...given))
      hasher.hash = (...given) => counted(hash(...given))
      const base = await service.listen()
      const clients = times(10).map((n) => openRaw(base, passwordRequest(2 * n + parity)))
      while (hasher.waiting() < 8) await turns(1)

      for (const client of clients) client.reset()
      await Promise.all(clients.map(({ answered }) => answered))
      while (hasher.waiting() > 0) await turns(1)

      assert.ok(hashed <= 4, `${hashed} of 10 were hashed for nobody`)
      assert.equal((await service.get('/ready')).status, 200)
    })
  }
})

function requestLines({ logged }: Service): { request_id: string; status: number; ip: string }[] {
  return logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
}

/** Even ones sign up, odd ones log in. */
function passwordRequest(n: number, headers: Record<string, string> = {}): string {
  const body = JSON.stringify({ email: `user${n}@example.com`, password: PASSWORD })
  const line = n % 2 === 0 ? 'POST /api/v1/auth/signup' : 'POST /api/v1/auth/login'
  const length = String(body.length)
  const type = 'application/json'
  return requestText(line, { ...headers, 'Content-Type': type, 'Content-Length': length }, body)
}

/** Resolves when so many requests have reached their handlers. */
function afterRequests(service: Service, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let came = 0
  service.app.addHook('preHandler', async () => {
    if (++came === count) resolve()
  })
  return promise
}
