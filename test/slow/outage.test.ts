import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Cluster, startCluster } from '../support/cluster.ts'
import {
  assertFineOr503,
  assertKept,
  HEALED_AFTER,
  isFine,
  newest,
  ROUTES,
  type Seen,
  send,
  type Started,
  startWithAdmin,
  stopBackends,
  underLoad,
} from '../support/outage.ts'
import { LONG } from '../support/long.ts'
import { until } from '../support/until.ts'

interface Outage {
  begin(): unknown
  end(): unknown
  /** When it has lasted long enough; by default when every route was refused. */
  readonly met?: (since: number) => boolean
  /** Begins while nothing is asked; by default, under load. */
  readonly beginsAtRest?: boolean
}

/** Runs the load around an outage: until it was met, and again until everything is served without fail. */
async function around(
  started: Started,
  outageOf: (seen: readonly Seen[]) => Outage,
): Promise<{ seen: readonly Seen[]; during: readonly Seen[] }> {
  const seen: Seen[] = []
  const refused = (since: number) =>
    ROUTES.every((route) => newest(seen, route, since).some((answer) => !isFine(answer)))
  const { begin, end, met = refused, beginsAtRest = false } = outageOf(seen)
  let [from, to] = [0, 0]
  await underLoad(started, seen, async (atRest) => {
    const servedSince = (since: number, count: number) =>
      ROUTES.every((route) => {
        const answers = newest(seen, route, since)
        return answers.length >= count && answers.every(isFine)
      })
    const told = (what: string) => () => {
      const statuses = ROUTES.map((route) => newest(seen, route, 0).map(({ status }) => status))
      return `${what}, of ${ROUTES.join()}: ${JSON.stringify(statuses)}`
    }
    await until(told('service before the outage'), () => servedSince(0, 1))
    await (beginsAtRest ? atRest(begin) : begin())
    from = performance.now()
    await until(told('the outage'), () => met(from))
    to = performance.now()
    await end()
    const endedAt = performance.now()
    await until(told('recovery'), () => servedSince(endedAt, HEALED_AFTER))
  })
  const during = seen.filter(({ askedAt, answeredAt }) => askedAt >= from && answeredAt <= to)
  return { seen, during }
}

describe('a PostgreSQL that', () => {
  // Of its own: a backend that is stopped holds up whoever makes or drops a database.
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster({ durable: true })
  })
  after(() => cluster.stop())

  test('crashes under load: 503, back without a restart, nothing lost', async () => {
    await using started = await startWithAdmin(cluster.url)

    const { seen, during } = await around(started, () => ({
      begin: () => cluster.crash(),
      end: () => cluster.restart(),
    }))

    assertFineOr503(seen)
    assert.deepEqual(during.filter(isFine), [], 'answered without a database')
    await assertKept(started.url, seen)
    assert.equal((await send(started.server, 'GET /health')).status, 200)
  })

  test('is in a black hole: 503, back without a restart, nothing lost', async () => {
    await using started = await startWithAdmin(cluster.url)

    const { seen, during } = await around(started, () => ({
      begin: () => started.proxy.swallow(),
      end: () => started.proxy.heal(),
    }))

    assertFineOr503(seen)
    assert.deepEqual(during.filter(isFine), [], 'answered without a database')
    await assertKept(started.url, seen)
  })

  test('stops all its backends: 503, then served by new connections', async () => {
    await using started = await startWithAdmin(cluster.url)
    let stopped = { count: 0, goOn: () => {} }
    try {
      const { seen } = await around(started, (sofar) => ({
        begin: async () => {
          stopped = await stopBackends(started.url)
        },
        end: () => {},
        met: (since) =>
          sofar.some(({ status, answeredAt }) => status === 503 && answeredAt >= since),
        // In the middle of a statement it may hold a lock that every other backend needs.
        beginsAtRest: true,
      }))

      assert.ok(stopped.count > 0)
      assertFineOr503(seen)
      assert.equal((await send(started.server, 'GET /health')).status, 200)
    } finally {
      stopped.goOn()
    }
  })

  for (const bytes of LONG ? [1, 100, 400, 1000, 2000, 5000] : [1, 400, 5000]) {
    test(`is cut off after ${bytes} bytes of each connection: 2xx or 503, and what was 2xx is there`, async () => {
      await using started = await startWithAdmin(cluster.url)

      const { seen } = await around(started, () => ({
        begin: () => started.proxy.cutAnswersAfter(bytes),
        end: () => started.proxy.heal(),
        met: () => started.proxy.cuts() >= 30,
      }))

      assertFineOr503(seen)
      await assertKept(started.url, seen)
    })
  }
})
