import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deliverNext } from '../../server/jobs/delivery.ts'
import { MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { createDeliveries } from '../../server/worker.ts'
import { createHangingMailer, REFUSED } from '../support/mailers.ts'
import {
  addPhone,
  CONFIRM,
  NUMBER,
  OTHER_NUMBER,
  PHONE,
  pendingPhones,
  phoneCodeFor,
  phoneOf,
} from '../support/phones.ts'
import { assertProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'
import { rowOf } from '../support/users.ts'

describe('DELETE /me/phone', () => {
  test('204 forgets the number, and when it was proved', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await addPhone(service, ann)
    assert.equal((await rowOf(service, ann)).phone_verified_at, '2026-01-01T12:00:00.000Z')
    service.advance(5 * SECOND_MS)

    const answer = await service.delete(PHONE, { token: ann.access })

    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    const { phone, phone_verified_at, updated_at } = await rowOf(service, ann)
    assert.deepEqual([phone, phone_verified_at], [null, null])
    assert.equal(updated_at, '2026-01-01T12:00:05.000Z')
    assert.equal(await phoneOf(service, ann), null)
  })

  test('204 voids the code of a number that waits', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const code = await phoneCodeFor(service, ann)

    await service.delete(PHONE, { token: ann.access })

    assertProblem(await service.post(CONFIRM, { code }, { token: ann.access }), 'invalid_code')
    assert.deepEqual(await pendingPhones(service), [])
  })

  test('204 drops a text message that was not sent yet', async () => {
    await using service = await startService()
    const { access: token } = await service.addUser()
    await service.post(PHONE, { phone: NUMBER }, { token })

    await service.delete(PHONE, { token })
    await service.deliverMail()

    assert.deepEqual(service.texts, [])
  })

  test('204 leaves the number in no message, sent or in the hands of a worker, and the count of them', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await addPhone(service, ann)
    service.advance(MINUTE_MS)
    await service.post(PHONE, { phone: OTHER_NUMBER }, { token: ann.access })
    const slow = createHangingMailer()
    const { sms } = createDeliveries(service.ctx, { mail: slow, sms: slow })
    const sending = deliverNext(sms, true)
    await slow.taken

    await service.delete(PHONE, { token: ann.access })
    slow.answer.reject(REFUSED)
    await sending

    const texts = await service.ctx.db
      .selectFrom('outbox')
      .select(['state', 'recipient', 'payload', 'last_error', 'email_canonical'])
      .where('channel', '=', 'sms')
      .orderBy('created_at')
      .execute()
    const blank = { recipient: null, payload: '{}', last_error: null, email_canonical: ann.email }
    assert.deepEqual(
      texts.map((text) => ({ ...text })),
      [
        { state: 'sent', ...blank },
        { state: 'dropped', ...blank },
      ],
    )
  })

  test('204 when there is none, and nothing changes', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const before = await rowOf(service, ann)
    service.advance(5 * SECOND_MS)

    const answer = await service.delete(PHONE, { token: ann.access })

    assert.equal(answer.status, 204)
    assert.deepEqual(await rowOf(service, ann), before)
  })

  test('204 leaves other users’ numbers alone', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    await addPhone(service, ann)
    await addPhone(service, bob)

    await service.delete(PHONE, { token: ann.access })

    assert.equal(await phoneOf(service, bob), NUMBER)
  })

  test('401 authentication_required', async () => {
    await using service = await startService()
    assertProblem(await service.delete(PHONE), 'authentication_required')
  })
})

test('deleting a user removes number, code and what was counted', async () => {
  await using service = await startService()
  const admin = await service.addAdmin()
  const ann = await service.addUser()
  const code = await phoneCodeFor(service, ann)
  await service.post(
    CONFIRM,
    { code: code === '000000' ? '1'.repeat(6) : '000000' },
    {
      token: ann.access,
    },
  )

  await service.delete(`/api/v1/users/${ann.id}`, { token: admin.access })

  assert.deepEqual(await pendingPhones(service), [])
  const counted = await service.ctx.db.selectFrom('code_failures').select('purpose').execute()
  assert.deepEqual(counted, [])
  const told = await service.ctx.db.selectFrom('outbox').select(['recipient', 'payload']).execute()
  assert.ok(!JSON.stringify(told).includes(NUMBER))
})
