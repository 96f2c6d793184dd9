import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runDueJobs } from '../server/jobs/schedule.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { setEmail } from '../server/users/addresses.ts'
import { confirmEmailChange, replaceEmailChange } from '../server/users/email-changes.ts'
import { makeFirstAdmin } from '../server/users/make-first-admin.ts'
import { RECURRING_JOBS } from '../server/worker.ts'
import {
  changeEmail,
  confirmEmail,
  emailChanges,
  emailCodeFor,
  emailOf,
  undoEmail,
  undoTokenFor,
  unsentCodeOf,
  wantEmail,
} from './support/email-changes.ts'
import { assertIndistinguishable } from './support/fingerprint.ts'
import { assertProblem } from './support/problem.ts'
import { runOn } from './support/process.ts'
import { startReplicas, times, turns } from './support/races.ts'
import { forget } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

// An address that an account left is nobody else's for as long as the change can be undone.

const OLD = 'ann@example.com'
const NEW = 'new@example.com'
const SIGN_UP = '/api/v1/auth/signup'
const RESERVED_MS = 72 * HOUR_MS
const PURGE = RECURRING_JOBS.filter((job) => job.name === 'purge')

const signUp = (service: Service, email: string) =>
  service.post(SIGN_UP, { email, password: PASSWORD })
const emails = async (service: Service) =>
  (await rowsOf(service.ctx, 'users')).map((row) => String(row.email)).toSorted()

async function startReserved(settings: Record<string, string> = {}) {
  const service = await startService(settings)
  const ann = await service.addUser(OLD)
  await changeEmail(service, ann, NEW)
  return { service, ann, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

describe('a reserved address', () => {
  test('409 email_taken for a sign-up until 72 hours are over, and nothing is left of the try', async () => {
    await using reserved = await startReserved()
    const { service } = reserved

    service.advance(RESERVED_MS - SECOND_MS)
    const before = await signUp(service, 'ANN@example.com')
    const users = await emails(service)
    service.advance(SECOND_MS)
    const after = await signUp(service, OLD)

    assertProblem(before, 'email_taken')
    assert.deepEqual(users, [NEW])
    assert.equal(after.status, 201)
  })

  test('201 as for a free one with HIDE_REGISTERED_EMAILS, and no code is mailed', async () => {
    await using reserved = await startReserved({ HIDE_REGISTERED_EMAILS: 'true' })
    const { service } = reserved
    const mails = service.mailsTo(OLD).length

    const [mine, free] = [await signUp(service, OLD), await signUp(service, 'abc@example.com')]
    await service.deliverMail()

    assert.deepEqual([mine.status, free.status], [201, 201])
    assert.deepEqual(Object.keys(mine.body), Object.keys(free.body))
    assert.equal(service.mailsTo(OLD).length, mails)
    assert.deepEqual(await emails(service), ['abc@example.com', NEW])
  })

  test('202 for another user who wants it: its owner is told, and no code works, not even an unsent one', async () => {
    await using reserved = await startReserved()
    const { service } = reserved
    const eve = await service.addUser('eve@example.com')

    const answer = await wantEmail(service, eve, OLD)
    await service.deliverMail()

    assert.equal(answer.status, 202)
    const told = service.mailsTo(OLD).at(-1)
    assert.equal(told?.subject, 'This address already has a Coffee Shop account')
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
    await using reserved = await startReserved()
    const { service } = reserved

    await makeFirstAdmin(service.ctx, OLD, 'a password of an admin')

    assert.deepEqual(await emails(service), [NEW])
    assert.ok(service.logged.some((line) => /ADMIN_EMAIL is kept for the user who left/.test(line)))
  })

  test('200 for its own account, in the ordinary way', async () => {
    await using reserved = await startReserved()
    const { service, ann } = reserved

    await changeEmail(service, ann, OLD)

    assert.equal(await emailOf(service, ann), OLD)
  })

  test('is free once the account is deleted', async () => {
    await using reserved = await startReserved()
    const { service, ann } = reserved
    const { access: token } = await service.addAdmin()

    await service.delete(`/api/v1/users/${ann.id}`, { token })

    assert.equal((await signUp(service, OLD)).status, 201)
    assert.deepEqual(await emailChanges(service), [])
  })

  test('stays reserved through a chain, each of its addresses for 72 hours of its own', async () => {
    await using reserved = await startReserved()
    const { service } = reserved
    service.advance(DAY_MS)
    await changeEmail(service, await service.logIn(NEW), 'third@example.com')

    service.advance(2 * DAY_MS - MINUTE_MS)
    const atThreeDays = [await signUp(service, OLD), await signUp(service, NEW)]
    service.advance(DAY_MS + MINUTE_MS)
    const aDayLater = await signUp(service, NEW)

    assert.deepEqual(
      atThreeDays.map(({ status }) => status),
      [201, 409],
    )
    assert.equal(aDayLater.status, 201)
  })
})

test('nothing of any address that an account ever had is left once it is deleted', async () => {
  await using reserved = await startReserved()
  const { service, ann } = reserved
  const { access: token } = await service.addAdmin('admin@example.com')
  assert.equal(await forget(service, NEW), 1)
  await changeEmail(service, ann, 'third@example.com')
  await undoEmail(service, undoTokenFor(service, OLD))
  await service.deliverMail()

  await service.delete(`/api/v1/users/${ann.id}`, { token })

  const tables = ['users', 'email_changes', 'code_failures', 'audit_events', 'outbox'] as const
  const rows = await Promise.all(tables.map((table) => rowsOf(service.ctx, table)))
  assert.doesNotMatch(JSON.stringify(rows), /(ann|new|third)@example\.com/)
})

test('an address that is left while others sign it up or want it is nobody else’s', async () => {
  await using replicas = await startReplicas()
  const [first, second] = replicas.pair

  for (const n of times(12)) {
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

test('a sign-up cannot tell a reserved address from a registered one', async () => {
  await using reserved = await startReserved()
  const { service } = reserved

  const answers = { reserved: await signUp(service, OLD), registered: await signUp(service, NEW) }

  assertIndistinguishable(answers)
})

describe('the purge of changes', () => {
  const left = async (service: Service) => {
    await runDueJobs(service.ctx, PURGE)
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
    await using reserved = await startReserved()
    const { service, ann } = reserved
    service.advance(RESERVED_MS - 2 * HOUR_MS)
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
