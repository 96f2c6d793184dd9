import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS } from '../../../server/lib/units.ts'
import { runJob } from '../../support/jobs.ts'
import { rowsOf, seedUsers } from '../../support/seed.ts'
import { type Service, startService } from '../../support/service.ts'

async function preview(service: Service) {
  const { access: token } = await service.addAdmin()
  const { status, body } = await service.post('/api/v1/jobs/clean-up/dry-run', undefined, { token })
  assert.equal(status, 200)
  return body
}

describe('POST /jobs/clean-up/dry-run', () => {
  test('200 counts who has expired, and deletes nobody', async () => {
    await using service = await startService()
    await service.signUp('ann@example.com')
    await service.signUp('bob@example.com')
    service.advance(HOUR_MS)
    await service.signUp('cy@example.com')
    service.advance(47 * HOUR_MS)

    const answer = await preview(service)

    assert.deepEqual(answer, { expired: { count: 2, accuracy: 'exact' }, verdict: 'delete' })
    assert.equal((await rowsOf(service.ctx, 'users')).length, 4)
    assert.deepEqual(await rowsOf(service.ctx, 'jobs'), [])
  })

  test('200 ends the count at 10 000', async () => {
    await using service = await startService()
    await runJob(service, 'clean-up')
    await seedUsers(service.ctx, 10_001, { createdAtMs: service.clock.nowMs - 2 * DAY_MS })

    const answer = await preview(service)

    const expired = { count: 10_000, accuracy: 'at_least' }
    assert.deepEqual(answer, { expired, verdict: 'delete' })
  })

  for (const [because, prepare] of [
    ['last_run_long_ago', async () => {}],
    [
      'clock_ahead',
      async ({ ctx }: Service) => {
        const behindMs = ctx.now() - HOUR_MS
        Object.assign(ctx, { checkDatabase: async () => behindMs })
      },
    ],
  ] as const) {
    test(`200 says that a run would refuse: ${because}; the run agrees`, async () => {
      await using service = await startService()
      await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs - 2 * DAY_MS })
      await prepare(service)

      const answer = await preview(service)
      await runJob(service, 'clean-up')

      const expired = { count: 1001, accuracy: 'exact' }
      assert.deepEqual(answer, { expired, verdict: 'refuse', because })
      assert.equal((await rowsOf(service.ctx, 'users')).length, 1002)
    })
  }
})
