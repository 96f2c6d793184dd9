import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimSlot, deleteRunsBefore, finishRun } from '../server/schedule/job-runs.ts'
import { type RecurringJob, runDueJobs, runJobNow } from '../server/schedule/schedule.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { startReplicas, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

// One run of a job at a time, whichever slots are asked for.

const YEARLY = '0 0 1 1 *'
const job = (run: RecurringJob['run'], schedule = '* * * * *'): RecurringJob => ({
  name: 'test',
  schedule: () => schedule,
  run,
})
const claim = ({ ctx }: Service, slotMs: number) =>
  ctx.transaction((tx) => claimSlot(tx, { name: 'test', slot: toIso(slotMs), nowMs: ctx.now() }))
const purgeRuns = ({ ctx }: Service) =>
  ctx.transaction((tx) => deleteRunsBefore(tx, toIso(ctx.now() - 30 * DAY_MS), 1000))

describe('of slots claimed at once', () => {
  for (const [why, abandoned] of [
    ['that nobody had', 0],
    ['of which two were left by processes that died', 2],
  ] as const) {
    test(`one is held, of those ${why}`, async () => {
      await using replicas = await startReplicas()
      const [first, second] = replicas.pair
      for (let round = 0; round < 5; round++) {
        const slots = times(6).map((n) => first.clock.nowMs + n)
        for (const slot of slots.slice(0, abandoned)) {
          assert.ok(await claim(first, slot))
          first.advance(MINUTE_MS)
        }

        const claims = await Promise.all(
          slots.flatMap((slot) => [claim(first, slot), claim(second, slot)]),
        )

        const [held, ...others] = claims.filter((one) => one !== undefined)
        assert.ok(held)
        assert.deepEqual(others, [])
        await first.ctx.transaction((tx) => finishRun(tx, held, first.clock.nowMs))
        first.advance(MINUTE_MS)
      }
    })
  }

  test('the run of a command and that of the schedule never run beside each other', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    let [running, most, done] = [0, 0, 0]
    const counting = job(async (_, run) => {
      most = Math.max(most, ++running)
      await run.batch(async () => ({ done: 1 }))
      done++
      running--
    })

    for (let round = 0; round < 10; round++) {
      first.advance(MINUTE_MS + 1)
      await Promise.all([
        runDueJobs(first.ctx, [counting]),
        runJobNow(second.ctx, counting),
        runJobNow(first.ctx, counting),
      ])
    }

    assert.ok(done >= 10)
    assert.equal(most, 1)
  })
})

describe('a slot', () => {
  test('that was missed is done once the job ran later, by command', async () => {
    await using service = await startService()
    let runs = 0
    const counting = job(async () => void runs++, YEARLY)
    await runJobNow(service.ctx, counting)

    const ran = await runDueJobs(service.ctx, [counting])

    assert.deepEqual([ran, runs], [[], 1])
  })

  test('is not done by what ran by a clock that was ahead', async () => {
    await using service = await startService()
    const counting = job(async () => {})
    service.advance(DAY_MS)
    await runJobNow(service.ctx, counting)

    service.advance(-DAY_MS)

    assert.deepEqual(await runDueJobs(service.ctx, [counting]), ['test'])
  })

  test('rarer than runs are kept is not run again after a restart, whatever came after it', async () => {
    await using service = await startService()
    const yearly = job(async () => {}, YEARLY)
    await runDueJobs(service.ctx, [yearly])
    service.advance(SECOND_MS)
    // As a command that was killed.
    await claim(service, service.clock.nowMs)
    service.advance(MINUTE_MS)
    await claim(service, service.clock.nowMs)
    service.advance(60 * DAY_MS)

    await purgeRuns(service)

    assert.deepEqual(await runDueJobs(service.ctx, [yearly]), [])
  })

  test('of long ago that is caught up just now keeps its row', async () => {
    await using service = await startService()
    await runDueJobs(service.ctx, [job(async () => {})])
    const purging = job(async () => void (await purgeRuns(service)), YEARLY)
    service.advance(60 * DAY_MS)

    const ran = await runDueJobs(service.ctx, [{ ...purging, name: 'other' }])

    assert.deepEqual(ran, ['other'])
    const runs = await rowsOf(service.ctx, 'job_runs')
    assert.ok(runs.every((run) => run.finished_at !== null && run.holder === null))
  })
})
