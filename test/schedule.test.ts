import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LEASE_MS } from '../server/schedule/job-runs.ts'
import {
  type JobRun,
  type RecurringJob,
  runDueJobs,
  runSchedule,
} from '../server/schedule/schedule.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { startReplicas, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

/** Runs what it is given, each minute. */
const job = (run: RecurringJob['run'], more: Partial<RecurringJob> = {}): RecurringJob => ({
  name: 'test',
  schedule: () => '* * * * *',
  run,
  ...more,
})
const tick = ({ ctx }: Service, of: RecurringJob) => runDueJobs(ctx, [of])
const one = async () => ({ done: 1 })
const runsOf = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'job_runs')).map((run) => ({
    slot: run.slot,
    finished: run.finished_at !== null,
    counts: JSON.parse(run.counts),
  }))

/** A job that stops between its first and second batch until it is let go, as a process that is paused. */
function createPausedJob() {
  const reached = Promise.withResolvers<void>()
  const resume = Promise.withResolvers<void>()
  let first = true
  const paused = job(async (_, run) => {
    await run.batch(one)
    if (first) {
      first = false
      reached.resolve()
      await resume.promise
    }
    await run.batch(one)
  })
  return { paused, reached: reached.promise, resume: resume.resolve }
}

describe('a recurring job', () => {
  test('runs once for each of its times, however many ticks and replicas there are', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    let runs = 0
    const counting = job(async () => void runs++)

    for (const slot of times(3)) {
      const ran = await Promise.all(times(10).map((n) => tick(n % 2 ? first : second, counting)))
      assert.equal(ran.flat().length, 1, `slot ${slot}`)
      first.advance(MINUTE_MS)
    }

    assert.equal(runs, 3)
    assert.equal((await runsOf(first)).length, 3)
  })

  test('catches up the latest time that it missed, and no other', async () => {
    await using service = await startService()
    let runs = 0
    const counting = job(async () => void runs++)
    await tick(service, counting)

    service.advance(5 * DAY_MS + SECOND_MS)
    await tick(service, counting)
    await tick(service, counting)

    assert.equal(runs, 2)
    const slots = (await runsOf(service)).map((run) => Date.parse(run.slot))
    assert.equal(Math.max(...slots), service.clock.nowMs - SECOND_MS)
  })

  test('is taken up when its holder’s lease has ended, not before, and counts on', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { paused, reached } = createPausedJob()
    // It never comes back, as after kill -9.
    void tick(first, paused)
    await reached

    first.advance(LEASE_MS - 1)
    const early = await tick(second, paused)
    first.advance(1)
    const late = await tick(second, paused)

    assert.deepEqual([early, late], [[], ['test']])
    assert.deepEqual(
      (await runsOf(first)).map(({ finished, counts }) => [finished, counts]),
      [[true, { done: 3 }]],
    )
  })

  test('writes nothing more once its lease was lost', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { paused, reached, resume } = createPausedJob()
    const sleeping = tick(first, paused)
    await reached
    first.advance(LEASE_MS)
    await tick(second, paused)
    const before = await rowsOf(first.ctx, 'job_runs')

    resume()
    const ran = await sleeping

    assert.deepEqual(ran, [])
    assert.deepEqual(await rowsOf(first.ctx, 'job_runs'), before)
    assert.ok(first.logged.some((line) => line.includes('lost the lease')))
  })

  test('writes nothing into the run of who has taken over', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const [sleeper, successor] = [createPausedJob(), createPausedJob()]
    const sleeping = tick(first, sleeper.paused)
    await sleeper.reached
    first.advance(LEASE_MS)
    const taking = tick(second, successor.paused)
    await successor.reached
    const before = await rowsOf(first.ctx, 'job_runs')

    sleeper.resume()
    const ran = await sleeping
    const after = await rowsOf(first.ctx, 'job_runs')
    successor.resume()

    assert.deepEqual(ran, [])
    assert.deepEqual(after, before)
    assert.deepEqual(await taking, ['test'])
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
    const slow = job(async (_, run) => {
      for (let n = 0; n < 4; n++) {
        first.advance(LEASE_MS - SECOND_MS)
        await run.batch(one)
        meanwhile.push(
          await tick(
            second,
            job(async () => {}),
          ),
        )
      }
    })

    const ran = await tick(first, slow)

    assert.deepEqual(ran, ['test'])
    assert.deepEqual(meanwhile, [[], [], [], []])
  })

  test('that fails is logged and tried again once its lease has ended', async () => {
    await using service = await startService()
    const failing = job(async (_, run) => {
      await run.batch(one)
      throw new Error('a bug')
    })
    await assert.rejects(tick(service, failing), /a bug/)

    const early = await tick(
      service,
      job(async () => {}),
    )
    service.advance(LEASE_MS)
    const late = await tick(
      service,
      job(async () => {}),
    )

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
      const next = job(async () => {}, more)

      assert.deepEqual(await tick(service, next), ['test'])
    })
  }

  test('is finished and recorded in one transaction', async () => {
    await using service = await startService()
    const unrecorded = job(async (_, run: JobRun) => void (await run.batch(one)), {
      record: async () => {
        throw new Error('no record')
      },
    })

    await assert.rejects(tick(service, unrecorded), /no record/)

    assert.deepEqual(
      (await runsOf(service)).map((run) => run.finished),
      [false],
    )
  })

  test('a batch that fails leaves neither its rows nor its counts', async () => {
    await using service = await startService()
    const half = job(async (_, run) => {
      await run.batch(one)
      await run.batch(async (tx) => {
        await tx.deleteFrom('users').execute()
        throw new Error('half done')
      })
    })
    await service.signUp('ann@example.com')

    await assert.rejects(tick(service, half), /half done/)

    assert.equal((await rowsOf(service.ctx, 'users')).length, 1)
    assert.deepEqual(
      (await runsOf(service)).map((run) => run.counts),
      [{ done: 1 }],
    )
  })

  test('drains in batches until one is not full', async () => {
    await using service = await startService()
    const { batchMax } = service.ctx
    const left = [batchMax, batchMax, 7, 100]
    const draining = job((_, run) => run.drain('rows', async () => left.shift() ?? 0))

    await tick(service, draining)

    assert.deepEqual(left, [100])
    assert.deepEqual(
      (await runsOf(service)).map((run) => run.counts),
      [{ rows: 2 * batchMax + 7 }],
    )
  })
})

describe('the schedule of a process', () => {
  test('stops after the batch in hand and leaves the rest to another process, at once', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const { paused, reached, resume } = createPausedJob()
    const schedule = runSchedule(first.ctx, [paused])
    await reached

    const stopped = schedule.stop()
    resume()
    await stopped
    const [held] = await runsOf(first)
    const ran = await tick(second, paused)

    assert.deepEqual([held?.finished, held?.counts], [false, { done: 1 }])
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
    const [run] = await rowsOf(service.ctx, 'job_runs')
    assert.equal(run.slot, toIso(service.clock.nowMs))
  })
})
