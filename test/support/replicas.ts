import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { query } from './cluster.ts'
import { type Fleet, type Proxy, type Replica, startFleet, startProxy } from './fleet.ts'
import { absent } from './programs.ts'
import { type Load, send, signUpCustomers, startLoad } from './steady-load.ts'
import { until } from './until.ts'

const SETTINGS = {
  PUBLIC_URL: 'https://shop.example.com',
  TRUSTED_PROXIES: '127.0.0.1/32',
  RATE_LIMIT: 'off',
  SHUTDOWN_DELAY_SECONDS: '5',
}
const KIB = 1024
/** Enough to meet each replica many times. */
const MANY = 100

/** The requests of customers; probes are not logged. */
const servedBy = ({ process }: Replica) =>
  process.lines.filter((line) => line.includes('"route":"/api/v1/')).length

/** The tests of a sample in deploy/, against the program itself. */
export function testReplicasBehind(name: 'nginx' | 'haproxy'): void {
  const skip = absent(name)
  describe(`three replicas behind ${name}, by the sample in deploy/`, { skip }, () => {
    let fleet: Fleet
    let proxy: Proxy
    let customers: Awaited<ReturnType<typeof signUpCustomers>>
    before(async () => {
      fleet = await startFleet(SETTINGS)
      proxy = await startProxy(name, fleet)
      customers = await signUpCustomers(proxy.url, codeOf)
    })
    after(async () => {
      await proxy?.[Symbol.asyncDispose]()
      await fleet?.[Symbol.asyncDispose]()
    })

    const lines = () => fleet.replicas.flatMap(({ process }) => process.lines)
    const codeOf = (email: string) =>
      lines()
        .map((line) => new RegExp(`code for ${email}: (\\d{6})`).exec(line)?.[1])
        .find(Boolean)
    async function underLoad(work: (load: Load) => Promise<void>): Promise<Load> {
      const load = startLoad(proxy.url, customers)
      try {
        await work(load)
      } finally {
        await load.stop()
      }
      return load
    }
    /** Starts it again and waits until the proxy sends requests there. */
    async function restart(replica: Replica): Promise<void> {
      await replica.restart()
      await until('requests at the new process', () => servedBy(replica) > 0)
    }

    test('get what the service accepts, and nothing that a client claims of itself', async () => {
      const ask = (route: string, headers: Record<string, string>, body = '') =>
        send(proxy.url, route, { ip: '127.0.2.1', headers, body })
      const json = { 'content-type': 'application/json' }
      const forged = {
        'x-forwarded-for': '203.0.113.9',
        'x-forwarded-host': 'evil.example',
        forwarded: 'for=203.0.113.9;host=evil.example',
        origin: 'https://evil.example',
      }

      const long = await ask('GET /health', { 'x-long': 'x'.repeat(15 * KIB) })
      const url = await ask(`GET /users?q=${'x'.repeat(4 * KIB)}`, {})
      const large = await ask(
        'PATCH /api/v1/me',
        json,
        JSON.stringify({ a: 'x'.repeat(100 * KIB) }),
      )
      const foreign = await ask('POST /api/v1/auth/login', { ...json, ...forged }, '{}')
      const clear = await send(proxy.plainUrl, 'GET /me', {
        ip: '127.0.2.1',
        headers: {},
        body: '',
      })

      assert.equal(long.status, 200)
      assert.match(url.body, /"uri_too_long"/)
      assert.match(large.body, /"authentication_required"|"payload_too_large"/)
      assert.match(foreign.body, /"cross_site_request"/)
      assert.equal(clear.status, 308)
      await until('the line of the login', () =>
        lines().some((line) => line.includes('"status":403')),
      )
      const line = lines().find((one) => one.includes('"status":403'))
      assert.match(line ?? '', /"ip":"127\.0\.2\.1"/)
    })

    test('are restarted one by one at 200 requests a second: not one fails', async () => {
      const load = await underLoad(async () => {
        for (const replica of fleet.replicas) {
          const { pid, ended, lines: said } = replica.process
          replica.process.signal('SIGTERM')
          await restart(replica)
          assert.notEqual(replica.process.pid, pid)
          assert.equal(await ended, 0)
          assert.match(said.join('\n'), /"stopping in 5 s: [^]*"msg":"stopped"/)
        }
      })

      assert.deepEqual(load.failures, [], proxy.said())
    })

    test('lose no more than the changes in progress when one is killed, and no read', async () => {
      const [replica] = fleet.replicas as [Replica]
      let underWay = 0

      const load = await underLoad(async ({ answered, asking }) => {
        await until('requests', () => answered() > MANY && asking() > 0)
        const killed = replica.process.kill()
        underWay = asking()
        await killed
        await restart(replica)
      })

      assert.ok(load.failures.length <= underWay, JSON.stringify(load.failures))
      for (const { route, outcome } of load.failures) {
        assert.match(route, /^POST /)
        // HAProxy closes the client's connection when one that it had used before breaks.
        assert.match(outcome, name === 'nginx' ? /^502 / : /^502 |socket hang up/)
      }
    })

    test('serve on while none is ready, as after an upgrade that these replicas cannot follow', async () => {
      const load = await underLoad(async ({ answered }) => {
        await query(
          fleet.databaseUrl,
          `insert into coffee_shop_migrations (name, needs) values ('9999-newer', '9998-newer')`,
        )
        const before = answered()
        // Time enough for several checks of each replica.
        await until('answers', () => answered() > before + 10 * MANY)
      })

      assert.deepEqual(load.failures, [], proxy.said())
    })
  })
}
