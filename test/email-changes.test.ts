import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { DeliveryError } from '../server/outbox/transports/delivery-error.ts'
import { setEmail } from '../server/accounts/addresses.ts'
import { confirmEmailChange, replaceEmailChange } from '../server/accounts/email-changes.ts'
import { makeFirstAdmin } from '../server/accounts/admins.ts'
import { otherThan } from './support/codes.ts'
import {
  changeEmail,
  confirmEmail,
  emailChanges,
  emailCodeFor,
  emailCodesTo,
  emailOf,
  UNDO,
  undoEmail,
  undoTokenFor,
  undoTokensTo,
  unsentCodeOf,
  wantEmail,
} from './support/email-changes.ts'
import { assertIndistinguishable } from './support/fingerprint.ts'
import { deliverBy } from './support/mailers.ts'
import { addPhone, askForCode, NUMBER, OTHER_NUMBER, phoneOf } from './support/phones.ts'
import { assertProblem } from './support/problem.ts'
import { runOn } from './support/process.ts'
import { ROUNDS, startReplicas, times, turns } from './support/races.ts'
import { forget, NEW_PASSWORD, newestToken, reset, tokenFor } from './support/resets.ts'
import { runJob } from './support/jobs.ts'
import { rowsOf } from './support/seed.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'

// Addresses that accounts want, have left or lost: what that allows, and what it tells of others.

const OLD = 'ann@example.com'
const NEW = 'new@example.com'
const THIEF = 'thief@example.com'
const TARGET = 'target@example.com'
const UNDO_MS = 72 * HOUR_MS

const signUp = (service: Service, email: string): Promise<Answer> =>
  service.post('/api/v1/auth/signup', { email, password: PASSWORD })
const deleteMe = (service: Service, { access: token }: { access: string }) =>
  service.delete('/api/v1/me', { token, body: { current_password: PASSWORD } })
const emails = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'users')).map((row) => String(row.email)).toSorted()
const subjectsTo = (service: Service, email: string) =>
  service.mailsTo(email).map(({ subject }) => subject)

