import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECOND_MS } from '../../../server/lib/units.ts'
import { otherThan, triesOf } from '../../support/codes.ts'
import {
  changeEmail,
  CONFIRM,
  confirmEmail,
  emailChanges,
  emailCodeFor,
  emailOf,
  undoTokensTo,
} from '../../support/email-changes.ts'
import { eventsOf } from '../../support/events.ts'
import { confirmPhone, pendingPhones, phoneCodeFor } from '../../support/phones.ts'
import { assertProblem } from '../../support/problem.ts'
import { forget, newestToken, reset } from '../../support/resets.ts'
import { rowsOf } from '../../support/seed.ts'
import { PASSWORD, startService } from '../../support/service.ts'
import { assertDead, LOGIN } from '../../support/sessions.ts'

const OLD = 'ann@example.com'
const NEW = 'new@example.com'
const VERIFY = '/api/v1/auth/verify'

// Codes that are wrong, late, used or somebody else’s: test/confirmation-codes.test.ts.

describe('POST /me/email/confirm', () => {
  test('200 with the user as typed: the new address logs in, the old one does not', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const code = await emailCodeFor(service, ann, 'New@Example.com')
    service.advance(5 * SECOND_MS)

    const answer = await confirmEmail(service, ann, code)

    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.body.email, 'New@Example.com')
    assert.equal(answer.body.updated_at, '2026-01-01T12:00:05.000Z')
    const me = await service.get('/api/v1/me', { token: ann.access })
    assert.deepEqual(me.body, answer.body)
    await service.logIn(NEW)
    const old = await service.post(LOGIN, { email: OLD, password: PASSWORD })
    assertProblem(old, 'invalid_credentials')
  })

  test('200 ends every session but this one', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(OLD), await service.addUser()]
    const other = await service.logIn(OLD)

    await changeEmail(service, ann, NEW)

    await assertDead(service, other)
    for (const { access: token } of [ann, bob])
      assert.equal((await service.get('/api/v1/me', { token })).status, 200)
  })

  test('200 mails the old address the way back, and the new one a word', async () => {
    await using service = await startService({ PUBLIC_URL: 'https://shop.example/coffee' })
    const ann = await service.addUser(OLD)
    const code = await emailCodeFor(service, ann, NEW)

    await service.post(CONFIRM, { code }, { token: ann.access, ip: '203.0.113.7' })
    await service.deliverMail()

    const told = service.mailsTo(OLD).at(-1)
    assert.equal(told?.subject, 'The address of your Coffee Shop account was changed')
    assert.match(
      told?.text ?? '',
      /changed to a different email address on 2026-01-01 12:00 UTC from IP address 203\.0\.113\.7/,
    )
    assert.match(told?.text ?? '', /until 2026-01-04 12:00 UTC:/)
    assert.match(told?.text ?? '', /^https:\/\/shop\.example\/coffee\/reset#undo=[\w.-]+$/m)
    assert.doesNotMatch(told?.text ?? '', /new@example\.com/)
    const welcome = service.mailsTo(NEW).at(-1)
    assert.equal(welcome?.subject, 'Your Coffee Shop account has a new address')
    assert.deepEqual(undoTokensTo(service, NEW), [])
  })

  test('200 is recorded with who, whom and from where, and without an address', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    await service.logIn(OLD)
    const code = await emailCodeFor(service, ann, NEW)

    const sent = { token: ann.access, ip: '203.0.113.7' }
    const answer = await service.post(CONFIRM, { code }, sent)

    const [change] = await emailChanges(service)
    assert.deepEqual(await eventsOf(service, 'email.changed'), [
      {
        actor_id: ann.id,
        subject_id: ann.id,
        ip: '203.0.113.7',
        request_id: answer.headers['x-request-id'],
        changes: { email_change_id: change?.id, sessions_ended: 1 },
      },
    ])
  })

  test('401 authentication_required before the body is looked at', async () => {
    await using service = await startService()
    assertProblem(await service.post(CONFIRM, { code: 7 }), 'authentication_required')
  })
})

describe('the new address', () => {
  test('400 invalid_code when somebody proved it meanwhile; they keep it', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const code = await emailCodeFor(service, ann, NEW)
    const bob = await service.addUser(NEW)

    const answer = await confirmEmail(service, ann, code)

    assertProblem(answer, 'invalid_code')
    assert.deepEqual([await emailOf(service, ann), await emailOf(service, bob)], [OLD, NEW])
  })

  test('200 deletes who only began to sign it up, with attempts, codes and mails', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const signUpId = await service.signUp(NEW, 'the password of a squatter')
    const squatter = await service.codeFor(NEW)
    await service.post(VERIFY, { email: NEW, code: otherThan(squatter) })
    await forget(service, NEW)
    const token = newestToken(service, NEW)
    await service.signUp(NEW, 'another password of a squatter')

    await changeEmail(service, ann, NEW)

    const body = { email: NEW, code: squatter, sign_up_id: signUpId }
    assertProblem(await service.post(VERIFY, body), 'invalid_code')
    assertProblem(await reset(service, token), 'invalid_reset_token')
    assert.deepEqual(
      (await rowsOf(service.ctx, 'users')).map(({ id, email }) => [id, email]),
      [[ann.id, NEW]],
    )
    assert.deepEqual(await rowsOf(service.ctx, 'sign_ups'), [])
    const guess = { email: NEW, password: 'the password of a squatter' }
    assertProblem(await service.post(LOGIN, guess), 'invalid_credentials')
  })
})

describe('what was begun before the change', () => {
  test('400 for a link to reset the password that was mailed to the old address', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    await forget(service, OLD)
    const token = newestToken(service, OLD)

    await changeEmail(service, ann, NEW)

    assertProblem(await reset(service, token), 'invalid_reset_token')
    assert.equal(await forget(service, OLD), 0)
    assert.equal(await forget(service, NEW), 1)
  })

  test('400 for the code of a phone number that waited', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    const code = await phoneCodeFor(service, ann)

    await changeEmail(service, ann, NEW)

    assertProblem(await confirmPhone(service, ann, code), 'invalid_code')
    assert.deepEqual(await pendingPhones(service), [])
  })
})

describe('the budget of wrong codes for a new address', () => {
  test('goes along to the new address, and so does that of phone codes: a change buys no guesses', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    for (let n = 0; n < 4; n++) {
      await confirmEmail(service, ann, '000000')
      await confirmPhone(service, ann, '000000')
    }

    await changeEmail(service, ann, NEW)

    assert.deepEqual(await triesOf(service, OLD), {})
    assert.deepEqual(await triesOf(service, NEW), { email: 4, phone: 4 })
  })
})
