import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findLastRun, LEASE_MS } from '../server/schedule/jobs.ts'
import {
  type JobRun,
  type RecurringJob,
  runDueJobs,
  runSchedule,
} from '../server/schedule/schedule.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { startReplicas, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

/** Runs what it is given, each minute. */
const job = (
  run: (run: JobRun) => Promise<unknown>,
  more: Partial<RecurringJob> = {},
): RecurringJob => ({
  name: 'test',
  schedule: () => '* * * * *',
  run: async (_, jobRun) => {
    await run(jobRun)
    return { done: 1 }
  },
  ...more,
})
const idle = job(async () => {})
const tick = ({ ctx }: Service, of: RecurringJob) => runDueJobs(ctx, [of])
const nothing = async () => {}
const lastSlotMs = async ({ ctx }: Service) =>
  (await findLastRun(ctx.db, 'test', ctx.now()))?.slotMs

/** A job that stops between its first and second batch until it is let go, as a process that is paused. */
function createPausedJob() {
  const reached = Promise.withResolvers<void>()
  const resume = Promise.withResolvers<void>()
  let first = true
  const paused = job(async (run) => {
    await run.batch(nothing)
    if (first) {
      first = false
      reached.resolve()
      await resume.promise
    }
    await run.batch(nothing)
  })
  return { paused, reached: reached.promise, resume: resume.resolve }
}

describe('a recurring job', () => {
  test('runs once for each of its times, however many ticks and replicas there are', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    let runs = 0
    const counting = job(async () => runs++)

    for (const slot of times(3)) {
      const ran = await Promise.all(times(10).map((n) => tick(n % 2 ? first : second, counting)))
      assert.equal(ran.flat().length, 1, `slot ${slot}`)
      first.advance(MINUTE_MS)
    }

    assert.equal(runs, 3)
    assert.equal((await rowsOf(first.ctx, 'jobs')).length, 1)
  })

  test('catches up the latest time that it missed, and no other', async () => {
    await using service = await startService()
    let runs = 0
    const counting = job(async () => runs++)
    await tick(service, counting)

    service.advance(5 * DAY_MS + SECOND_MS)
    await tick(service, counting)
    await tick(service, counting)

    assert.equal(runs, 2)
    assert.equal(await lastSlotMs(service), service.clock.nowMs - SECOND_MS)
  })

  test('is taken up when its holder’s lease has ended, not before', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { paused, reached } = createPausedJob()
    // It never comes back, as after kill -9.
    void tick(first, paused)
    await reached

    first.advance(LEASE_MS - 1)
    const early = await tick(second, idle)
    first.advance(1)
    const late = await tick(second, idle)

    assert.deepEqual([early, late], [[], ['test']])
    assert.equal(await lastSlotMs(first), first.clock.nowMs - LEASE_MS)
  })

  test('that lost its lease neither ends nor extends that of its successor', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const [sleeper, successor] = [createPausedJob(), createPausedJob()]
    const sleeping = tick(first, sleeper.paused)
    await sleeper.reached
    first.advance(LEASE_MS)
    const taking = tick(second, successor.paused)
    await successor.reached
    const before = await rowsOf(first.ctx, 'jobs')

    sleeper.resume()
    await sleeping
    const after = await rowsOf(first.ctx, 'jobs')
    successor.resume()

    assert.deepEqual(after, before)
    assert.deepEqual(await taking, ['test'])
  })

  test('that lost its lease leaves the newer slot of its successor done', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const sleeper = createPausedJob()
    const sleeping = tick(first, sleeper.paused)
    await sleeper.reached
    first.advance(MINUTE_MS)
    await tick(second, idle)

    sleeper.resume()
    await sleeping

    assert.equal(await lastSlotMs(first), first.clock.nowMs)
  })

  test('that was paused and lost nothing goes on', async () => {
    await using service = await startService()
    const { paused, reached, resume } = createPausedJob()
    const sleeping = tick(service, paused)
    await reached
    service.advance(10 * LEASE_MS)

    resume()

    assert.deepEqual(await sleeping, ['test'])
  })

  test('keeps its slot for as long as its batches go on', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const meanwhile: string[][] = []
    const slow = job(async (run) => {
      for (let n = 0; n < 4; n++) {
        first.advance(LEASE_MS - SECOND_MS)
        await run.batch(nothing)
        meanwhile.push(await tick(second, idle))
      }
    })

    const ran = await tick(first, slow)

    assert.deepEqual(ran, ['test'])
    assert.deepEqual(meanwhile, [[], [], [], []])
  })

  test('that fails is logged and tried again once its lease has ended', async () => {
    await using service = await startService()
    const failing = job(async (run) => {
      await run.batch(nothing)
      throw new Error('a bug')
    })
    await assert.rejects(tick(service, failing), /a bug/)

    const early = await tick(service, idle)
    service.advance(LEASE_MS)
    const late = await tick(service, idle)

    assert.deepEqual([early, late], [[], ['test']])
  })

  for (const [which, schedule] of [
    ['its slot', '0 0 1 1 *'],
    ['another slot of it', '* * * * *'],
  ] as const) {
    test(`is not held up when a clock that ran ahead leased ${which}`, async () => {
      await using service = await startService()
      const more = { schedule: () => schedule }
      const dying = job(async () => {
        throw new Error('the process ended')
      }, more)
      service.advance(DAY_MS)
      await assert.rejects(tick(service, dying))

      service.advance(-DAY_MS)

      assert.deepEqual(await tick(service, { ...idle, ...more }), ['test'])
    })
  }

  test('a batch that fails leaves nothing of itself, and the slot undone', async () => {
    await using service = await startService()
    const half = job(async (run) => {
      await run.batch(nothing)
      await run.batch(async (tx) => {
        await tx.deleteFrom('users').execute()
        throw new Error('half done')
      })
    })
    await service.signUp('ann@example.com')

    await assert.rejects(tick(service, half), /half done/)

    assert.equal((await rowsOf(service.ctx, 'users')).length, 1)
    assert.equal(await lastSlotMs(service), undefined)
  })

  test('drains in batches until one is not full, and says how many rows that were', async () => {
    await using service = await startService()
    const { batchMax } = service.ctx
    const batches = [batchMax, batchMax, 7, 100]
    const draining: RecurringJob = {
      ...idle,
      run: async (_, run) => ({ rows: await run.drain(async () => batches.shift() ?? 0) }),
    }

    await tick(service, draining)

    assert.deepEqual(batches, [100])
    const run = await findLastRun(service.ctx.db, 'test', service.clock.nowMs)
    assert.deepEqual(run?.counts, { rows: 2 * batchMax + 7 })
  })
})

describe('the schedule of a process', () => {
  test('stops after the batch in hand and leaves the slot to another process, at once', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { paused, reached, resume } = createPausedJob()
    const schedule = runSchedule(first.ctx, [paused])
    await reached

    const stopped = schedule.stop()
    resume()
    await stopped
    const undone = await lastSlotMs(first)
    const ran = await tick(second, paused)

    assert.equal(undone, undefined)
    assert.deepEqual(ran, ['test'])
  })

  test('goes on after a job that failed, and says so', async () => {
    await using service = await startService()
    const failed = Promise.withResolvers<void>()
    const failing = job(async () => {
      failed.resolve()
      throw new Error('a bug')
    })

    const schedule = runSchedule(service.ctx, [failing])
    await failed.promise
    await schedule.stop()

    assert.ok(service.logged.some((line) => line.includes('recurring job failed')))
    assert.equal(await lastSlotMs(service), undefined)
  })
})
