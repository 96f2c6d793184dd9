import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LEASE_MS } from '../server/schedule/jobs.ts'
import { runDueJobs } from '../server/schedule/schedule.ts'
import { DAY_MS, HOUR_MS, SECOND_MS } from '../server/lib/units.ts'
import { isCleanUpOverdue } from '../server/accounts/clean-up.ts'
import { erase } from '../server/accounts/erase.ts'
import { expiryCutoff } from '../server/accounts/expiry.ts'
import { commit, NO_CAUSE } from '../server/accounts/write.ts'
import { RECURRING_JOBS } from '../server/accounts/recurring-jobs.ts'
import { assertProblem } from './support/problem.ts'
import { rowsOf, seedUsers } from './support/seed.ts'
import { LONG_AFTER_MS, PASSWORD, type Service, startService } from './support/service.ts'

const email = 'ann@example.com'
const VERIFY = '/api/v1/auth/verify'
const EACH_SECOND = { CLEANUP_SCHEDULE: '* * * * * *' }
const CLEAN_UP = RECURRING_JOBS.filter((job) => job.name === 'clean-up')

const tick = ({ ctx }: Service) => runDueJobs(ctx, CLEAN_UP)
const emailsOf = async ({ ctx }: Service): Promise<string[]> =>
  (await rowsOf(ctx, 'users')).map((user) => user.email)
const eventsOf = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'audit_events'))
    .filter((row) => row.event.startsWith('users.'))
    .map((row) => ({ event: row.event, changes: JSON.parse(row.changes) }))

/** What each of its events says. */
const deletedBy = async (service: Service): Promise<number[]> =>
  (await eventsOf(service)).map(({ changes }) => changes.deleted)

