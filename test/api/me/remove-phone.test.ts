import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deliverNext } from '../../support/mailers.ts'
import { MINUTE_MS, SECOND_MS } from '../../../server/lib/units.ts'
import { createDeliveries } from '../../../server/worker.ts'
import { createHangingMailer, REFUSED } from '../../support/mailers.ts'
import {
  addPhone,
  askForCode,
  confirmPhone,
  NUMBER,
  OTHER_NUMBER,
  pendingPhones,
  PHONE,
  phoneCodeFor,
  phoneOf,
  removePhone,
  wantPhone,
} from '../../support/phones.ts'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'
import { rowOf } from '../../support/users.ts'

describe('DELETE /me/phone', () => {
  test('204 forgets the number, and when it was proved', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await addPhone(service, ann)
    assert.equal((await rowOf(service, ann)).phone_verified_at, '2026-01-01T12:00:00.000Z')
    service.advance(5 * SECOND_MS)

    const answer = await removePhone(service, ann)

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

    await removePhone(service, ann)

    assertProblem(await confirmPhone(service, ann, code), 'invalid_code')
    assert.deepEqual(await pendingPhones(service), [])
  })

  test('204 drops a text message that was not sent yet', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await wantPhone(service, ann)

    await removePhone(service, ann)
    await service.deliverMail()

    assert.deepEqual(service.texts, [])
  })

  test('204 leaves the number in no message, sent or in the hands of a worker, and the count of them', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await addPhone(service, ann)
    service.advance(MINUTE_MS)
    await wantPhone(service, ann, OTHER_NUMBER)
    const slow = createHangingMailer()
    const { sms } = createDeliveries(service.ctx, { mail: slow, sms: slow })
    const sending = deliverNext(sms, true)
    await slow.taken

    await removePhone(service, ann)
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

    const answer = await removePhone(service, ann)

    assert.equal(answer.status, 204)
    assert.deepEqual(await rowOf(service, ann), before)
  })

  test('204 gives no text messages back: five an hour, however often the number is removed', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const sent: number[] = []

    for (let n = 0; n < 6; n++) {
      sent.push(await askForCode(service, ann))
      await removePhone(service, ann)
      service.advance(MINUTE_MS)
    }

    assert.deepEqual(sent, [1, 1, 1, 1, 1, 0])
  })

  test('204 leaves other users’ numbers alone', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    await addPhone(service, ann)
    await addPhone(service, bob)

    await removePhone(service, ann)

    assert.equal(await phoneOf(service, bob), NUMBER)
  })

  test('401 authentication_required', async () => {
    await using service = await startService()
    assertProblem(await service.delete(PHONE), 'authentication_required')
  })
})
