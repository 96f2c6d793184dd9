import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECOND_MS } from '../../../server/lib/units.ts'
import { triesOf } from '../../support/codes.ts'
import { CONFIRM, confirmPhone, NUMBER, pendingPhones, phoneCodeFor } from '../../support/phones.ts'
import { assertProblem } from '../../support/problem.ts'
import { startService } from '../../support/service.ts'

// Codes that are wrong, late, used or somebody else’s: test/confirmation-codes.test.ts.

describe('POST /me/phone/confirm', () => {
  test('200 with the user, whose number counts from then on, for its owner and for admins', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser('ann@example.com')
    const code = await phoneCodeFor(service, ann)
    service.advance(5 * SECOND_MS)

    const answer = await confirmPhone(service, ann, code)

    assert.equal(answer.status, 200)
    assert.equal(answer.body.phone, NUMBER)
    assert.equal(answer.body.updated_at, '2026-01-01T12:00:05.000Z')
    const me = await service.get('/api/v1/me', { token: ann.access })
    const seen = await service.get(`/api/v1/users/${ann.id}`, { token: admin.access })
    assert.deepEqual([me.body, seen.body], [answer.body, answer.body])
    assert.deepEqual(await pendingPhones(service), [])
    assert.deepEqual(await triesOf(service, ann.email), {})
  })

  test('401 authentication_required before the body is looked at', async () => {
    await using service = await startService()
    assertProblem(await service.post(CONFIRM, { code: 7 }), 'authentication_required')
  })
})
