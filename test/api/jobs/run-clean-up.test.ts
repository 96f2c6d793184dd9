import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { claimSlot, LEASE_MS } from '../../../server/schedule/jobs.ts'
import {
  type RecurringJob,
  runDueJobs,
  runJobNow,
  runSchedule,
} from '../../../server/schedule/schedule.ts'
import { RECURRING_JOBS } from '../../../server/accounts/recurring-jobs.ts'
import { eventsOf } from '../../support/events.ts'
import { runJob } from '../../support/jobs.ts'
import { assertProblem } from '../../support/problem.ts'
import { atOnce, countStatuses, startReplicas } from '../../support/races.ts'
import { rowsOf, seedUsers } from '../../support/seed.ts'
import { PASSWORD, type Service, startService, type TestUser } from '../../support/service.ts'
import { until } from '../../support/until.ts'

const RUN = '/api/v1/jobs/clean-up/run'

const request = (service: Service, { access: token }: TestUser, body?: object) =>
  service.post(RUN, body, { token })
const countUsers = async ({ ctx }: Service) => (await rowsOf(ctx, 'users')).length
/** The clean-up of the day is done; whoever signed up two days ago has expired since. */
async function startWithExpired(count: number) {
  const service = await startService()
  await runJob(service, 'clean-up')
  await seedUsers(service.ctx, count, { createdAtMs: service.clock.nowMs - 2 * DAY_MS })
  return service
}

