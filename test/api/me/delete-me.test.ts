import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeliveryError } from '../../../server/outbox/transports/delivery-error.ts'
import { deleteMe } from '../../support/deletions.ts'
import { eventsOf } from '../../support/events.ts'
import { afterVerify } from '../../support/hashes.ts'
import { deliverBy } from '../../support/mailers.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { rowsOf } from '../../support/seed.ts'
import { type Answer, PASSWORD, type Service, startService } from '../../support/service.ts'

const ME = '/api/v1/me'
const BODY = { current_password: PASSWORD }

const farewellOf = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'outbox')).find((row) => row['kind'] === 'account_deleted')
const userIds = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'users')).map((row) => Number(row['id']))
const statuses = (answers: readonly Answer[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b)

// What every deletion does: test/erasure.test.ts.

describe('DELETE /me', () => {
  test('204 sends one last mail, when and from where, and nothing that waited', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    await service.patch(ME, { full_name: 'Ann' }, { token: ann.access })
    const next = { ...BODY, new_password: 'another good password' }
    await service.post('/api/v1/me/password', next, { token: ann.access })
    const before = service.mailsTo(ann.email).length
    const body = { current_password: next.new_password }

    await deleteMe(service, ann, { body, ip: '203.0.113.7' })
    await service.deliverMail()

    const [last, ...more] = service.mailsTo(ann.email).slice(before)
    assert.deepEqual(more, [])
    assert.equal(last?.subject, 'Your Coffee Shop account was deleted')
    assert.match(last.text, /deleted on 2026-01-01 12:00 UTC from IP address 203\.0\.113\.7/)
  })

  test('204: the last mail is in the language of the owner', async () => {
    await using service = await startService()
    const headers = { 'accept-language': 'de' }
    const email = 'ann@example.com'
    await service.post('/api/v1/auth/signup', { email, password: PASSWORD }, { headers })
    await service.post('/api/v1/auth/verify', { email, code: await service.codeFor(email) })

    await deleteMe(service, await service.logIn(email))
    await service.deliverMail()

    const subject = service.mailsTo(email).at(-1)?.subject
    assert.equal(subject, 'Ihr Konto bei Coffee Shop wurde gelöscht')
  })

  test('204: the last mail keeps the address until it is sent, and not after', async () => {
    await using service = await startService()
    const ann = await service.addUser('ann@example.com')
    await deleteMe(service, ann)

    const waiting = await farewellOf(service)
    await service.deliverMail()
    const sent = await farewellOf(service)

    assert.match(waiting.payload, /ann@example\.com/)
    assert.equal(sent.state, 'sent')
    assert.doesNotMatch(JSON.stringify(sent), /ann@example/)
    assert.deepEqual([sent.payload, sent.recipient, sent.user_id], ['{}', null, null])
  })

  test('204: nor once it is refused, and an admin who sends it again sends nothing', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser('ann@example.com')
    await deleteMe(service, ann)
    await deliverBy(service, ({ to }) => new DeliveryError('refused', `550 5.1.1 no ${to}`))
    const before = service.mailer.sent.length

    const refused = await farewellOf(service)
    const again = await service.post(`/api/v1/mail/${refused.id}/resend`, undefined, {
      token: admin.access,
    })
    await service.deliverMail()

    assert.equal(refused.state, 'bounced')
    assert.doesNotMatch(JSON.stringify(refused), /ann@example/)
    assert.equal(again.status, 202)
    assert.equal((await farewellOf(service)).state, 'dropped')
    assert.equal(service.mailer.sent.length, before)
  })

  test('204 is recorded by id, without the network', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    const answer = await deleteMe(service, ann)

    const request_id = answer.headers['x-request-id']
    assert.deepEqual(await eventsOf(service, 'user.deleted'), [
      { actor_id: ann.id, subject_id: ann.id, ip: null, request_id, changes: {} },
    ])
  })

  test('403 wrong_password deletes nothing, and is recorded', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    const answer = await deleteMe(service, ann, { body: { current_password: 'not my password' } })

    assertProblem(answer, 'wrong_password')
    assert.equal((await service.get(ME, { token: ann.access })).status, 200)
    assert.equal((await eventsOf(service, 'password.refused')).length, 1)
    assert.deepEqual(await eventsOf(service, 'user.deleted'), [])
  })

  test('409 last_admin for the last one is told only after the right password', async () => {
    await using service = await startService()
    const ann = await service.addAdmin()

    const wrong = await deleteMe(service, ann, { body: { current_password: 'not my password' } })
    const right = await deleteMe(service, ann)

    assertProblem(wrong, 'wrong_password')
    assertProblem(right, 'last_admin')
    assert.equal((await service.get(ME, { token: ann.access })).status, 200)
    assert.equal(await farewellOf(service), undefined)
  })

  for (const [why, body, pointer, code] of [
    ['no password', {}, '/current_password', 'required'],
    ['a number', { current_password: 12_345_678 }, '/current_password', 'type'],
    ['somebody’s id', { ...BODY, id: 1 }, '/id', 'additionalProperties'],
  ] as const) {
    test(`422 ${code} for ${why}`, async () => {
      await using service = await startService()
      const ann = await service.addUser()

      assertInvalid(await deleteMe(service, ann, { body }), pointer, code)
      assert.equal((await service.get(ME, { token: ann.access })).status, 200)
    })
  }

  test('422 without a body, 401 without a token', async () => {
    await using service = await startService()
    const ann = await service.addUser()

    const empty = await service.delete(ME, { token: ann.access })
    const nobody = await service.delete(ME, { body: BODY })

    assertProblem(empty, 'validation_failed')
    assertProblem(nobody, 'authentication_required')
    assert.deepEqual(await userIds(service), [ann.id])
  })
})