describe('the clean-up', () => {
  test('leaves an unverified account at 47:59:59 and deletes it at 48:00:01', async () => {
    await using service = await startService(EACH_SECOND)
    await service.signUp(email)
    service.advance(48 * HOUR_MS - SECOND_MS)
    await tick(service)
    const before = await emailsOf(service)

    service.advance(2 * SECOND_MS)
    await tick(service)

    assert.deepEqual(before, [email])
    assert.deepEqual(await emailsOf(service), [])
    assert.deepEqual(await rowsOf(service.ctx, 'sign_ups'), [])
  })

  test('by default runs at midnight in UTC', async () => {
    await using service = await startService()
    await service.signUp(email)
    service.advance(36 * HOUR_MS)
    await tick(service)
    service.advance(DAY_MS - 1)
    await tick(service)
    const before = await emailsOf(service)

    service.advance(1)
    await tick(service)

    assert.deepEqual(before, [email])
    assert.deepEqual(await emailsOf(service), [])
  })

  test('never touches a verified user', async () => {
    await using service = await startService(EACH_SECOND)
    await service.signUp(email)
    service.advance(20 * HOUR_MS)
    await service.post(VERIFY, { email, code: await service.codeFor(email) })

    for (let day = 0; day < 4; day++) {
      service.advance(DAY_MS)
      await tick(service)
    }

    await service.logIn(email)
  })

  test('deletes whatever else the account has, and forgets its address', async () => {
    await using service = await startService(EACH_SECOND)
    await service.addUser('bob@example.com')
    for (let n = 0; n < 5; n++) await service.signUp(email)
    await service.codeFor(email)
    await service.post(VERIFY, { email, code: '000000' })
    service.advance(48 * HOUR_MS - 1)
    await service.post('/api/v1/auth/verify/resend', { email })
    service.advance(1)

    await tick(service)

    assert.deepEqual(await emailsOf(service), ['bob@example.com'])
    assert.deepEqual(await rowsOf(service.ctx, 'sign_ups'), [])
    assert.deepEqual(await rowsOf(service.ctx, 'code_failures'), [])
    assert.doesNotMatch(JSON.stringify(await rowsOf(service.ctx, 'outbox')), /ann@/)
    const mails = service.mailsTo(email).length
    await service.deliverMail()
    assert.equal(service.mailsTo(email).length, mails)
  })

  test('an address whose account was cleaned can sign up again; its old code is refused', async () => {
    await using service = await startService(EACH_SECOND)
    await service.signUp(email)
    const old = await service.codeFor(email)
    service.advance(48 * HOUR_MS)
    await tick(service)

    const signUpId = await service.signUp(email, 'quite another password')

    assertProblem(await service.post(VERIFY, { email, code: old }), 'invalid_code')
    const code = await service.codeFor(email)
    const verified = await service.post(VERIFY, { email, code, sign_up_id: signUpId })
    assert.equal(verified.status, 200)
    await service.logIn(email, 'quite another password')
  })

  test('leaves an audit event and a log line with count and duration, ids and addresses in neither', async () => {
    await using service = await startService(EACH_SECOND)
    for (const name of ['ann', 'bob', 'cy']) await service.signUp(`${name}@example.com`)
    service.advance(48 * HOUR_MS)

    await tick(service)

    assert.deepEqual(await eventsOf(service), [
      { event: 'users.cleaned_up', changes: { found: 3, deleted: 3 } },
    ])
    const lines = service.logged.filter((line) => line.includes('"job":"clean-up"'))
    assert.equal(lines.length, 1)
    const { deleted, duration_ms, slot } = JSON.parse(lines[0] ?? '')
    assert.equal(deleted, 3)
    assert.ok(Number.isInteger(duration_ms))
    assert.equal(Date.parse(slot), service.clock.nowMs)
    assert.doesNotMatch(lines[0] ?? '', /@/)
  })

  test('deletes more users than fit into one batch in one run', async () => {
    await using service = await startService(EACH_SECOND)
    const count = service.ctx.batchMax + 3
    await seedUsers(service.ctx, count, { createdAtMs: service.clock.nowMs })
    await seedUsers(service.ctx, count, { createdAtMs: service.clock.nowMs, verified: true })
    service.advance(48 * HOUR_MS)

    await tick(service)

    assert.deepEqual(await deletedBy(service), [count - 3, 3])
    assert.equal((await emailsOf(service)).length, count)
  })

  test('that fails has recorded what it deleted, and no run without deletions; the next one does the rest', async () => {
    await using service = await startService(EACH_SECOND)
    const { ctx } = service
    const count = ctx.batchMax + 3
    await seedUsers(ctx, count, { createdAtMs: service.clock.nowMs })
    await seedUsers(ctx, count, { createdAtMs: service.clock.nowMs, verified: true })
    service.advance(48 * HOUR_MS)
    const { transaction } = ctx
    let batches = 0
    const failing: typeof transaction = (work) =>
      transaction(async (tx) => {
        const done = await work(tx)
        if ((done as { found?: number })?.found !== undefined && ++batches > 1)
          throw new Error('the disk is full')
        return done
      })

    Object.assign(ctx, { transaction: failing })
    await assert.rejects(tick(service), /the disk is full/)
    const atFirst = await deletedBy(service)
    Object.assign(ctx, { transaction })
    service.advance(LEASE_MS)
    await tick(service)

    assert.deepEqual(atFirst, [count - 3])
    assert.deepEqual(await deletedBy(service), [count - 3, 3])
    assert.equal((await emailsOf(service)).length, count)
  })

  test('that deletes nobody says so: a day without an event is a day without a run', async () => {
    await using service = await startService(EACH_SECOND)

    await tick(service)

    assert.deepEqual(await deletedBy(service), [0])
  })
})

