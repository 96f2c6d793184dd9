import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mac } from '../../server/lib/keys.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { triesOf } from '../support/codes.ts'
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
} from '../support/email-changes.ts'
import { countHashes } from '../support/hashes.ts'
import { phoneCodeFor, pendingPhones } from '../support/phones.ts'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { forget, linksTo, NEW_PASSWORD, newestToken, reset } from '../support/resets.ts'
import { rowsOf } from '../support/seed.ts'
import { PASSWORD, SETTINGS, type Service, startService } from '../support/service.ts'

const A = 'ann@example.com'
const B = 'thief@example.com'
const C = 'thief2@example.com'
const LOGIN = '/api/v1/auth/login'
const UNDO_MS = 72 * HOUR_MS

/** A user whose address was changed from A to each of these, one after the other. */
async function startChanged(service: Service, ...addresses: readonly string[]) {
  const ann = await service.addUser(A)
  for (const address of addresses) await changeEmail(service, ann, address)
  return ann
}

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

    for (const { access, refresh } of [ann, thief]) {
      assertProblem(await service.get('/api/v1/me', { token: access }), 'invalid_token')
      const body = { refresh_token: refresh }
      assertProblem(await service.post('/api/v1/auth/refresh', body), 'invalid_token')
    }
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
    const events = await rowsOf(service.ctx, 'audit_events')
    const event = events.find((row) => row.event === 'email.change_undone')
    assert.deepEqual([event.actor_id, event.subject_id], [null, ann.id])
    assert.equal(event.ip, sent.ip)
    assert.equal(event.request_id, answer.headers['x-request-id'])
    assert.deepEqual(JSON.parse(event.changes), {
      email_change_id: change?.id,
      sessions_ended: 1,
    })
  })

  test('200 a second before 72 hours are over, 400 invalid_undo_token at their end', async () => {
    await using service = await startService()
    const [ann, bob] = [await startChanged(service, B), await service.addUser('bob@example.com')]
    service.advance(-MINUTE_MS)
    await changeEmail(service, bob, C)

    service.advance(UNDO_MS - SECOND_MS)
    const before = await undoEmail(service, undoTokenFor(service, A))
    service.advance(SECOND_MS)
    const after = await undoEmail(service, undoTokenFor(service, bob.email))

    assert.equal(before.status, 200)
    assertProblem(after, 'invalid_undo_token')
    assert.deepEqual([await emailOf(service, ann), await emailOf(service, bob)], [A, C])
  })

  test('200 once: 400 invalid_undo_token for a token that was used', async () => {
    await using service = await startService()
    await startChanged(service, B)
    const token = undoTokenFor(service, A)
    await undoEmail(service, token)

    assertProblem(await undoEmail(service, token), 'invalid_undo_token')
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

  test('200 for a disabled account, which stays disabled', async () => {
    await using service = await startService()
    const ann = await startChanged(service, B)
    const { access: token } = await service.addAdmin()
    await service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, { token })

    const answer = await undoEmail(service, undoTokenFor(service, A))

    assert.equal(answer.status, 200)
    const { body } = await service.get(`/api/v1/users/${ann.id}`, { token })
    assert.deepEqual([body.email, body.disabled], [A, true])
  })

  test('400 once the account is deleted', async () => {
    await using service = await startService()
    const ann = await startChanged(service, B)
    const { access: token } = await service.addAdmin()
    await service.delete(`/api/v1/users/${ann.id}`, { token })

    assertProblem(await undoEmail(service, undoTokenFor(service, A)), 'invalid_undo_token')
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

describe('an undo token', () => {
  test('400 unless it is right letter for letter, before the database or a hash is asked', async (t) => {
    await using service = await startService()
    const ann = await startChanged(service, B)
    const token = undoTokenFor(service, A)
    const [id = '', right = ''] = token.split('.')
    const key = service.ctx.keys.current.of.link
    const hashes = countHashes(service)
    const other = right.startsWith('A') ? 'B' : 'A'
    for (const [why, forged] of [
      ['another MAC', `${id}.${other}${right.slice(1)}`],
      ['a MAC cut short', token.slice(0, -1)],
      ['a MAC with more', `${token}A`],
      ['another id', `${id.replace(/^./, id.startsWith('0') ? '1' : '0')}.${right}`],
      ['an upper-case id', `${id.toUpperCase()}.${right}`],
      ['the token of a reset', `${id}.${mac(key, `reset:${id}`)}`],
      ['a line end after it', `${token}\n`],
      ['no MAC', id],
      ['an access token', ann.access],
      ['a refresh token', ann.refresh],
    ] as const) {
      await t.test(`for ${why}`, async () => {
        assertProblem(await undoEmail(service, forged), 'invalid_undo_token')
      })
    }
    assert.deepEqual([hashes.made, await emailOf(service, ann)], [0, B])
    assertProblem(await reset(service, token), 'invalid_reset_token')
  })

  test('400 for a change that waits for its code: nobody was mailed it, but it could be made', async () => {
    await using service = await startService()
    const ann = await service.addUser(A)
    await emailCodeFor(service, ann, B)
    const [{ id } = { id: '' }] = await emailChanges(service)
    const token = `${id}.${mac(service.ctx.keys.current.of.link, `undo:${id}`)}`

    assertProblem(await undoEmail(service, token), 'invalid_undo_token')
  })

  for (const [why, previous, status] of [
    ['200 while its key is still accepted', SETTINGS.SECRET_KEY, 200],
    ['400 once its key is gone', '', 400],
  ] as const) {
    test(`${why}, after the secret key was changed`, async () => {
      await using old = await startService()
      await startChanged(old, B)
      const SECRET_KEY = 'test-0nly-Qm4ZrK8sYw2VtB6nXc9GfJ5hLpD3'
      const settings = { SECRET_KEY, SECRET_KEY_PREVIOUS: previous }
      await using service = await startService(settings, { replicaOf: old })

      const token = undoTokenFor(service, A)
      const [id = ''] = token.split('.')
      // Right for another row, whose token was made with the key of now.
      const mixed = `${id}.${mac(service.ctx.keys.current.of.link, `undo:${id}`)}`

      assertProblem(await undoEmail(service, mixed), 'invalid_undo_token')
      assert.equal((await undoEmail(service, token)).status, status)
    })
  }

  test('422 for what is no text, and 405 for the GET of a mail scanner', async () => {
    await using service = await startService()
    assertInvalid(await service.post(UNDO, { token: 7 }), '/token')
    assertInvalid(await service.post(UNDO, {}), '/token')
    assertProblem(await service.get(UNDO), 'method_not_allowed')
  })
})

test('the budget of wrong codes goes back with the address', async () => {
  await using service = await startService()
  const ann = await startChanged(service, B)
  for (let n = 0; n < 3; n++) await confirmEmail(service, ann, '000000')

  await undoEmail(service, undoTokenFor(service, A))

  assert.deepEqual([await triesOf(service, B), await triesOf(service, A)], [{}, { email: 3 }])
})
