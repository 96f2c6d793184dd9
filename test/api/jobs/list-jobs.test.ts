import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../../../server/errors.ts'
import { DAY_MS, toIso } from '../../../server/lib/units.ts'
import { claimSlot, LEASE_MS } from '../../../server/schedule/jobs.ts'
import { runJobNow } from '../../../server/schedule/schedule.ts'
import { runJob } from '../../support/jobs.ts'
import { startReplicas } from '../../support/races.ts'
import { seedUsers } from '../../support/seed.ts'
import { LONG_AFTER_MS, type Service, startService } from '../../support/service.ts'

const JOBS = '/api/v1/jobs'

/** The clean-up, as an admin sees it who has just logged in. */
async function cleanUpOf(service: Service) {
  const { access: token } = await service.addAdmin()
  const { status, body } = await service.get(JOBS, { token })
  assert.equal(status, 200)
  return body.find(({ name }: { name: string }) => name === 'clean-up')
}

describe('GET /jobs', () => {
  test('200 lists every job with its schedule and next time, also before the first run', async () => {
    await using service = await startService({ CLEANUP_SCHEDULE: '15 3 * * *' })
    const { access: token } = await service.addAdmin()

    const { status, body } = await service.get(JOBS, { token })

    assert.equal(status, 200)
    assert.deepEqual(body, [
      {
        name: 'clean-up',
        schedule: '15 3 * * *',
        state: 'idle',
        next_run_at: '2026-01-02T03:15:00.000Z',
      },
      {
        name: 'purge',
        schedule: '30 * * * *',
        state: 'idle',
        next_run_at: '2026-01-01T12:30:00.000Z',
      },
      {
        name: 'tally',
        schedule: '5 * * * *',
        state: 'idle',
        next_run_at: '2026-01-01T12:05:00.000Z',
      },
      {
        name: 'erase',
        schedule: '* * * * * *',
        state: 'idle',
        next_run_at: '2026-01-01T12:00:01.000Z',
      },
    ])
  })

  test('200 shows what the last run did, whichever process ran it', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    await first.signUp('ann@example.com')
    first.advance(LONG_AFTER_MS)
    await runJob(first, 'clean-up')

    const { state, last_run, last_failure } = await cleanUpOf(second)

    assert.deepEqual([state, last_failure], ['idle', undefined])
    const counts = { found: 1, deleted: 1 }
    assert.deepEqual(last_run, { at: '2026-01-04T00:00:00.000Z', outcome: 'done', counts })
  })

  test('200 shows that the clean-up refused, and how many it would have deleted', async () => {
    await using service = await startService()
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })
    service.advance(LONG_AFTER_MS)
    await runJob(service, 'clean-up')

    const { last_run } = await cleanUpOf(service)

    assert.equal(last_run.outcome, 'refused')
    assert.deepEqual(last_run.counts, { expired: 1001, users: 1001 })
  })

  test('200 shows that the purge skipped its work', async () => {
    await using service = await startService()
    await runJob(service, 'purge')
    service.advance(8 * DAY_MS)
    await runJob(service, 'purge')
    const { access: token } = await service.addAdmin()

    const { body } = await service.get(JOBS, { token })

    assert.deepEqual([body[1].last_run.outcome, body[1].last_run.counts], ['skipped', {}])
  })

  test('200 shows that a process runs it, until its lease ends', async () => {
    await using service = await startService()
    const slot = { name: 'clean-up', slotMs: service.clock.nowMs }
    await service.ctx.transaction((tx) => claimSlot(tx, slot, service.clock.nowMs))

    const running = await cleanUpOf(service)
    service.advance(LEASE_MS)
    const later = await cleanUpOf(service)

    assert.deepEqual([running.state, later.state], ['running', 'idle'])
  })

  for (const [what, error, code] of [
    ['of the service', new AppError('database_unavailable'), 'database_unavailable'],
    ['of its code', new Error('ann@example.com is in the way'), 'internal_error'],
  ] as const) {
    test(`200 shows a failure ${what} by its code, until a run succeeds`, async () => {
      await using service = await startService()
      const run = () => Promise.reject(error)
      await assert.rejects(runJobNow(service.ctx, { name: 'clean-up', run }), error)

      const failed = await cleanUpOf(service)
      service.advance(LEASE_MS)
      await runJob(service, 'clean-up')
      const mended = await cleanUpOf(service)

      const at = toIso(service.clock.nowMs - LEASE_MS)
      assert.deepEqual([failed.last_run, failed.last_failure], [undefined, { at, code }])
      assert.deepEqual([mended.last_run.outcome, mended.last_failure], ['done', undefined])
    })
  }
})