describe('POST /jobs/clean-up/run', () => {
  test('202 has a worker delete who has expired, with the admin as the actor', async () => {
    await using service = await startWithExpired(3)
    const admin = await service.addAdmin()

    const answer = await request(service, admin)
    const before = await countUsers(service)
    const ran = await runJob(service, 'clean-up')

    assert.deepEqual([answer.status, answer.body.state], [202, 'requested'])
    assert.deepEqual([before, ran, await countUsers(service)], [4, ['clean-up'], 1])
    const [requested] = await eventsOf(service, 'clean_up.requested')
    assert.deepEqual([requested?.actor_id, requested?.changes], [admin.id, { force: false }])
    assert.ok(requested?.ip)
    const cleaned = (await eventsOf(service, 'users.cleaned_up')).at(-1)
    assert.deepEqual([cleaned?.actor_id, cleaned?.changes], [admin.id, { found: 3, deleted: 3 }])
    assert.deepEqual(await runJob(service, 'clean-up'), [])
  })

  test('202 is taken by the schedule of any process, once', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    await runJob(first, 'clean-up')
    const schedules = [first, second].map(({ ctx }) => runSchedule(ctx, RECURRING_JOBS))

    await request(first, await first.addAdmin())

    const cleanUps = () => eventsOf(first, 'users.cleaned_up')
    await until('the run', async () => (await cleanUps()).length > 1)
    await Promise.all(schedules.map((schedule) => schedule.stop()))
    assert.equal((await cleanUps()).length, 2)
  })

  test('202 and the run refuses while the clock is in doubt; with force it deletes', async () => {
    await using service = await startService()
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs - 2 * DAY_MS })
    const admin = await service.addAdmin()

    await request(service, admin)
    await runJob(service, 'clean-up')
    const afterRefusal = await countUsers(service)
    const forced = await request(service, admin, { force: true })
    await runJob(service, 'clean-up')

    assert.deepEqual([afterRefusal, forced.status], [1002, 202])
    assert.equal(forced.body.last_run.outcome, 'refused')
    assert.equal(await countUsers(service), 1)
    const [refused] = (await eventsOf(service, 'users.clean_up_refused')).toReversed()
    assert.equal(refused?.actor_id, admin.id)
  })

  test('202 is repeated after its process died, and lapses when nobody takes it for five minutes', async () => {
    await using service = await startWithExpired(1)
    const admin = await service.addAdmin()
    const bug = new Error('a bug')
    await request(service, admin)
    const { transaction } = service.ctx
    const failing: typeof transaction = (work) =>
      transaction(async (tx) => {
        const done = await work(tx)
        if ((done as { found?: number })?.found !== undefined) throw bug
        return done
      })
    Object.assign(service.ctx, { transaction: failing })
    await assert.rejects(runJob(service, 'clean-up'), bug)
    Object.assign(service.ctx, { transaction })

    service.advance(LEASE_MS)
    const repeated = await runJob(service, 'clean-up')
    await request(service, admin)
    service.advance(5 * MINUTE_MS)
    const lapsed = await runJob(service, 'clean-up')

    assert.deepEqual([repeated, lapsed], [['clean-up'], []])
    assert.equal((await request(service, admin)).status, 202)
  })

  for (const [how, change] of [
    ['demoted', { role: 'user' }],
    ['disabled', { disabled: true }],
    ['deleted', undefined],
  ] as const) {
    test(`202 and nothing runs when the admin has been ${how} before a worker looks`, async () => {
      await using service = await startWithExpired(1)
      const [admin, other] = [await service.addAdmin(), await service.addAdmin()]
      const url = `/api/v1/users/${admin.id}`
      await request(service, admin, { force: true })

      const { access: token } = other
      const { status } = await (change === undefined
        ? service.delete(url, { token })
        : service.patch(url, change, { token }))
      const ran = await runJob(service, 'clean-up')

      assert.deepEqual([status, ran], [200, []])
      const { body } = await service.get('/api/v1/jobs', { token })
      assert.equal(body[0].state, 'idle')
      assert.equal((await request(service, other)).status, 202)
    })
  }

  test('409 job_busy while a run is requested, or a process runs it, and nothing is recorded', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const admin = await first.addAdmin()

    const asked = await atOnce(6, replicas.pair, (service) => request(service, admin))
    await runJob(first, 'clean-up')
    const slot = { name: 'clean-up', slotMs: first.clock.nowMs + 1 }
    await first.ctx.transaction((tx) => claimSlot(tx, slot, first.clock.nowMs))
    const busy = await request(first, admin)

    assert.deepEqual(countStatuses(asked), { 202: 1, 409: 5 })
    assertProblem(busy, 'job_busy')
    assert.equal((await eventsOf(first, 'clean_up.requested')).length, 1)
  })

  test('403 reauthentication_required long after the login; 202 with the password', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    service.advance(10 * MINUTE_MS)

    const late = await request(service, admin)
    const wrong = await request(service, admin, { current_password: 'not it, sorry' })
    const proven = await request(service, admin, { current_password: PASSWORD })

    assertProblem(late, 'reauthentication_required')
    assertProblem(wrong, 'wrong_password')
    assert.equal(proven.status, 202)
  })

  test('403 forbidden for an admin who was demoted meanwhile; 422 for what is no switch', async () => {
    await using service = await startService()
    const [admin, other] = [await service.addAdmin(), await service.addAdmin()]

    const odd = await request(service, admin, { force: 'yes' })
    await service.patch(`/users/${admin.id}`, { role: 'user' }, { token: other.access })
    const demoted = await request(service, admin)

    assertProblem(odd, 'validation_failed')
    assertProblem(demoted, 'forbidden')
    assert.deepEqual(await eventsOf(service, 'clean_up.requested'), [])
  })

  test('429 too_many_requests beyond a hundred acts an hour', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    for (let n = 0; n < 100; n++) {
      assert.equal((await request(service, admin)).status, 202)
      await runJob(service, 'clean-up')
    }

    const answer = await request(service, admin)

    assertProblem(answer, 'too_many_requests')
  })

  test('202 and a command does not run beside it', async () => {
    await using service = await startService()
    await request(service, await service.addAdmin())
    let beside: unknown = 'not run'
    const command = { name: 'clean-up', run: async () => ({}) }
    const asked: RecurringJob = {
      ...command,
      schedule: () => '0 0 1 1 *',
      onRequest: async () => true,
      async run() {
        beside = await runJobNow(service.ctx, command)
        return {}
      },
    }

    const ran = await runDueJobs(service.ctx, [asked])

    assert.deepEqual([ran, beside], [['clean-up', 'clean-up'], undefined])
  })
})
