import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '../../../server/lib/units.ts'
import { triesOf } from '../../support/codes.ts'
import {
  changeEmail,
  confirmEmail,
  emailChanges,
  emailCodeFor,
  emailOf,
  UNDO,
  undoEmail,
  undoTokenFor,
  undoTokensTo,
} from '../../support/email-changes.ts'
import { eventsOf } from '../../support/events.ts'
import { phoneCodeFor, pendingPhones } from '../../support/phones.ts'
import { assertProblem } from '../../support/problem.ts'
import { forget, linksTo, NEW_PASSWORD, newestToken, reset } from '../../support/resets.ts'
import { PASSWORD, type Service, startService } from '../../support/service.ts'
import { assertDead, LOGIN } from '../../support/sessions.ts'

const A = 'ann@example.com'
const B = 'thief@example.com'
const C = 'thief2@example.com'

/** A user whose address was changed from A to each of these, one after the other. */
async function startChanged(service: Service, ...addresses: readonly string[]) {
  const ann = await service.addUser(A)
  for (const address of addresses) await changeEmail(service, ann, address)
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
    const ann = await startChanged(service, B)
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

  test('200 makes void what waits: a further change, links, a phone number', async () => {
    await using service = await startService()
    const ann = await startChanged(service, B)
    await phoneCodeFor(service, ann)
    await forget(service, B)
    const link = newestToken(service, B)
    service.advance(MINUTE_MS)
    await emailCodeFor(service, ann, C)

    await undoEmail(service, undoTokenFor(service, A))

    assertProblem(await reset(service, link), 'invalid_reset_token')
    assert.deepEqual(await pendingPhones(service), [])
    const left = await emailChanges(service)
    assert.deepEqual(
      left.map(({ email }) => email),
      [B],
    )
  })

  test('200 tells the address that is left when, and records who, whom and from where', async () => {
    await using service = await startService()
    const ann = await startChanged(service, B)

    const sent = { ip: '203.0.113.7' }
    const answer = await service.post(UNDO, { token: undoTokenFor(service, A) }, sent)
    await service.deliverMail()

    const told = service.mailsTo(B).at(-1)
    assert.equal(told?.subject, 'The change of your Coffee Shop address was undone')
    assert.match(
      told?.text ?? '',
      /^On 2026-01-01 12:01 UTC the account .* its previous one\. Every session was signed out/m,
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
    const ann = await startChanged(service, B)
    await forget(service, B)
    await reset(service, newestToken(service, B), 'a password of the thief')

    const answer = await undoEmail(service, undoTokenFor(service, A))

    assert.equal(answer.status, 200)
    assert.equal(await emailOf(service, ann), A)
    const thief = { email: A, password: 'a password of the thief' }
    assertProblem(await service.post(LOGIN, thief), 'invalid_credentials')
  })
})

describe('a chain of changes', () => {
  test('is undone whole by the first link, and makes the others void', async () => {
    await using service = await startService()
    const ann = await startChanged(service, B, C)
    const [first, second] = [undoTokenFor(service, A), undoTokenFor(service, B)]

    const undone = await undoEmail(service, first)
    const later = await undoEmail(service, second)

    assert.equal(undone.status, 200)
    assertProblem(later, 'invalid_undo_token')
    assert.equal(await emailOf(service, ann), A)
    await service.addUser(B)
    await service.addUser(C)
  })

  test('undone by its last link goes one step back, and the first link still works', async () => {
    await using service = await startService()
    const ann = await startChanged(service, B, C)

    const last = await undoEmail(service, undoTokenFor(service, B))
    const after = await emailOf(service, ann)
    const first = await undoEmail(service, undoTokenFor(service, A))

    assert.deepEqual([last.status, after], [200, B])
    assert.deepEqual([first.status, await emailOf(service, ann)], [200, A])
  })

  test('that goes back in the ordinary way gives the address in between no link', async () => {
    await using service = await startService()
    const ann = await startChanged(service, B)
    const first = undoTokenFor(service, A)

    await changeEmail(service, ann, A)

    assert.deepEqual(undoTokensTo(service, B), [])
    assert.match(service.mailsTo(B).at(-1)?.subject ?? '', /was undone$/)
    assertProblem(await undoEmail(service, first), 'invalid_undo_token')
    assert.equal(await emailOf(service, ann), A)
    await service.addUser(B)
  })
})

test('the budget of wrong codes goes back with the address', async () => {
  await using service = await startService()
  const ann = await startChanged(service, B)
  for (let n = 0; n < 3; n++) await confirmEmail(service, ann, '000000')

  await undoEmail(service, undoTokenFor(service, A))

  assert.deepEqual([await triesOf(service, B), await triesOf(service, A)], [{}, { email: 3 }])
})
