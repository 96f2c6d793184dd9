import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { deleteMe } from './support/deletions.ts'
import {
  changeEmail,
  confirmEmail,
  emailCodeFor,
  emailOf,
  undoEmail,
  undoTokenFor,
  undoTokensTo,
  UNDO,
} from './support/email-changes.ts'
import { eventsOf } from './support/events.ts'
import { addPhone, OTHER_NUMBER, phoneOf } from './support/phones.ts'
import { assertProblem } from './support/problem.ts'
import { forget, NEW_PASSWORD, newestToken, reset, tokenFor } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

// Somebody with a session and the password gave the account another address: what the owner still has.

const OWNER = 'ann@example.com'
const THIEF = 'thief@example.com'
const UNDO_MS = 72 * HOUR_MS

const subjectsTo = (service: Service, email: string) =>
  service.mailsTo(email).map(({ subject }) => subject)

async function startStolen() {
  const service = await startService()
  const ann = await service.addUser(OWNER)
  await changeEmail(service, ann, THIEF)
  return { service, ann, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

describe('the account cannot be deleted away', () => {
  test('409 email_change_undoable until 72 hours are over, told only after the right password', async () => {
    await using stolen = await startStolen()
    const { service, ann } = stolen

    const wrong = await deleteMe(service, ann, { body: { current_password: 'not it' } })
    const atOnce = await deleteMe(service, ann)
    service.advance(UNDO_MS - SECOND_MS)
    const login = await service.logIn(THIEF)
    const before = await deleteMe(service, login)
    service.advance(SECOND_MS)
    const after = await deleteMe(service, login)

    assertProblem(wrong, 'wrong_password')
    assertProblem(atOnce, 'email_change_undoable')
    assertProblem(before, 'email_change_undoable')
    assert.equal(after.status, 204)
    assert.deepEqual(await rowsOf(service.ctx, 'users'), [])
  })

  test('409 before the mail about the change was sent, which then brings the account back', async () => {
    await using service = await startService()
    const ann = await service.addUser(OWNER)
    await confirmEmail(service, ann, await emailCodeFor(service, ann, THIEF))

    const answer = await deleteMe(service, ann)
    await service.deliverMail()

    assertProblem(answer, 'email_change_undoable')
    assert.equal((await undoEmail(service, undoTokenFor(service, OWNER))).status, 200)
    assert.equal(await emailOf(service, ann), OWNER)
  })

  test('204 once the change was undone, and for who never changed it', async () => {
    await using stolen = await startStolen()
    const { service } = stolen
    const bob = await service.addUser()

    await undoEmail(service, undoTokenFor(service, OWNER))
    await service.deliverMail()
    await reset(service, newestToken(service, OWNER), PASSWORD)

    assert.equal((await deleteMe(service, await service.logIn(OWNER))).status, 204)
    assert.equal((await deleteMe(service, bob)).status, 204)
  })

  test('200 for an admin: each address that could take it back is told, and kept nowhere', async () => {
    await using stolen = await startStolen()
    const { service, ann } = stolen
    await changeEmail(service, ann, 'thief2@example.com')
    await forget(service, OWNER)
    const { access: token } = await service.addAdmin('admin@example.com')
    const now = subjectsTo(service, 'thief2@example.com')

    const sent = { token, ip: '198.51.100.9' }
    const answer = await service.delete(`/api/v1/users/${ann.id}`, sent)
    await service.deliverMail()

    assert.equal(answer.status, 200)
    for (const email of [OWNER, THIEF]) {
      const told = service.mailsTo(email).at(-1)
      assert.equal(told?.subject, 'Your Coffee Shop account was deleted')
      assert.match(
        told.text,
        /was deleted on 2026-01-01 12:02 UTC by somebody who runs Coffee Shop/,
      )
      assert.doesNotMatch(told.text, /198\.51\.100\.9/)
    }
    assert.deepEqual(subjectsTo(service, 'thief2@example.com'), now)
    const rows = [await rowsOf(service.ctx, 'outbox'), await rowsOf(service.ctx, 'code_failures')]
    assert.doesNotMatch(JSON.stringify(rows), /ann@|thief/)
  })
})

describe('the owner is told of a password that is changed afterwards, with the way back', () => {
  for (const [how, change] of [
    [
      'changed',
      async (service: Service, { access: token }: { access: string }) => {
        const body = { current_password: PASSWORD, new_password: NEW_PASSWORD }
        const answer = await service.post('/api/v1/me/password', body, { token, ip: '192.0.2.66' })
        assert.equal(answer.status, 204, answer.text)
      },
    ],
    [
      'reset',
      async (service: Service) => {
        const answer = await reset(service, await tokenFor(service, THIEF))
        assert.equal(answer.status, 200, answer.text)
      },
    ],
  ] as const) {
    test(`when it is ${how}`, async () => {
      await using stolen = await startStolen()
      const { service, ann } = stolen

      await change(service, ann)
      await service.deliverMail()

      for (const email of [OWNER, THIEF])
        assert.equal(subjectsTo(service, email).at(-1), 'Your Coffee Shop password was changed')
      assert.match(service.mailsTo(OWNER).at(-1)?.text ?? '', /until 2026-01-04 12:01 UTC:/)
      assert.doesNotMatch(service.mailsTo(OWNER).at(-1)?.text ?? '', /192\.0\.2\.66|thief/)
      const [first, again] = undoTokensTo(service, OWNER)
      assert.equal(again, first)
      assert.deepEqual(undoTokensTo(service, THIEF), [])
      assert.equal((await undoEmail(service, again ?? '')).status, 200)
    })
  }

  test('but not once the change cannot be undone', async () => {
    await using stolen = await startStolen()
    const { service } = stolen
    service.advance(UNDO_MS)
    const before = subjectsTo(service, OWNER)

    await reset(service, await tokenFor(service, THIEF))
    await service.deliverMail()

    assert.deepEqual(subjectsTo(service, OWNER), before)
    assert.equal(subjectsTo(service, THIEF).at(-1), 'Your Coffee Shop password was changed')
  })
})

describe('undoing the change', () => {
  test('tells the address that is left neither where nor with what it was done', async () => {
    await using stolen = await startStolen()
    const { service } = stolen
    const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0' }

    const body = { token: undoTokenFor(service, OWNER) }
    await service.post(UNDO, body, { ip: '203.0.113.77', headers })
    const rows = await rowsOf(service.ctx, 'outbox')
    const row = rows.find(({ kind }) => kind === 'email_undone')
    await service.deliverMail()

    const told = service.mailsTo(THIEF).at(-1)
    assert.equal(told?.subject, 'The change of your Coffee Shop address was undone')
    for (const text of [told.text, told.html, row.payload])
      assert.doesNotMatch(text, /203\.0\.113\.77|Firefox|Linux/)
  })

  test('nor does going back in the ordinary way', async () => {
    await using stolen = await startStolen()
    const { service, ann } = stolen
    service.advance(MINUTE_MS)
    const code = await emailCodeFor(service, ann, OWNER)

    const sent = { token: ann.access, ip: '203.0.113.77' }
    await service.post('/api/v1/me/email/confirm', { code }, sent)
    await service.deliverMail()

    const told = service.mailsTo(THIEF).at(-1)
    assert.equal(told?.subject, 'The change of your Coffee Shop address was undone')
    assert.doesNotMatch(told.text, /203\.0\.113\.77/)
  })

  test('removes a phone number that was confirmed since, and what was sent to it', async () => {
    await using stolen = await startStolen()
    const { service, ann } = stolen
    service.advance(MINUTE_MS)
    await addPhone(service, ann)

    await undoEmail(service, undoTokenFor(service, OWNER))

    const [user] = await rowsOf(service.ctx, 'users')
    assert.deepEqual([user.phone, user.phone_verified_at], [null, null])
    assert.doesNotMatch(JSON.stringify(await rowsOf(service.ctx, 'outbox')), /\+491512/)
    const [removed] = await eventsOf(service, 'phone.removed')
    assert.deepEqual([removed?.actor_id, removed?.subject_id], [null, ann.id])
  })

  test('keeps one from before', async () => {
    await using service = await startService()
    const ann = await service.addUser(OWNER)
    await addPhone(service, ann, OTHER_NUMBER)
    await changeEmail(service, ann, THIEF)

    await undoEmail(service, undoTokenFor(service, OWNER))
    await service.deliverMail()
    await reset(service, newestToken(service, OWNER), PASSWORD)

    assert.equal(await phoneOf(service, await service.logIn(OWNER)), OTHER_NUMBER)
    assert.deepEqual(await eventsOf(service, 'phone.removed'), [])
  })
})