describe('deleting oneself and what happens at the same time', () => {
  test('403 when the password was changed between its proof and the deletion', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const next = { ...BODY, new_password: 'another good password' }
    afterVerify(service, () => service.post('/api/v1/me/password', next, { token: ann.access }))

    const answer = await deleteMe(service, ann)

    assertProblem(answer, 'wrong_password')
    assert.deepEqual(await userIds(service), [ann.id])
  })

  test('401 when an admin disabled the account between the proof and the deletion', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser()
    afterVerify(service, () =>
      service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, { token: admin.access }),
    )

    const answer = await deleteMe(service, ann)

    assertProblem(answer, 'invalid_token')
    assert.deepEqual(
      (await userIds(service)).toSorted((a, b) => a - b),
      [admin.id, ann.id],
    )
  })

  test('twice at once: one 204, one 401, one mail', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const { access } = await service.logIn(ann.email)

    const answers = await Promise.all([deleteMe(service, ann), deleteMe(service, { access })])

    assert.deepEqual(statuses(answers), [204, 401])
    const rows = await rowsOf(service.ctx, 'outbox')
    assert.equal(rows.filter((row) => row['kind'] === 'account_deleted').length, 1)
  })

  test('logins and refreshes, many at once: no token of theirs works afterwards', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    const login = { email: ann.email, password: PASSWORD }
    const refresh = { refresh_token: ann.refresh }

    const [deleted, ...others] = await Promise.all([
      deleteMe(service, ann),
      ...Array.from({ length: 8 }, () => service.post('/api/v1/auth/login', login)),
      ...Array.from({ length: 4 }, () => service.post('/api/v1/auth/refresh', refresh)),
    ])

    assert.equal(deleted.status, 204, deleted.text)
    for (const { status, body } of others) {
      assert.ok([200, 401].includes(status), String(status))
      const token = String(body.access_token)
      assert.equal((await service.get(ME, { token })).status, 401)
    }
    assert.deepEqual(await rowsOf(service.ctx, 'sessions'), [])
  })
})
