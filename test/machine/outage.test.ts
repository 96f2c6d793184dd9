import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { SECOND_MS } from '../../server/lib/units.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import {
  isFine,
  type Seen,
  type Started,
  startWithAdmin,
  stopBackends,
  underLoad,
} from '../support/outage.ts'

const ANSWER_MAX_MS = 3 * SECOND_MS
const HEAL_MAX_MS = 5 * SECOND_MS

describe('answers within 3 s, and service again within 5 s, of a PostgreSQL that', () => {
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster({ durable: true })
  })
  after(() => cluster.stop())

  /** Runs the load around an outage, and says how long the slowest answer and the recovery took. */
  async function time(
    t: TestContext,
    started: Started,
    outage: { begin(): unknown; end(): unknown; ms: number; heals?: RegExp },
  ): Promise<void> {
    const seen: Seen[] = []
    let endedAt = 0
    await underLoad(started, seen, async () => {
      await delay(SECOND_MS)
      await outage.begin()
      await delay(outage.ms)
      await outage.end()
      endedAt = performance.now()
      await delay(2 * HEAL_MAX_MS)
    })
    const { heals = /./ } = outage
    const slowestMs = Math.max(...seen.map(({ askedAt, answeredAt }) => answeredAt - askedAt))
    const lastRefusal = seen.findLast((answer) => !isFine(answer) && heals.test(answer.route))
    const healedMs = (lastRefusal?.answeredAt ?? endedAt) - endedAt

    t.diagnostic(
      `slowest answer ${Math.round(slowestMs)} ms, healed after ${Math.round(healedMs)} ms`,
    )
    assert.ok(seen.some((answer) => !isFine(answer)))
    assert.ok(slowestMs <= ANSWER_MAX_MS, `answered after ${slowestMs} ms`)
    assert.ok(healedMs <= HEAL_MAX_MS, `healed after ${healedMs} ms`)
  }

  test('crashes', async (t) => {
    await using started = await startWithAdmin(cluster.url)
    const outage = { begin: () => cluster.crash(), end: () => cluster.restart() }
    await time(t, started, { ...outage, ms: 5 * SECOND_MS })
  })

  test('is in a black hole', async (t) => {
    await using started = await startWithAdmin(cluster.url)
    const outage = { begin: () => started.proxy.swallow(), end: () => started.proxy.heal() }
    await time(t, started, { ...outage, ms: 8 * SECOND_MS })
  })

  test('stops all its backends', async (t) => {
    await using started = await startWithAdmin(cluster.url)
    let stopped = { goOn: () => {} }
    const begin = async () => {
      stopped = await stopBackends(started.url)
    }
    try {
      // A stopped backend may hold a row's lock: what needs that row goes on being refused.
      const heals = /^(?!PATCH|.*login)/
      await time(t, started, { begin, end: () => {}, ms: 100, heals })
    } finally {
      stopped.goOn()
    }
  })
})