/** Somebody who was at the old address and is at another one. */
async function startMoved(to: string, settings: Record<string, string> = {}) {
  const service = await startService(settings)
  const ann = await service.addUser(OLD)
  await changeEmail(service, ann, to)
  return { service, ann, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

describe('a reserved address', () => {
  test('409 email_taken for a sign-up until 72 hours are over, as for a registered one, and nothing is left of the try', async () => {
    await using moved = await startMoved(NEW)
    const { service } = moved

    service.advance(UNDO_MS - SECOND_MS)
    const before = await signUp(service, 'ANN@example.com')
    const registered = await signUp(service, NEW)
    const users = await emails(service)
    service.advance(SECOND_MS)
    const after = await signUp(service, OLD)

    assertProblem(before, 'email_taken')
    assertIndistinguishable({ reserved: before, registered })
    assert.deepEqual(users, [NEW])
    assert.equal(after.status, 201)
  })

  test('201 as for a free one with HIDE_REGISTERED_EMAILS, and no code is mailed', async () => {
    await using moved = await startMoved(NEW, { HIDE_REGISTERED_EMAILS: 'true' })
    const { service } = moved
    const mails = service.mailsTo(OLD).length

    const [mine, free] = [await signUp(service, OLD), await signUp(service, 'abc@example.com')]
    await service.deliverMail()

    assert.deepEqual([mine.status, free.status], [201, 201])
    assert.deepEqual(Object.keys(mine.body), Object.keys(free.body))
    assert.equal(service.mailsTo(OLD).length, mails)
    assert.deepEqual(await emails(service), ['abc@example.com', NEW])
  })

  test('202 for another user who wants it: its owner is told, and no code works, not even an unsent one', async () => {
    await using moved = await startMoved(NEW)
    const { service } = moved
    const eve = await service.addUser('eve@example.com')

    const answer = await wantEmail(service, eve, OLD)
    await service.deliverMail()

    assert.equal(answer.status, 202)
    const told = service.mailsTo(OLD).at(-1)
    assert.equal(told?.subject, 'This address is already in use at Coffee Shop')
    const unsent = await confirmEmail(service, eve, await unsentCodeOf(service, eve))
    assertProblem(unsent, 'invalid_code')
    assert.doesNotMatch(told?.text ?? '', /\b[0-9]{6}\b/)
  })

  test('400 invalid_code for a code that was mailed before the address was left', async () => {
    await using service = await startService()
    const eve = await service.addUser('eve@example.com')
    const code = await emailCodeFor(service, eve, OLD)
    const ann = await service.addUser(OLD)
    await changeEmail(service, ann, NEW)

    assertProblem(await confirmEmail(service, eve, code), 'invalid_code')
    assert.equal(await emailOf(service, eve), 'eve@example.com')
    assert.deepEqual(await emails(service), ['eve@example.com', NEW])
  })

  test('is not given to an admin made by a setting, and the log says why', async () => {
    await using moved = await startMoved(NEW)
    const { service } = moved

    await makeFirstAdmin(service.ctx, OLD, 'a password of an admin')

    assert.deepEqual(await emails(service), [NEW])
    assert.ok(service.logged.some((line) => /ADMIN_EMAIL is reserved for the user who/.test(line)))
  })

  test('is free once the account is deleted', async () => {
    await using moved = await startMoved(NEW)
    const { service, ann } = moved
    const { access: token } = await service.addAdmin()

    await service.delete(`/api/v1/users/${ann.id}`, { token })

    assert.equal((await signUp(service, OLD)).status, 201)
    assert.deepEqual(await emailChanges(service), [])
  })
})

test('nothing of any address that an account ever had is left once it is deleted', async () => {
  await using moved = await startMoved(NEW)
  const { service, ann } = moved
  const { access: token } = await service.addAdmin('admin@example.com')
  assert.equal(await forget(service, NEW), 1)
  await undoEmail(service, undoTokenFor(service, OLD))
  await service.deliverMail()
  await reset(service, newestToken(service, OLD), PASSWORD)
  await changeEmail(service, await service.logIn(OLD), 'third@example.com')

  await service.delete(`/api/v1/users/${ann.id}`, { token })
  await service.deliverMail()

  const tables = ['users', 'email_changes', 'code_failures', 'audit_events', 'outbox'] as const
  const rows = await Promise.all(tables.map((table) => rowsOf(service.ctx, table)))
  assert.doesNotMatch(JSON.stringify(rows), /(ann|new|third)@example\.com/)
})

test('an address that is left while others sign it up or want it is nobody else’s', async () => {
  await using replicas = await startReplicas()
  const [first, second] = replicas.pair

  for (const n of times(ROUNDS)) {
    const ann = await first.addUser(`ann${n}@example.com`)
    const eve = await first.addUser(`eve${n}@example.com`)
    const code = await emailCodeFor(first, ann, `next${n}@example.com`)
    await wantEmail(first, eve, ann.email)
    const evesCode = await unsentCodeOf(first, eve)
    const [left, signedUp, wanted] = await Promise.all([
      turns(n % 4).then(() => confirmEmail(first, ann, code)),
      turns((n * 3) % 4).then(() => signUp(second, ann.email)),
      confirmEmail(second, eve, evesCode),
    ])

    assert.equal(left.status, 200, left.text)
    assertProblem(signedUp, 'email_taken')
    assertProblem(wanted, 'invalid_code')
    assert.ok(!(await emails(first)).includes(ann.email))
  }
})

test('a sign-up that waits for the commit of whoever leaves the address does not get it', async () => {
  await using replicas = await startReplicas({ HIDE_REGISTERED_EMAILS: 'true' })
  const [first, second] = replicas.pair
  const ann = await first.addUser(OLD)
  const [left, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const leaving = first.ctx.transaction(async (tx) => {
    const user = { id: ann.id, email: OLD, email_canonical: OLD }
    const to = { email: NEW, email_canonical: NEW }
    const nowMs = first.ctx.now()
    const change = await replaceEmailChange(tx, first.ctx.keys, { user, to, nowMs })
    await confirmEmailChange(tx, change, nowMs)
    await setEmail(tx, ann.id, { email: NEW, emailCanonical: NEW, nowMs })
    left.resolve()
    await commit.promise
  })
  await left.promise
  const hashed = Promise.withResolvers<void>()
  const { hash } = second.ctx.hasher
  second.ctx.hasher.hash = async (...args) => {
    const made = await hash(...args)
    hashed.resolve()
    return made
  }

  const signingUp = signUp(second, OLD)
  await hashed.promise
  await turns(100)
  commit.resolve()
  await leaving

  assert.equal((await signingUp).status, 201)
  assert.deepEqual(await emails(first), [NEW])
})

describe('the purge of changes', () => {
  const left = async (service: Service) => {
    await runJob(service, 'purge')
    return (await emailChanges(service)).length
  }

  test('keeps one that waits until its code expired', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    await emailCodeFor(service, ann, NEW)

    service.advance(31 * MINUTE_MS)
    const before = await left(service)
    service.advance(HOUR_MS)

    assert.deepEqual([before, await left(service)], [1, 0])
  })

  test('keeps one that can be undone as long as it can, with its link and its reservation', async () => {
    await using moved = await startMoved(NEW)
    const { service, ann } = moved
    service.advance(UNDO_MS - 2 * HOUR_MS)
    // The first after so long a time is skipped.
    await left(service)
    service.advance(HOUR_MS)
    const kept = await left(service)
    const held = await signUp(service, OLD)
    const token = undoTokenFor(service, OLD)

    assert.equal(kept, 1)
    assertProblem(held, 'email_taken')
    assert.equal((await undoEmail(service, token)).status, 200)
    assert.equal(await emailOf(service, ann), OLD)
    service.advance(HOUR_MS)
    assert.equal(await left(service), 0)
    assertProblem(await undoEmail(service, token), 'invalid_undo_token')
  })
})

test('users create refuses a reserved address', async () => {
  await using service = await startService({}, { nowMs: Date.now() })
  await changeEmail(service, await service.addUser(OLD), NEW)

  const finished = await runOn(service, ['users', 'create', OLD], { input: PASSWORD })

  assert.equal(finished.exitCode, 1)
  assert.match(finished.stderr, /already registered/)
  assert.deepEqual(await emails(service), [NEW])
})

describe('the account cannot be deleted away', () => {
  test('409 email_change_undoable until 72 hours are over, told only after the right password', async () => {
    await using moved = await startMoved(THIEF)
    const { service, ann } = moved

    const wrong = await service.delete('/api/v1/me', {
      token: ann.access,
      body: { current_password: 'not it' },
    })
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
    const ann = await service.addUser(OLD)
    await confirmEmail(service, ann, await emailCodeFor(service, ann, THIEF))

    const answer = await deleteMe(service, ann)
    await service.deliverMail()

    assertProblem(answer, 'email_change_undoable')
    assert.equal((await undoEmail(service, undoTokenFor(service, OLD))).status, 200)
    assert.equal(await emailOf(service, ann), OLD)
  })

  test('204 once the change was undone, and for who never changed it', async () => {
    await using moved = await startMoved(THIEF)
    const { service } = moved
    const bob = await service.addUser()

    await undoEmail(service, undoTokenFor(service, OLD))
    await service.deliverMail()
    await reset(service, newestToken(service, OLD), PASSWORD)

    assert.equal((await deleteMe(service, await service.logIn(OLD))).status, 204)
    assert.equal((await deleteMe(service, bob)).status, 204)
  })

  test('200 for an admin: the address that could take it back is told, and kept nowhere', async () => {
    await using moved = await startMoved(THIEF)
    const { service, ann } = moved
    await forget(service, OLD)
    const { access: token } = await service.addAdmin('admin@example.com')
    const before = subjectsTo(service, THIEF)

    const sent = { token, ip: '198.51.100.9' }
    const answer = await service.delete(`/api/v1/users/${ann.id}`, sent)
    await service.deliverMail()

    assert.equal(answer.status, 200)
    const told = service.mailsTo(OLD).at(-1)
    assert.equal(told?.subject, 'Your Coffee Shop account was deleted')
    assert.match(told.text, /was deleted on 2026-01-01 12:01 UTC by an admin of Coffee Shop/)
    assert.doesNotMatch(told.text, /198\.51\.100\.9/)
    assert.deepEqual(subjectsTo(service, THIEF), before)
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
      await using moved = await startMoved(THIEF)
      const { service, ann } = moved

      await change(service, ann)
      await service.deliverMail()

      for (const email of [OLD, THIEF])
        assert.equal(subjectsTo(service, email).at(-1), 'Your Coffee Shop password was changed')
      assert.match(service.mailsTo(OLD).at(-1)?.text ?? '', /until 2026-01-04 12:01 UTC:/)
      assert.doesNotMatch(service.mailsTo(OLD).at(-1)?.text ?? '', /192\.0\.2\.66|thief/)
      const [first, again] = undoTokensTo(service, OLD)
      assert.equal(again, first)
      assert.deepEqual(undoTokensTo(service, THIEF), [])
      assert.equal((await undoEmail(service, again ?? '')).status, 200)
    })
  }

  test('but not once the change cannot be undone', async () => {
    await using moved = await startMoved(THIEF)
    const { service } = moved
    service.advance(UNDO_MS)
    const before = subjectsTo(service, OLD)

    await reset(service, await tokenFor(service, THIEF))
    await service.deliverMail()

    assert.deepEqual(subjectsTo(service, OLD), before)
    assert.equal(subjectsTo(service, THIEF).at(-1), 'Your Coffee Shop password was changed')
  })
})

describe('undoing the change', () => {
  test('tells the address that is left neither where nor with what it was done', async () => {
    await using moved = await startMoved(THIEF)
    const { service } = moved
    const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0' }

    const body = { token: undoTokenFor(service, OLD) }
    await service.post(UNDO, body, { ip: '203.0.113.77', headers })
    const rows = await rowsOf(service.ctx, 'outbox')
    const row = rows.find(({ kind }) => kind === 'email_undone')
    await service.deliverMail()

    const told = service.mailsTo(THIEF).at(-1)
    assert.equal(told?.subject, 'The change of your Coffee Shop email address was undone')
    for (const text of [told.text, told.html, row.payload])
      assert.doesNotMatch(text, /203\.0\.113\.77|Firefox|Linux/)
  })

  test('removes a phone number that was confirmed since, and what was sent to it', async () => {
    await using moved = await startMoved(THIEF)
    const { service, ann } = moved
    service.advance(MINUTE_MS)
    await addPhone(service, ann)

    await undoEmail(service, undoTokenFor(service, OLD))

    const [user] = await rowsOf(service.ctx, 'users')
    assert.deepEqual([user.phone, user.phone_verified_at], [null, null])
    assert.doesNotMatch(JSON.stringify(await rowsOf(service.ctx, 'outbox')), /\+491512/)
    const events = await rowsOf(service.ctx, 'audit_events')
    const removed = events.find(({ event }) => event === 'phone.removed')
    assert.deepEqual([removed.actor_id, removed.subject_id], [null, ann.id])
  })

  test('keeps one from before', async () => {
    await using service = await startService()
    const ann = await service.addUser(OLD)
    await addPhone(service, ann, OTHER_NUMBER)
    await changeEmail(service, ann, THIEF)

    await undoEmail(service, undoTokenFor(service, OLD))
    await service.deliverMail()
    await reset(service, newestToken(service, OLD), PASSWORD)

    assert.equal(await phoneOf(service, await service.logIn(OLD)), OTHER_NUMBER)
    const events = await rowsOf(service.ctx, 'audit_events')
    assert.ok(events.every(({ event }) => event !== 'phone.removed'))
  })
})

/** What a user who wanted an address reads of it, without ids, which differ for each asking. */
async function exportOf(service: Service, { access: token }: TestUser) {
  const { body } = await service.get('/api/v1/me/export', { token })
  const messages = body.messages.filter(({ kind }: { kind: string }) => kind === 'email_code')
  return {
    messages: messages.map(({ id: _id, ...message }: { id: string }) => message),
    code_failures: body.code_failures,
    email_changes: body.email_changes.map(({ old_email: _old, ...change }: any) => {
      return { ...change, email: '', email_canonical: '', old_email_canonical: '' }
    }),
  }
}

describe('who wants an address cannot tell by the own data who has it', () => {
  for (const [how, deliver] of [
    ['once it was mailed', (service: Service) => service.deliverMail()],
    [
      'when its mail is refused',
      (service: Service) => deliverBy(service, () => new DeliveryError('refused', '550 no')),
    ],
    [
      'while its mail is tried again',
      (service: Service) => deliverBy(service, () => new DeliveryError('later', '450 busy')),
    ],
  ] as const) {
    test(`the same export for a free, a taken and a reserved one ${how}`, async () => {
      await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
      await service.addUser('Taken@example.com')
      const mover = await service.addUser('Reserved@example.com')
      await changeEmail(service, mover, 'moved@example.com')
      const admin = await service.addAdmin()
      const seen: Record<string, unknown> = {}

      for (const wanted of ['free', 'taken', 'reserved']) {
        const eve = await service.addUser()
        await service.deliverMail()
        await wantEmail(service, eve, `${wanted}@EXAMPLE.com`)
        await deliver(service)
        seen[wanted] = await exportOf(service, eve)
      }
      const { body: mails } = await service.get('/api/v1/mail?kind=email_code', {
        token: admin.access,
      })

      const [{ messages }] = Object.values(seen) as [{ messages: object[] }]
      assert.equal(messages.length, 1)
      assert.deepEqual([seen['taken'], seen['reserved']], [seen['free'], seen['free']])
      assert.doesNotMatch(JSON.stringify(mails), /taken|reserved|free/i)
    })
  }

  test('nor once the account that has it is deleted', async () => {
    await using service = await startService()
    const [ann, eve] = [await service.addUser(TARGET), await service.addUser('eve@example.com')]
    await wantEmail(service, eve, TARGET)
    await service.deliverMail()
    const before = await exportOf(service, eve)

    await deleteMe(service, ann)

    assert.deepEqual(await exportOf(service, eve), before)
    service.advance(2 * HOUR_MS)
    await service.deliverMail()
    await runJob(service, 'purge')
    const rows = [await rowsOf(service.ctx, 'outbox'), await rowsOf(service.ctx, 'email_changes')]
    assert.doesNotMatch(JSON.stringify(rows), /target/)
  })
})

describe('one account after the other, each deleted in between', () => {
  test('has five guesses together at the codes for one address, then one an hour', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const guess = async (times: number) => {
      const eve = await service.addUser('eve@example.com')
      const code = await emailCodeFor(service, eve, TARGET)
      for (let n = 1; n <= times; n++)
        assertProblem(await confirmEmail(service, eve, otherThan(code, n)), 'invalid_code')
      return { eve, code }
    }

    for (const times of [3, 2])
      assert.equal((await deleteMe(service, (await guess(times)).eve)).status, 204)
    const last = await guess(0)
    const atOnce = await confirmEmail(service, last.eve, last.code)
    service.advance(HOUR_MS)
    const later = await guessAgain(service)

    assertProblem(atOnce, 'invalid_code')
    assert.equal(later.status, 200)
  })

  async function guessAgain(service: Service) {
    const login = await service.logIn('eve@example.com')
    return confirmEmail(service, login, await emailCodeFor(service, login, TARGET))
  }

  test('guesses no more with accounts that stay, and what was right is not counted', async () => {
    await using service = await startService()
    for (const times of [4, 1]) {
      const eve = await service.addUser()
      const code = await emailCodeFor(service, eve, TARGET)
      for (let n = 1; n <= times; n++) await confirmEmail(service, eve, otherThan(code, n))
    }
    const ann = await service.addUser('ann@example.com')
    const refused = await confirmEmail(service, ann, await emailCodeFor(service, ann, TARGET))

    service.advance(MINUTE_MS)
    await changeEmail(service, ann, 'other@example.com')

    assertProblem(refused, 'invalid_code')
    const rows = await rowsOf(service.ctx, 'code_failures')
    const tries = rows.map((row) => [row.purpose, JSON.parse(row.times).length])
    assert.deepEqual(
      tries.filter(([purpose]) => purpose === 'new_email'),
      [['new_email', 5]],
    )
    assert.doesNotMatch(JSON.stringify(rows), /target/)
  })

  test('has five mails an hour sent to one address, taken or free', async () => {
    await using service = await startService()
    await service.addUser('taken@example.com')
    const ask = async (email: string) => {
      const eve = await service.addUser('eve@example.com')
      await wantEmail(service, eve, email)
      await service.deliverMail()
      assert.equal((await deleteMe(service, eve)).status, 204)
    }
    const notices = () =>
      service.mailsTo('taken@example.com').filter(({ subject }) => /already in use/.test(subject))

    for (let n = 0; n < 7; n++) for (const email of [TARGET, 'taken@example.com']) await ask(email)
    const sent = [emailCodesTo(service, TARGET).length, notices().length]
    service.advance(HOUR_MS)
    await ask(TARGET)

    assert.deepEqual(sent, [5, 5])
    assert.equal(emailCodesTo(service, TARGET).length, 6)
    const rows = (await rowsOf(service.ctx, 'outbox')).filter(({ kind }) => kind === 'email_code')
    assert.doesNotMatch(JSON.stringify(rows), /target|taken|eve/)
  })
})

