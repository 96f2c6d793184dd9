import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { triesOf } from '../../support/codes.ts'
import {
  changeEmail,
  confirmEmail,
  emailChanges,
  emailOf,
  UNDO,
  undoEmail,
  undoTokenFor,
} from '../../support/email-changes.ts'
import { eventsOf } from '../../support/events.ts'
import { phoneCodeFor, pendingPhones } from '../../support/phones.ts'
import { assertProblem } from '../../support/problem.ts'
import { forget, linksTo, NEW_PASSWORD, newestToken, reset } from '../../support/resets.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'
import { assertDead, LOGIN } from '../../support/sessions.ts'
import { confirmEmailChange, replaceEmailChange } from '../../../server/accounts/email-changes.ts'
import { setEmail } from '../../../server/accounts/addresses.ts'
import { linkToken } from '../../../server/keys/links.ts'

const A = 'ann@example.com'
const B = 'thief@example.com'
const C = 'thief2@example.com'

/** A user whose address was changed from A to B. */
async function startChanged(service: Service) {
  const ann = await service.addUser(A)
  await changeEmail(service, ann, B)
  return ann
}

// What a link is worth: test/mailed-links.test.ts.

describe('POST /auth/email/undo', () => {
  test('200 brings the old address back as it was typed, and frees the new one', async () => {
    await using service = await startService()
    const ann = await service.addUser('Ann@Example.com')
    await changeEmail(service, ann, B)

    const answer = await undoEmail(service, undoTokenFor(service, 'Ann@Example.com'))

    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(Object.keys(answer.body), ['message'])
    assert.equal(await emailOf(service, ann), 'Ann@Example.com')
    assert.notEqual((await service.addUser(B)).id, ann.id)
  })

  test('200 ends every session, stops the password, and mails a link that sets a new one', async () => {
    await using service = await startService()
    const ann = await startChanged(service)
    const thief = await service.logIn(B)

    await undoEmail(service, undoTokenFor(service, A))
    await service.deliverMail()

    await assertDead(service, ann, thief)
    for (const email of [A, B]) {
      const answer = await service.post(LOGIN, { email, password: PASSWORD })
      assertProblem(answer, 'invalid_credentials')
    }
    assert.deepEqual([linksTo(service, A).length, linksTo(service, B).length], [1, 0])
    assert.equal((await reset(service, newestToken(service, A))).status, 200)
    await service.logIn(A, NEW_PASSWORD)
  })

  test('200 makes void what waits: links, a phone number', async () => {
    await using service = await startService()
    const ann = await startChanged(service)
    await phoneCodeFor(service, ann)
    await forget(service, B)
    const link = newestToken(service, B)

    await undoEmail(service, undoTokenFor(service, A))

    assertProblem(await reset(service, link), 'invalid_reset_token')
    assert.deepEqual(await pendingPhones(service), [])
  })

  test('200 tells the address that is left when, and records who, whom and from where', async () => {
    await using service = await startService()
    const ann = await startChanged(service)

    const sent = { ip: '203.0.113.7' }
    const answer = await service.post(UNDO, { token: undoTokenFor(service, A) }, sent)
    await service.deliverMail()

    const told = service.mailsTo(B).at(-1)
    assert.equal(told?.subject, 'The change of your Coffee Shop email address was undone')
    assert.match(
      told?.text ?? '',
      /^On 2026-01-01 12:01 UTC the account .* its previous address\. All devices were logged out/m,
    )
    const [change] = await emailChanges(service)
    assert.deepEqual(await eventsOf(service, 'email.change_undone'), [
      {
        actor_id: null,
        subject_id: ann.id,
        ip: sent.ip,
        request_id: answer.headers['x-request-id'],
        changes: { email_change_id: change?.id, sessions_ended: 1 },
      },
    ])
  })

  test('200 after a reset of the password, too: what was confirmed can be undone all the same', async () => {
    await using service = await startService()
    const ann = await startChanged(service)
    await forget(service, B)
    await reset(service, newestToken(service, B), 'a password of the thief')

    const answer = await undoEmail(service, undoTokenFor(service, A))

    assert.equal(answer.status, 200)
    assert.equal(await emailOf(service, ann), A)
    const thief = { email: A, password: 'a password of the thief' }
    assertProblem(await service.post(LOGIN, thief), 'invalid_credentials')
  })
})

test('a chain of changes from before they were refused is undone whole by its first link', async () => {
  await using service = await startService()
  const ann = await startChanged(service)
  const { ctx } = service
  const later = await ctx.transaction(async (tx) => {
    const user = { id: ann.id, email: B, email_canonical: B }
    const [to, nowMs] = [{ email: C, email_canonical: C }, ctx.now()]
    const id = await replaceEmailChange(tx, ctx.keys, { user, to, nowMs })
    await confirmEmailChange(tx, id, nowMs)
    await setEmail(tx, ann.id, { email: C, emailCanonical: C, nowMs })
    return id
  })

  const undone = await undoEmail(service, undoTokenFor(service, A))

  assert.equal(undone.status, 200)
  assert.equal(await emailOf(service, ann), A)
  assertProblem(
    await undoEmail(service, linkToken(ctx.keys.current, 'undo', later)),
    'invalid_undo_token',
  )
  await service.addUser(B)
  await service.addUser(C)
})

test('the budget of wrong codes goes back with the address', async () => {
  await using service = await startService()
  const ann = await startChanged(service)
  for (let n = 0; n < 3; n++) await confirmEmail(service, ann, '000000')

  await undoEmail(service, undoTokenFor(service, A))

  assert.deepEqual([await triesOf(service, B), await triesOf(service, A)], [{}, { email: 3 }])
})
