import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimSlot, findLastRun, finishSlot } from '../server/schedule/jobs.ts'
import { type RecurringJob, runDueJobs, runJobNow } from '../server/schedule/schedule.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { startReplicas, times } from './support/races.ts'
import { type Service, startService } from './support/service.ts'

// One run of a job at a time, whichever slots are asked for.

const YEARLY = '0 0 1 1 *'
const job = (run: () => Promise<unknown>, schedule = '* * * * *'): RecurringJob => ({
  name: 'test',
  schedule: () => schedule,
  run: async () => {
    await run()
    return { done: 1 }
  },
})
const claim = ({ ctx }: Service, slotMs: number) =>
  ctx.transaction((tx) => claimSlot(tx, { name: 'test', slotMs }, ctx.now()))

describe('of slots claimed at once', () => {
  for (const [why, abandoned] of [
    ['by processes that never ran the job', false],
    ['after a process died with one', true],
  ] as const) {
    test(`one is held, ${why}`, async () => {
      await using replicas = await startReplicas()
      const [first, second] = replicas.pair
      for (let round = 0; round < 5; round++) {
        const slots = times(6).map((n) => first.clock.nowMs + n)
        if (abandoned) assert.ok(await claim(first, first.clock.nowMs))
        first.advance(MINUTE_MS)

        const claims = await Promise.all(
          slots.flatMap((slotMs) => [claim(first, slotMs), claim(second, slotMs)]),
        )

        const [held, ...others] = claims.filter((one) => one !== undefined)
        assert.ok(held)
        assert.deepEqual(others, [])
        await first.ctx.transaction((tx) => finishSlot(tx, held, {}))
      }
    })
  }

  test('the run of a command and that of the schedule never run beside each other', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    let [running, most, done] = [0, 0, 0]
    const counting: RecurringJob = {
      ...job(async () => {}),
      async run(_, run) {
        most = Math.max(most, ++running)
        await run.batch(async () => {})
        done++
        running--
        return {}
      },
    }

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
    const counting = job(async () => runs++, YEARLY)
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

    assert.equal(await findLastRun(service.ctx.db, 'test', service.clock.nowMs), undefined)
    assert.deepEqual(await runDueJobs(service.ctx, [counting]), ['test'])
    assert.deepEqual(await runDueJobs(service.ctx, [counting]), [])
  })

  test('is done for a replica whose clock is five seconds behind', async () => {
    await using service = await startService()
    const counting = job(async () => {})
    service.advance(MINUTE_MS)
    await runDueJobs(service.ctx, [counting])

    service.advance(-5 * SECOND_MS)

    assert.deepEqual(await runDueJobs(service.ctx, [counting]), [])
  })

  test('of long ago is not run again, though a command was killed after it', async () => {
    await using service = await startService()
    const yearly = job(async () => {}, YEARLY)
    await runDueJobs(service.ctx, [yearly])
    service.advance(60 * DAY_MS)
    await claim(service, service.clock.nowMs)
    service.advance(HOUR_MS)

    assert.deepEqual(await runDueJobs(service.ctx, [yearly]), [])
  })
})