describe('the next holder of an address', () => {
  /** Ann had it, with a text message from then, until it was nobody's again; then Bob signs it up. */
  async function passOn(service: Service) {
    const ann = await service.registerUser('info@example.com')
    await askForCode(service, ann)
    await changeEmail(service, ann, 'ann@example.com')
    service.advance(73 * HOUR_MS)
    return { ann, bob: await service.registerUser('info@example.com') }
  }
  const messagesOf = async ({ ctx }: Service, { id }: TestUser) =>
    (await rowsOf(ctx, 'outbox')).filter((row) => row.user_id === id)

  test('reads nothing of what was written for the one before', async () => {
    await using service = await startService()
    const { ann, bob } = await passOn(service)

    const { body, text } = await service.get('/api/v1/me/export', { token: bob.access })

    const his = new Set((await messagesOf(service, ann)).map(({ id }) => id))
    assert.ok(his.size > 0 && body.messages.length > 0)
    assert.ok(body.messages.every(({ id }: { id: string }) => !his.has(id)))
    assert.ok(!text.includes(NUMBER))
  })

  for (const HIDE_REGISTERED_EMAILS of ['false', 'true']) {
    test(`takes nothing of it along, with HIDE_REGISTERED_EMAILS=${HIDE_REGISTERED_EMAILS}`, async () => {
      await using service = await startService({ HIDE_REGISTERED_EMAILS })
      const { ann, bob } = await passOn(service)
      const before = await messagesOf(service, ann)

      assert.equal((await deleteMe(service, bob)).status, 204)

      assert.ok(before.some((row) => row.recipient === NUMBER))
      assert.deepEqual(await messagesOf(service, ann), before)
    })
  }
})
