import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { LEASE_MS } from '../../server/jobs/job-runs.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { rowsOf, seedUsers, startOn } from '../support/seed.ts'
import { PASSWORD, type Service } from '../support/service.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'

const DATABASES = ['sqlite', 'postgres'] as const
const MANY = 100_000
const PATIENCE_MS = 2 * MINUTE_MS

/** So many who are to be deleted, and one more who stay. */
async function seedBoth(service: Service, count: number): Promise<void> {
  const createdAtMs = Date.now() - 3 * DAY_MS
  await seedUsers(service.ctx, count, { createdAtMs })
  await seedUsers(service.ctx, count + 1, { createdAtMs, verified: true })
}

const start = (service: Service, settings: Record<string, string> = {}) =>
  startServer({ DATABASE_URL: service.databaseUrl, ...settings })

async function leftOf({ ctx }: Service): Promise<number> {
  const { count } = await ctx.db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('verified_at', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}

async function until(why: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, why)
    await delay(20)
  }
}

const runsIn = (server: ServerProcess): any[] =>
  server.lines
    .filter((line) => line.includes('"recurring job done"'))
    .map((line) => JSON.parse(line))
    .filter((line) => line.job === 'clean-up')

/** What the clean-ups said that they deleted, in the table and in the audit trail. */
async function toldOf({ ctx }: Service) {
  const runs = (await rowsOf(ctx, 'job_runs')).filter((run) => run.name === 'clean-up')
  const events = await rowsOf(ctx, 'audit_events')
  const sum = (texts: string[]) =>
    texts.reduce((total, text) => total + (JSON.parse(text).deleted ?? 0), 0)
  return {
    finished: runs.filter((run) => run.finished_at !== null).length,
    open: runs.filter((run) => run.finished_at === null).length,
    deleted: sum(runs.map((run) => run.counts)),
    events: events.length,
    audited: sum(events.map((event) => event.changes)),
  }
}

describe('several processes with the schedule', () => {
  for (const database of DATABASES) {
    test(`on ${database}: two of them make one effective run of each slot`, async (t) => {
      await using service = await startOn(database)
      await seedBoth(service, 3000)
      const everySecond = { CLEANUP_SCHEDULE: '* * * * * *' }
      await using first = await start(service, everySecond)
      await using second = await start(service, everySecond)

      await until('hardly a run', () => runsIn(first).length + runsIn(second).length > 12)
      await Promise.all([first.kill(), second.kill()])

      const slots = [...runsIn(first), ...runsIn(second)].map((run) => run.slot)
      t.diagnostic(`${runsIn(first).length} runs by one, ${runsIn(second).length} by the other`)
      assert.equal(new Set(slots).size, slots.length)
      const told = await toldOf(service)
      assert.equal(told.events, told.finished)
      assert.deepEqual([told.deleted, told.audited], [3000, 3000])
    })

    test(`on ${database}: what one left when it was killed in mid-run another does, and counts on`, async (t) => {
      await using service = await startOn(database)
      await seedBoth(service, 20_000)
      const first = await start(service)
      await until('nothing deleted', async () => (await leftOf(service)) < 20_000)
      await first.kill()
      const left = await leftOf(service)

      await using second = await start(service)
      await until('not taken up', () => runsIn(second).length > 0)

      t.diagnostic(`killed with ${left} of 20000 left`)
      assert.ok(left > 0, 'it was done before it was killed')
      assert.deepEqual(await toldOf(service), {
        finished: 1,
        open: 0,
        deleted: 20_000,
        events: 1,
        audited: 20_000,
      })
      assert.equal((await rowsOf(service.ctx, 'users')).length, 20_001)
    })
  }

  for (const database of DATABASES) {
    test(`on ${database}: what one left when it was asked to stop another does at once`, async () => {
      await using service = await startOn(database)
      await seedBoth(service, 20_000)
      await using first = await start(service)
      await until('nothing deleted', async () => (await leftOf(service)) < 20_000)
      process.kill(first.pid, 'SIGTERM')
      await until('still runs', () => first.lines.some((line) => line.includes('"stopped"')))
      const left = await leftOf(service)

      const startedAt = performance.now()
      await using second = await start(service)
      await until('not taken up', async () => (await leftOf(service)) < left)
      const waitedMs = performance.now() - startedAt
      await until('not finished', () => runsIn(second).length > 0)

      // Without waiting for the lease to end.
      assert.ok(waitedMs < LEASE_MS / 2, `${waitedMs} ms`)
      const told = await toldOf(service)
      assert.deepEqual([told.deleted, told.events, told.finished], [20_000, 1, 1])
    })
  }

  // A stopped process may hold SQLite's only write lock, and then nobody can do anything.
  test('on postgres: one that is stopped and wakes after its lease writes nothing more', async (t) => {
    await using service = await startOn('postgres')
    await seedBoth(service, 20_000)
    await using first = await start(service)
    await until('nothing deleted', async () => (await leftOf(service)) < 20_000)
    process.kill(first.pid, 'SIGSTOP')
    const left = await leftOf(service)

    await using second = await start(service)
    await until('not taken up', () => runsIn(second).length > 0)
    const before = await toldOf(service)
    process.kill(first.pid, 'SIGCONT')
    const lost = /lost the lease|recurring job failed/
    await until('never noticed', () => first.lines.some((line) => lost.test(line)))
    await delay(3 * SECOND_MS)

    t.diagnostic(`stopped with ${left} of 20000 left`)
    assert.deepEqual(await toldOf(service), before)
    assert.equal(before.audited, 20_000)
    assert.equal(runsIn(first).length, 0)
  })
})

describe(`${MANY} accounts are deleted while /me goes on answering`, () => {
  for (const database of DATABASES) {
    test(`on ${database}`, async (t: TestContext) => {
      await using service = await startOn(database)
      await seedBoth(service, MANY)
      const ann = await service.addUser('ann@example.com', PASSWORD)
      // It is the issuer of the token, whatever port the process is given.
      await using server = await start(service, { PUBLIC_URL: service.ctx.config.publicUrl })
      const latencies: number[] = []

      while (runsIn(server).length === 0) {
        const startedAt = performance.now()
        const answer = await fetch(`${server.url}/api/v1/me`, {
          headers: { authorization: `Bearer ${ann.access}` },
        })
        await answer.text()
        latencies.push(performance.now() - startedAt)
        assert.equal(answer.status, 200)
        await delay(2)
      }

      const sorted = latencies.toSorted((a, b) => a - b)
      const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)
      const [run] = runsIn(server)
      t.diagnostic(
        `${run.deleted} deleted in ${run.duration_ms} ms; ${sorted.length} answers: median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`,
      )
      assert.equal(run.deleted, MANY)
      assert.equal(await leftOf(service), 0)
      assert.ok(sorted.length > 100, 'hardly asked')
      assert.ok(at(0.99) < 250, `p99 ${at(0.99)} ms`)
    })
  }
})
