import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../../server/lib/units.ts'
import { failedMail } from '../support/mailers.ts'
import { assertProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'

const at = (id: string) => `/api/v1/mail/${id}/resend`

describe('POST /mail/{id}/resend', () => {
  test('202 for a bounced message, which is sent with the same id and leaves an event', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { id, userId } = await failedMail(service, 'ann@example.com')

    const answer = await service.post(at(id), undefined, { token: admin.access, ip: '192.0.2.7' })

    assert.equal(answer.status, 202)
    assert.equal(answer.body.id, id)
    assert.deepEqual([answer.body.state, answer.body.finished_at], ['waiting', null])
    await service.deliverMail()
    assert.equal(service.mailsTo('ann@example.com').length, 1)
    const shown = await service.get('/api/v1/mail?state=sent', { token: admin.access })
    assert.ok(shown.body.some((mail: { id: string }) => mail.id === id))
    const events = await service.ctx.db.selectFrom('audit_events').selectAll().execute()
    const resent = events.filter(({ event }) => event === 'mail.resent')
    assert.deepEqual(
      resent.map(({ actor_id, subject_id, changes, ip }) => [actor_id, subject_id, changes, ip]),
      [[admin.id, userId, JSON.stringify({ mail_id: id, kind: 'verification' }), '192.0.2.7']],
    )
  })

  test('202 starts its tries anew: a dead message is not dead at its next fault', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const { id } = await failedMail(service, 'ann@example.com')
    await service.ctx.transaction((tx) =>
      tx
        .updateTable('outbox')
        .set({
          state: 'dead',
          refusals: 8,
          crashes: 3,
          unconfirmed: 2,
          bugs: 3,
          first_failed_at: '2026-01-01T00:00:00.000Z',
        })
        .where('id', '=', id)
        .execute(),
    )

    const answer = await service.post(at(id), undefined, { token })

    assert.equal(answer.status, 202)
    const row = await service.ctx.db
      .selectFrom('outbox')
      .select(['state', 'refusals', 'crashes', 'unconfirmed', 'bugs', 'first_failed_at'])
      .where('id', '=', id)
      .executeTakeFirst()
    const counts = { refusals: 0, crashes: 0, unconfirmed: 0, bugs: 0, first_failed_at: null }
    assert.deepEqual({ ...row }, { state: 'waiting', ...counts })
  })

  test('202 for a code that has expired meanwhile sends nothing: it is dropped', async () => {
    await using service = await startService({ VERIFICATION_CODE_EXPIRE_HOURS: '1' })
    const { id } = await failedMail(service, 'ann@example.com')
    service.advance(HOUR_MS)
    const { access: token } = await service.addAdmin()

    await service.post(at(id), undefined, { token })
    await service.deliverMail()

    const dropped = await service.get('/api/v1/mail?state=dropped', { token })
    assert.deepEqual(
      dropped.body.map((mail: { id: string }) => mail.id),
      [id],
    )
    assert.deepEqual(service.mailsTo('ann@example.com'), [])
  })

  test('409 mail_not_failed for one that waits, was sent or dropped, and the second time', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    await service.registerUser('sent@example.com')
    const { id } = await failedMail(service, 'ann@example.com')
    const { body: sent } = await service.get('/api/v1/mail?state=sent', { token })
    await service.post(at(id), undefined, { token })

    for (const other of [id, sent[0].id]) {
      assertProblem(await service.post(at(other), undefined, { token }), 'mail_not_failed')
    }

    const events = await service.ctx.db.selectFrom('audit_events').select('event').execute()
    assert.equal(events.filter(({ event }) => event === 'mail.resent').length, 1)
  })

  test('one of ten at once is 202, the others 409', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const { id } = await failedMail(service, 'ann@example.com')

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => service.post(at(id), undefined, { token })),
    )

    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.deepEqual(statuses, [202, ...Array<number>(9).fill(409)])
  })

  test('404 not_found for an unknown id, 422 for what is none', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()

    const unknown = await service.post(at('0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'), undefined, {
      token,
    })
    assertProblem(unknown, 'not_found')
    assertProblem(await service.post(at('7'), undefined, { token }), 'validation_failed')
  })

  test('403 forbidden for users, whether or not there is such a message', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser()
    const { id } = await failedMail(service, 'ann@example.com')

    for (const each of [id, '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'])
      assertProblem(await service.post(at(each), undefined, { token }), 'forbidden')
    assertProblem(await service.post(at(id)), 'authentication_required')
  })
})
