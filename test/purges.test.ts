import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { recordEvent } from '../server/audit/events.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../server/lib/units.ts'
import { runJob } from './support/jobs.ts'
import { assertProblem } from './support/problem.ts'
import { rowsOf, seedUsers } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

const email = 'ann@example.com'
const VERIFY = '/api/v1/auth/verify'

/** Moves the clock, lets the next purge run, and counts what is left of a table. */
async function leftAfter(
  service: Service,
  ms: number,
  table: Parameters<typeof rowsOf>[1],
): Promise<number> {
  service.advance(ms)
  await runJob(service, 'purge')
  return (await rowsOf(service.ctx, table)).length
}

describe('the purge', () => {
  test('keeps a session for 30 days after its end; its old tokens are refused before and after', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const other = await service.logIn(email)
    await service.post('/api/v1/auth/logout', { refresh_token: other.refresh })
    const refused = async () => {
      for (const refresh_token of [ann.refresh, other.refresh])
        assertProblem(
          await service.post('/api/v1/auth/refresh', { refresh_token }),
          'invalid_token',
        )
    }

    const before = await leftAfter(service, 37 * DAY_MS, 'sessions')
    await refused()
    const after = await leftAfter(service, HOUR_MS, 'sessions')
    await refused()

    assert.deepEqual([before, after], [2, 0])
    assertProblem(await service.get('/api/v1/me', { token: ann.access }), 'invalid_token')
    const again = await service.post('/api/v1/auth/logout', { refresh_token: ann.refresh })
    assert.equal(again.status, 204)
    await service.deliverMail()
    assert.ok(service.mailsTo(email).every((mail) => !/old key/.test(mail.text)))
  })

  test('leaves a live session alone, however old', async () => {
    await using service = await startService({
      SESSION_MAX_DAYS: '365',
      REFRESH_TOKEN_EXPIRE_DAYS: '60',
    })
    let { refresh } = await service.addUser(email)

    for (let n = 0; n < 5; n++) {
      assert.equal(await leftAfter(service, 59 * DAY_MS - HOUR_MS, 'sessions'), 1)
      // The first after so long a time is skipped.
      assert.equal(await leftAfter(service, HOUR_MS, 'sessions'), 1)
      const answer = await service.post('/api/v1/auth/refresh', { refresh_token: refresh })
      assert.equal(answer.status, 200)
      refresh = answer.body.refresh_token
    }
  })

  test('deletes nothing right after a leap of the clock, and says why; an hour later it does', async () => {
    await using service = await startService()
    await service.addUser(email)
    const start = await leftAfter(service, HOUR_MS, 'sessions')

    const leaped = await leftAfter(service, 200 * DAY_MS, 'sessions')
    const warned = service.logged.filter((line) => line.includes('purge skipped'))
    service.advance(-200 * DAY_MS)
    const setRight = await leftAfter(service, HOUR_MS, 'sessions')
    const again = await leftAfter(service, 400 * DAY_MS, 'sessions')
    const hourLater = await leftAfter(service, HOUR_MS, 'sessions')

    assert.deepEqual([start, leaped, setRight, again, hourLater], [1, 1, 1, 1, 0])
    assert.equal(warned.length, 1)
  })

  test('leaves an expired attempt that asking again may still bring back', async () => {
    await using service = await startService({ UNVERIFIED_USER_TTL_HOURS: '8760' })
    await service.signUp(email)
    const code = await service.codeFor(email)

    const left = await leftAfter(service, 60 * DAY_MS, 'sign_ups')
    const expired = await service.post(VERIFY, { email, code })
    await service.post('/api/v1/auth/verify/resend', { email })
    await service.deliverMail()

    assert.equal(left, 1)
    assertProblem(expired, 'invalid_code')
    assert.equal((await service.post(VERIFY, { email, code })).status, 200)
  })

  test('deletes an expired attempt of somebody who is verified', async () => {
    await using service = await startService()
    await service.signUp(email)
    const verified = { verified_at: toIso(service.clock.nowMs), password_hash: 'none' }
    await service.ctx.transaction((tx) => tx.updateTable('users').set(verified).execute())

    const before = await leftAfter(service, 24 * HOUR_MS - 1, 'sign_ups')
    const after = await leftAfter(service, HOUR_MS, 'sign_ups')

    assert.deepEqual([before, after], [1, 0])
  })

  test('deletes those of somebody who is verified behind many that stay', async () => {
    await using service = await startService()
    const { ctx } = service
    await service.signUp(email)
    const [own] = await rowsOf(ctx, 'sign_ups')
    const verified = { verified_at: toIso(service.clock.nowMs), password_hash: 'none' }
    await ctx.transaction((tx) => tx.updateTable('users').set(verified).execute())
    await seedUsers(ctx, 2 * ctx.batchMax + 1, { createdAtMs: service.clock.nowMs })
    await ctx.transaction((tx) =>
      sql`insert into sign_ups (id, user_id, email, password_hash, key_id, created_at, expires_at)
        select '0-' || id, id, email, 'none', ${own.key_id}, created_at, created_at
        from users where verified_at is null`.execute(tx),
    )
    const stays = 2 * ctx.batchMax + 1

    const before = await leftAfter(service, 24 * HOUR_MS - 1, 'sign_ups')
    const after = await leftAfter(service, HOUR_MS, 'sign_ups')

    assert.deepEqual([before, after], [stays + 1, stays])
  })

  test('forgets wrong codes after 24 h, not before: no guess is won', async () => {
    await using service = await startService()
    const guess = (of: string) => service.post(VERIFY, { email: of, code: '000000' })
    await guess(email)
    await guess('nobody@example.com')
    service.advance(30 * MINUTE_MS)
    await guess(email)
    await guess('nobody@example.com')

    const before = await leftAfter(service, DAY_MS, 'code_failures')
    const after = await leftAfter(service, HOUR_MS, 'code_failures')

    assert.deepEqual([before, after], [2, 0])
  })

  test('keeps a message that ended for 30 days, and one that waits for ever', async () => {
    await using service = await startService({ UNVERIFIED_USER_TTL_HOURS: '8760' })
    await service.signUp(email)
    await service.deliverMail()

    const before = await leftAfter(service, 30 * DAY_MS, 'outbox')
    const after = await leftAfter(service, HOUR_MS, 'outbox')

    assert.equal(before, 2)
    assert.equal(after, 1)
    const [waiting] = await rowsOf(service.ctx, 'outbox')
    assert.deepEqual([waiting.kind, waiting.finished_at], ['reminder', null])
  })

  test('keeps audit events for AUDIT_KEEP_DAYS', async () => {
    await using service = await startService({ AUDIT_KEEP_DAYS: '10' })
    const { nowMs } = service.clock
    await service.ctx.transaction((tx) => recordEvent(tx, { event: 'data.exported' }, nowMs))

    const before = await leftAfter(service, 10 * DAY_MS, 'audit_events')
    const after = await leftAfter(service, HOUR_MS, 'audit_events')

    assert.deepEqual([before, after], [1, 0])
  })

  test('deletes an expired phone change', async () => {
    await using service = await startService()
    const { id } = await service.addUser(email)
    await service.ctx.transaction((tx) =>
      tx
        .insertInto('phone_changes')
        .values({
          id: '9f1c2c5e-0b0f-4d53-9f0e-3f6c1f0a7b11',
          user_id: id,
          phone: '+4915123456789',
          key_id: 'key',
          created_at: toIso(service.clock.nowMs),
          expires_at: toIso(service.clock.nowMs + 10 * MINUTE_MS),
        })
        .execute(),
    )

    const before = await leftAfter(service, 0, 'phone_changes')
    const after = await leftAfter(service, HOUR_MS, 'phone_changes')

    assert.deepEqual([before, after], [1, 0])
  })

  test('deletes more than one batch of each in one run, and logs how many', async () => {
    await using service = await startService({ AUDIT_KEEP_DAYS: '10' })
    const count = service.ctx.batchMax * 2 + 1
    const event = { at: toIso(service.clock.nowMs), event: 'test.done', changes: '{}' }
    const half = Array.from({ length: Math.ceil(count / 2) }, () => event)
    for (let n = 0; n < 2; n++)
      await service.ctx.transaction((tx) => tx.insertInto('audit_events').values(half).execute())

    const left = await leftAfter(service, 11 * DAY_MS, 'audit_events')

    assert.equal(left, 0)
    const line = service.logged.find((text) => text.includes('"job":"purge"'))
    assert.equal(JSON.parse(line ?? '{}').audit_events, 2 * half.length)
  })
})
