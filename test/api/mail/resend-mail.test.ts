import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { failedMail } from '../../support/mailers.ts'
import { assertProblem } from '../../support/problem.ts'
import { countStatuses, times } from '../../support/races.ts'
import { rowsOf } from '../../support/seed.ts'
import { startService } from '../../support/service.ts'

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
    assert.deepEqual(await eventsOf(service, 'mail.resent'), [
      {
        actor_id: admin.id,
        subject_id: userId,
        ip: '192.0.2.7',
        request_id: answer.headers['x-request-id'],
        changes: { mail_id: id, kind: 'verification' },
      },
    ])
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
    const row = (await rowsOf(service.ctx, 'outbox')).find((one) => one.id === id)
    const counts = { refusals: 0, crashes: 0, unconfirmed: 0, bugs: 0, first_failed_at: null }
    assert.deepEqual({ ...row, ...counts, state: 'waiting' }, { ...row })
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

    assert.equal((await eventsOf(service, 'mail.resent')).length, 1)
  })

  test('one of ten at once is 202, the others 409', async () => {
    await using service = await startService()
    const { access: token } = await service.addAdmin()
    const { id } = await failedMail(service, 'ann@example.com')

    const answers = await Promise.all(
      times(10).map(() => service.post(at(id), undefined, { token })),
    )

    assert.deepEqual(countStatuses(answers), { 202: 1, 409: 9 })
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