describe('the guard against a wrong clock', () => {
  for (const [what, expired, verified, left] of [
    ['1 000 expired users and no other are deleted', 1000, 0, 0],
    ['1 001 of 2 002 are deleted: half of all stay', 1001, 1001, 1001],
    ['1 001 of 2 001 are not at the first run: it would be more than half', 1001, 1000, 2001],
  ] as const) {
    test(what, async () => {
      await using service = await startService(EACH_SECOND)
      const createdAtMs = service.clock.nowMs
      await seedUsers(service.ctx, expired, { createdAtMs })
      await seedUsers(service.ctx, verified, { createdAtMs, verified: true })
      service.advance(48 * HOUR_MS)

      await tick(service)

      assert.equal((await emailsOf(service)).length, left)
    })
  }

  test('counts more users than fit into one statement', async () => {
    await using service = await startService(EACH_SECOND)
    const createdAtMs = service.clock.nowMs
    await seedUsers(service.ctx, 6000, { createdAtMs })
    await seedUsers(service.ctx, 5000, { createdAtMs, verified: true })
    service.advance(48 * HOUR_MS)

    await tick(service)

    const changes = { deleted: 0, refused: 1, expired: 6000, users: 11_000 }
    assert.deepEqual(await eventsOf(service), [{ event: 'users.clean_up_refused', changes }])
  })

  test('1 001 invented sign-ups are deleted on time where the clean-up runs each night', async () => {
    await using service = await startService()
    for (let night = 0; night < 4; night++) {
      if (night === 1) await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })
      service.advance(DAY_MS)
      await tick(service)
    }

    assert.deepEqual(await emailsOf(service), [])
    assert.ok((await eventsOf(service)).every(({ event }) => event === 'users.cleaned_up'))
  })

  test('after two weeks asleep, a run that would delete most waits for the next night, no longer', async () => {
    await using service = await startService()
    await tick(service)
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })
    service.advance(14 * DAY_MS)

    await tick(service)
    const awake = (await emailsOf(service)).length
    const alarm = (await service.get('/ready')).body.checks.clean_up
    const isOverdue = await isCleanUpOverdue(service.ctx)
    service.advance(DAY_MS)
    await tick(service)

    assert.deepEqual([awake, alarm, isOverdue], [1001, 'refused', true])
    assert.deepEqual(await emailsOf(service), [])
    assert.equal((await service.get('/ready')).body.checks.clean_up, 'ok')
  })

  test('a jump of three days is not believed for a day, however often the clean-up runs', async () => {
    await using service = await startService(EACH_SECOND)
    await tick(service)
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })
    service.advance(3 * DAY_MS)

    const left: number[] = []
    for (const pauseMs of [0, SECOND_MS, HOUR_MS, 20 * HOUR_MS, 3 * HOUR_MS]) {
      service.advance(pauseMs)
      await tick(service)
      left.push((await emailsOf(service)).length)
    }

    assert.deepEqual(left, [1001, 1001, 1001, 1001, 0])
  })

  test('a schedule of once a week is refused once, not each time', async () => {
    await using service = await startService({ CLEANUP_SCHEDULE: '0 0 * * 1' })
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })
    const left: number[] = []
    for (let week = 0; week < 2; week++) {
      service.advance(7 * DAY_MS)
      await tick(service)
      left.push((await emailsOf(service)).length)
    }

    assert.deepEqual(left, [1001, 0])
  })

  test('a clock ahead of the database’s is not believed, however long it is', async () => {
    await using service = await startService(EACH_SECOND, { nowMs: Date.now() })
    await tick(service)
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })
    for (let day = 0; day < 4; day++) {
      service.advance(DAY_MS)
      await tick(service)
    }

    assert.equal((await emailsOf(service)).length, 1001)
    service.clock.nowMs = Date.now()
    await tick(service)
    assert.equal((await emailsOf(service)).length, 1001)
  })

  test('a clock that jumps three days ahead and back costs nobody the account', async () => {
    await using service = await startService(EACH_SECOND)
    await service.signUp(email)
    const code = await service.codeFor(email)
    await seedUsers(service.ctx, 1500, { createdAtMs: service.clock.nowMs })

    service.advance(3 * DAY_MS)
    await tick(service)
    service.advance(-3 * DAY_MS)
    await tick(service)

    assert.equal((await emailsOf(service)).length, 1501)
    assert.equal((await service.post(VERIFY, { email, code })).status, 200)
    await service.logIn(email, PASSWORD)
  })

  test('a refused run says how to force it, is audited, and is not tried again for its slot', async () => {
    await using service = await startService(EACH_SECOND)
    await seedUsers(service.ctx, 1001, { createdAtMs: service.clock.nowMs })
    service.advance(48 * HOUR_MS)

    const ran = [await tick(service), await tick(service)]

    assert.deepEqual(ran, [['clean-up'], []])
    const changes = { deleted: 0, refused: 1, expired: 1001, users: 1001 }
    assert.deepEqual(await eventsOf(service), [{ event: 'users.clean_up_refused', changes }])
    assert.ok(service.logged.some((line) => /"error".*npm run cli -- cleanup --force/.test(line)))
  })
})

test('a user who was verified since it was found to be expired stays', async () => {
  await using service = await startService()
  const ann = await service.addUser()
  await service.signUp('late@example.com')
  service.advance(LONG_AFTER_MS)
  const users = await rowsOf(service.ctx, 'users')

  const cutoff = expiryCutoff(service.ctx)
  const { erased } = await commit(service.ctx, NO_CAUSE, (write) =>
    erase(write, users, { unverified: { cutoff } }),
  )

  assert.deepEqual(
    erased.map(({ email_canonical }) => email_canonical),
    ['late@example.com'],
  )
  assert.deepEqual(
    (await rowsOf(service.ctx, 'users')).map(({ id }) => id),
    [ann.id],
  )
})
