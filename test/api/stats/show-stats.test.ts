import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../server/lib/units.ts'
import { runJob } from '../../support/jobs.ts'
import { deliverBy, REFUSED } from '../../support/mailers.ts'
import { startReplicas } from '../../support/races.ts'
import { rowsOf, seedUsers } from '../../support/seed.ts'
import { type Service, startService } from '../../support/service.ts'

const exact = (count: number) => ({ count, accuracy: 'exact' })
const kept = (count: number) => ({ count, accuracy: 'kept' })
const atLeast = (count: number) => ({ count, accuracy: 'at_least' })

async function statsOf(service: Service) {
  const { access: token } = await service.addAdmin()
  const { status, body } = await service.get('/api/v1/stats', { token })
  assert.equal(status, 200)
  return body
}
const logInWrongly = (service: Service, email: string) =>
  service.post('/api/v1/auth/login', { email, password: 'not it, sorry' })

describe('GET /stats', () => {
  test('200 counts users by state, and whose time ends today', async () => {
    // Noon; an account of 36 hours ago ends at midnight.
    await using service = await startService()
    await seedUsers(service.ctx, 3, { createdAtMs: service.clock.nowMs, verified: true })
    for (const [count, hours] of [
      [1, 50],
      [2, 36.001],
      [4, 36],
    ] as const)
      await seedUsers(service.ctx, count, { createdAtMs: service.clock.nowMs - hours * HOUR_MS })

    const { users } = await statsOf(service)

    // With the admin.
    assert.deepEqual(users, { verified: exact(4), unverified: exact(7), ending_today: exact(3) })
  })

  test('200 estimates more than 10 000 users, and says so; others end at 10 000', async () => {
    await using service = await startService()
    await seedUsers(service.ctx, 12_000, { createdAtMs: service.clock.nowMs - 2 * DAY_MS })

    const { users } = await statsOf(service)

    assert.deepEqual(users.verified, exact(1))
    assert.equal(users.unverified.accuracy, 'estimated')
    assert.ok(Math.abs(users.unverified.count - 12_000) < 600, String(users.unverified.count))
    assert.deepEqual(users.ending_today, atLeast(10_000))
  })

  test('200 counts messages by state', async () => {
    await using service = await startService()
    await service.signUp('ann@example.com')
    await deliverBy(service, () => REFUSED)
    await service.signUp('bob@example.com')
    await service.deliverMail()
    await service.signUp('cy@example.com')

    const { mail } = await statsOf(service)

    const counted = Object.fromEntries(
      await Promise.all(
        Object.keys(mail).map(async (state) => [
          state,
          exact((await rowsOf(service.ctx, 'outbox')).filter((row) => row.state === state).length),
        ]),
      ),
    )
    assert.deepEqual(mail, counted)
    assert.deepEqual([mail.bounced, mail.dead], [exact(1), exact(0)])
    assert.ok(mail.sent.count > 0 && mail.waiting.count > 0)
  })

  test('200 counts the sign-ups, logins and refused logins of today, before anything is kept', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await service.signUp('bob@example.com')
    await service.signUp('bob@example.com')
    await service.logIn(ann.email)
    await logInWrongly(service, ann.email)
    await logInWrongly(service, ann.email)
    await logInWrongly(service, 'nobody@example.com')

    const { days, kept_until } = await statsOf(service)

    assert.deepEqual(
      [days.length, days[0].day, days[12].day, kept_until],
      [14, '2025-12-19', '2025-12-31', undefined],
    )
    assert.deepEqual(days[13], {
      day: '2026-01-01',
      sign_ups: exact(2),
      logins: exact(1),
      refused_logins: exact(2),
    })
    // Not counted yet, but for yesterday.
    assert.deepEqual([days[11].logins, days[12].logins], [atLeast(0), exact(0)])
  })

  test('200 shows what a job counted and kept, in every process, and counts only what came since', async () => {
    await using replicas = await startReplicas()
    const [first, second] = replicas.pair
    const ann = await first.addUser()
    for (const ms of [0, 59 * MINUTE_MS, 2 * MINUTE_MS, DAY_MS - 2 * HOUR_MS]) {
      first.advance(ms)
      await first.logIn(ann.email)
    }
    await runJob(first, 'tally')

    const { days, kept_until } = await statsOf(second)
    first.advance(DAY_MS)
    const later = await statsOf(second)

    assert.equal(kept_until, '2026-01-02T11:00:00.000Z')
    assert.deepEqual([days[12].logins, days[13].logins], [kept(3), exact(1)])
    // Nobody has counted since.
    assert.deepEqual(
      later.days.slice(11).map((day: any) => day.logins),
      [kept(3), exact(1), exact(0)],
    )
    assert.equal(later.kept_until, kept_until)
  })

  test('200 shows the clean-up as GET /jobs does', async () => {
    await using service = await startService()
    await runJob(service, 'clean-up')
    const { access: token } = await service.addAdmin()

    const { clean_up } = await statsOf(service)

    assert.deepEqual(clean_up, (await service.get('/api/v1/jobs', { token })).body[0])
    assert.equal(clean_up.last_run.outcome, 'done')
  })
})
