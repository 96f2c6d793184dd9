import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { DAY_MS, toIso } from '../../server/lib/units.ts'
import { rowsOf, seedUsers, startOn } from '../support/seed.ts'
import { PASSWORD, type Service } from '../support/service.ts'
import { runCommand, type ServerProcess, startServer } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const DATABASES = ['sqlite', 'postgres'] as const
/** More batches than any of these processes makes before it is hindered. */
const BATCHES = 8
const KILL = pathToFileURL(resolve(import.meta.dirname, '../support/kill-at-statement.ts')).href

/** In the middle of the third batch, and between the second and the third, which then holds no lock. */
const IN_A_BATCH = { KILL_AT: '3', KILL_SQL: '^delete from "users"' }
const BEFORE_A_BATCH = { KILL_AT: '3', KILL_SQL: '^update "jobs" set "lease_until".*clean-up' }

/** So many who are to be deleted, and one more who stay. */
async function seedBoth(service: Service, count: number): Promise<void> {
  const createdAtMs = Date.now() - 3 * DAY_MS
  await seedUsers(service.ctx, count, { createdAtMs })
  await seedUsers(service.ctx, count + 1, { createdAtMs, verified: true })
}

const start = (service: Service, settings: Record<string, string> = {}) =>
  startServer({ DATABASE_URL: service.databaseUrl, ...settings })

/** For a process that sends itself a signal in the middle of its clean-up. */
const hindered = (signal: NodeJS.Signals, moment: Record<string, string>) => ({
  NODE_OPTIONS: `--import=${KILL}`,
  KILL_SIGNAL: signal,
  ...moment,
})
/** Runs one to its end; returns the exit code. */
async function runUntil(signal: NodeJS.Signals, service: Service): Promise<number | null> {
  const settings = { DATABASE_URL: service.databaseUrl, PORT: '0' }
  return (await runCommand([], { ...settings, ...hindered(signal, IN_A_BATCH) })).exitCode
}

async function leftOf({ ctx }: Service): Promise<number> {
  const { count } = await ctx.db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('verified_at', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}

/**
 * As if the lease of half a minute had run out: nobody waits that long in a test. A process that was
 * stopped in the middle of a claim keeps the rows until PostgreSQL ends its transaction.
 */
async function expireLeases({ ctx }: Service): Promise<void> {
  await ctx.transaction((tx) =>
    tx
      .updateTable('jobs')
      .set({ lease_until: toIso(Date.now() - DAY_MS) })
      .where('holder', 'is not', null)
      .execute(),
  )
}

const runsIn = (server: ServerProcess): any[] =>
  server.lines
    .filter((line) => line.includes('"recurring job done"'))
    .map((line) => JSON.parse(line))
    .filter((line) => line.job === 'clean-up')

/** How many users the clean-ups deleted, by the audit trail. */
async function auditedOf({ ctx }: Service): Promise<number> {
  const rows = await rowsOf(ctx, 'audit_events')
  return rows
    .filter(({ event }) => event === 'users.cleaned_up')
    .reduce((sum, { changes }) => sum + JSON.parse(changes).deleted, 0)
}
const jobOf = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'jobs')).find(({ name }) => name === 'clean-up')

for (const database of DATABASES) {
  describe(`several processes with the schedule on ${database}`, () => {
    test('two of them make one effective run of each slot', async (t) => {
      await using service = await startOn(database)
      await seedBoth(service, 3000)
      const everySecond = { CLEANUP_SCHEDULE: '* * * * * *' }
      await using first = await start(service, everySecond)
      await using second = await start(service, everySecond)

      await until('a dozen runs', () => runsIn(first).length + runsIn(second).length > 12)
      await Promise.all([first.end(), second.end()])

      const slots = [...runsIn(first), ...runsIn(second)].map((run) => run.slot)
      t.diagnostic(`${runsIn(first).length} runs by one, ${runsIn(second).length} by the other`)
      assert.equal(new Set(slots).size, slots.length)
      assert.equal(await auditedOf(service), 3000)
    })

    test('what one that was killed in mid-run has not done, another does', async () => {
      await using service = await startOn(database)
      const count = BATCHES * service.ctx.batchMax
      await seedBoth(service, count)
      await runUntil('SIGKILL', service)
      const left = await leftOf(service)
      await expireLeases(service)

      await using second = await start(service)
      await until('the rest', () => runsIn(second).length > 0)

      assert.equal(left, count - 2 * service.ctx.batchMax)
      assert.equal(await auditedOf(service), count)
      assert.equal((await rowsOf(service.ctx, 'users')).length, count + 1)
    })

    test('what one that was asked to stop has not done, another does, without waiting for its lease', async () => {
      await using service = await startOn(database)
      const count = BATCHES * service.ctx.batchMax
      await seedBoth(service, count)
      const exitCode = await runUntil('SIGTERM', service)
      const left = await leftOf(service)
      const job = await jobOf(service)

      await using second = await start(service)
      await until('the rest', () => runsIn(second).length > 0)

      assert.equal(exitCode, 0)
      assert.ok(left > 0 && left < count, `${left} of ${count} were left`)
      assert.deepEqual([job.holder, job.lease_until, job.last_slot], [null, null, null])
      assert.equal(await auditedOf(service), count)
    })

    test('/me is answered all the while', async (t) => {
      await using service = await startOn(database)
      const count = BATCHES * service.ctx.batchMax
      await seedBoth(service, count)
      const ann = await service.addUser('ann@example.com', PASSWORD)
      // It is the issuer of the token, whatever port the process is given.
      await using server = await start(service, { PUBLIC_URL: service.ctx.config.publicUrl })
      const statuses: number[] = []

      do {
        const answer = await fetch(`${server.url}/api/v1/me`, {
          headers: { authorization: `Bearer ${ann.access}` },
        })
        await answer.text()
        statuses.push(answer.status)
      } while (runsIn(server).length === 0)

      t.diagnostic(`${statuses.length} answers while ${count} accounts were deleted`)
      assert.deepEqual([...new Set(statuses)], [200])
      assert.equal(await leftOf(service), 0)
    })
  })
}

// A stopped process may hold SQLite's only write lock, and then nobody can do anything.
test('on postgres: one that is stopped and wakes after its lease deletes nobody twice and goes on', async () => {
  await using service = await startOn('postgres')
  const count = BATCHES * service.ctx.batchMax
  await seedBoth(service, count)
  await using first = await start(service, hindered('SIGSTOP', BEFORE_A_BATCH))
  await until('the stop', () => first.isStopped())
  const left = await leftOf(service)
  await expireLeases(service)

  const second = await start(service)
  await until('the rest', () => runsIn(second).length > 0)
  await second.kill()
  first.signal('SIGCONT')
  // What is idle in a transaction for ten seconds, PostgreSQL ends.
  const ended = /"recurring job (done|failed).*clean-up|clean-up.*"recurring job (done|failed)/
  await until('the end of its run', () => first.lines.some((line) => ended.test(line)))
  // It goes on with everything else, and takes up what nobody woke it for after two seconds.
  service.clock.nowMs = Date.now()
  await service.signUp('bob@example.com')
  await until('a later mail', () => first.lines.some((line) => /code for bob@/.test(line)))

  assert.equal(left, count - 2 * service.ctx.batchMax)
  assert.equal((await rowsOf(service.ctx, 'users')).length, count + 2)
  assert.equal(await auditedOf(service), count)
  const slot = runsIn(second)[0]?.slot
  assert.equal((await jobOf(service)).last_slot, slot)
})
