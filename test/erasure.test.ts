import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { HOUR_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import { enqueueMessage } from '../server/outbox/outbox.ts'
import { makeFirstAdmin } from '../server/accounts/admins.ts'
import { DATABASE } from './support/database.ts'
import { deleteMe, deleteUser } from './support/deletions.ts'
import { changeEmail } from './support/email-changes.ts'
import { addCanary, CANARY, signUpAsCanary } from './support/full-user.ts'
import { runJob } from './support/jobs.ts'
import { assertProblem } from './support/problem.ts'
import { runOn } from './support/process.ts'
import { openRaw, requestText } from './support/raw.ts'
import { times } from './support/races.ts'
import { rowsOf, seedEvents, seedMessages, seedSessions } from './support/seed.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'
import { assertDead, LOGIN } from './support/sessions.ts'

// Backups, logs and the free pages of a database file are out of reach: docs/security.md says so.

/** Every table that the database has, whatever our schema knows of it. */
async function tablesOf({ ctx }: Service): Promise<string[]> {
  const query =
    DATABASE === 'sqlite'
      ? sql<{ name: string }>`select name from sqlite_master where type = 'table'`
      : sql<{ name: string }>`select table_name as name from information_schema.tables
          where table_schema = 'public'`
  const { rows } = await ctx.transaction((tx) => query.execute(tx))
  return rows.map(({ name }) => name)
}

/** Where any of these texts stands in the database, in any column of any table, in capitals or not. */
async function tracesOf(service: Service, texts: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const table of await tablesOf(service)) {
    const all = sql<Record<string, unknown>>`select * from ${sql.table(table)}`
    const { rows } = await service.ctx.transaction((tx) => all.execute(tx))
    for (const row of rows) {
      for (const [column, value] of Object.entries(row)) {
        for (const text of texts) {
          const stored = value instanceof Date ? value.toISOString() : String(value)
          if (stored.toLowerCase().includes(text.toLowerCase()))
            found.add(`${table}.${column}: ${text}`)
        }
      }
    }
  }
  return [...found].toSorted()
}

/** The texts of which the index of SQLite holds the end: it keeps no beginning that the text before has, too. */
async function textsIn(service: Service, texts: readonly string[]): Promise<string[]> {
  const all = sql<{ block: Uint8Array }>`select block from users_search_data`
  const { rows } = await service.ctx.transaction((tx) => all.execute(tx))
  return texts.filter((text) =>
    rows.some(({ block }) => Buffer.from(block).includes(text.slice(1))),
  )
}

const TEXTS = Object.values(CANARY)
const WITHOUT_ADDRESS = TEXTS.filter((text) => text !== CANARY.firstEmail)

const FROM = { ip: CANARY.ip, headers: { 'user-agent': CANARY.userAgent } }

/** Once the change of the address, which was just now, cannot be undone: before, nobody deletes oneself. */
async function logInLater(service: Service, { email, password }: TestUser) {
  service.advance(72 * HOUR_MS)
  const { body } = await service.post('/api/v1/auth/login', { email, password }, FROM)
  return { access: String(body.access_token) }
}

async function deleteMeLater(service: Service, user: TestUser) {
  const answer = await deleteMe(service, await logInLater(service, user), FROM)
  assert.equal(answer.status, 204, answer.text)
}

async function deleteAsAdmin(service: Service, user: TestUser, admin?: TestUser) {
  const answer = await deleteUser(service, admin ?? (await service.addAdmin()), user)
  assert.equal(answer.status, 200, answer.text)
}

async function deleteByCommand(service: Service, { id }: TestUser) {
  const { exitCode, stderr } = await runOn(service, ['users', 'delete', String(id)])
  assert.equal(exitCode, 0, stderr)
}

for (const [who, remove, status] of [
  ['users of themselves', (service, user) => deleteMe(service, user), 204],
  ['admins of others', (service, user, admin) => deleteUser(service, admin, user), 200],
] satisfies [
  string,
  (service: Service, user: TestUser, admin: TestUser) => Promise<Answer>,
  number,
][]) {
  describe(`the deletion by ${who}`, () => {
    test(`${status}: the tokens are dead at once, and nobody logs in or is found`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const ann = await service.addUser()
      const other = await service.logIn(ann.email)

      const answer = await remove(service, ann, admin)

      assert.equal(answer.status, status, answer.text)
      await assertDead(service, ann, other)
      const login = { email: ann.email, password: PASSWORD }
      assertProblem(await service.post(LOGIN, login), 'invalid_credentials')
      const sent = { token: admin.access }
      assertProblem(await service.get(`/api/v1/users/${ann.id}`, sent), 'not_found')
      assert.ok([401, 404].includes((await remove(service, ann, admin)).status))
    })

    test(`${status} frees the address, but never the id`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const ann = await service.addUser('ann@example.com')
      await remove(service, ann, admin)

      const again = await service.addUser('ann@example.com')

      assert.ok(again.id > ann.id, `${again.id} after ${ann.id}`)
      assertProblem(await service.get('/api/v1/me', { token: ann.access }), 'invalid_token')
    })

    test(`409 last_admin for the last one, though a disabled one is left; ${status} while another stays`, async () => {
      await using service = await startService()
      const [ann, bob] = [await service.addAdmin(), await service.addAdmin()]
      const setDisabled = (disabled: boolean) =>
        service.patch(`/api/v1/users/${bob.id}`, { disabled }, { token: ann.access })
      await setDisabled(true)

      const last = await remove(service, ann, ann)
      const { status: afterwards } = await service.get('/api/v1/me', { token: ann.access })
      await setDisabled(false)
      const one = await remove(service, ann, ann)

      assertProblem(last, 'last_admin')
      assert.deepEqual([afterwards, one.status], [200, status])
    })
  })
}

for (const [what, remove] of [
  ['delete themselves by DELETE /me', (service, admin) => deleteMe(service, admin)],
  ['delete themselves by their ids', (service, admin) => deleteUser(service, admin, admin)],
  ['delete each other', (service, admin, other) => deleteUser(service, admin, other)],
] satisfies [string, (service: Service, admin: TestUser, other: TestUser) => Promise<Answer>][]) {
  test(`one of two admins who ${what} at once stays`, async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addAdmin(), await service.addAdmin()]

    const answers = await Promise.all([remove(service, ann, bob), remove(service, bob, ann)])

    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.ok(statuses[0] === 200 || statuses[0] === 204, String(statuses))
    assert.ok(statuses[1] === 401 || statuses[1] === 409, String(statuses))
    assert.equal((await rowsOf(service.ctx, 'users')).length, 1)
  })
}

describe('a user of whom every table holds something leaves no trace', () => {
  for (const [how, remove, lastMails] of [
    ['by the user', deleteMeLater, 1],
    // To the address before, which could have taken the account back.
    ['by an admin', deleteAsAdmin, 1],
    // Whose clock is today's: the change is long past.
    ['by the command line', deleteByCommand, 0],
  ] as const) {
    test(`when deleted ${how}`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const canary = await addCanary(service)
      const before = await tracesOf(service, TEXTS)
      const sent = () => service.mailer.sent.filter(({ to }) => /cinderella/i.test(to)).length
      const sentBefore = sent()

      await remove(service, canary, admin)
      await service.deliverMail()

      assert.deepEqual(await tracesOf(service, TEXTS), [])
      assert.equal(sent() - sentBefore, lastMails)
      // Else there was nothing to look for.
      for (const text of TEXTS)
        assert.ok(
          before.some((trace) => trace.endsWith(`: ${text}`)),
          text,
        )
      const tables = new Set(before.map((trace) => trace.split('.', 1)[0]))
      const wanted = ['audit_events', 'code_failures', 'email_changes', 'outbox', 'phone_changes']
      for (const table of [...wanted, 'sessions', 'users']) assert.ok(tables.has(table), table)
    })
  }

  if (DATABASE === 'sqlite')
    test('nor after the next purge in the index of texts, which holds them in parts', async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      // Each is written to a part of the index of its own, which nothing merges.
      const zoe = await service.addUser('qzxqj@example.com', PASSWORD, 'Wqvkq')
      await service.addUser()
      const parts = ['qzx', 'zxq', 'xqj', 'wqv', 'qvk', 'vkq']
      const before = await textsIn(service, parts)

      await deleteAsAdmin(service, zoe, admin)
      service.advance(HOUR_MS)
      await runJob(service, 'purge')

      assert.deepEqual([before, await textsIn(service, parts)], [parts, []])
    })

  test('but for what happened: the events stay, by id', async () => {
    await using service = await startService()
    const canary = await addCanary(service)
    const eventsOf = async () => {
      const about = service.ctx.db.selectFrom('audit_events').selectAll().orderBy('id')
      const rows = await about.where('subject_id', '=', canary.id).execute()
      return rows.map((row) => ({ ...row }))
    }
    const login = await logInLater(service, canary)
    const before = await eventsOf()

    assert.equal((await deleteMe(service, login, FROM)).status, 204)

    const after = await eventsOf()
    assert.ok(before.some(({ ip }) => ip === CANARY.ip))
    assert.deepEqual(
      after.slice(0, -1),
      before.map((event) => ({ ...event, ip: null })),
    )
    assert.equal(after.at(-1)?.event, 'user.deleted')
  })

  test('and takes nothing of others along: where the admin sat stays', async () => {
    await using service = await startService()
    const canary = await addCanary(service)
    const { access: token, ...admin } = await service.addAdmin()
    const other = await service.addUser()
    const disable = { disabled: true }
    await service.patch(`/api/v1/users/${canary.id}`, disable, { token, ip: '198.51.100.9' })
    const texts = ['198.51.100.9', admin.email, other.email]
    const before = await tracesOf(service, texts)

    await service.delete(`/api/v1/users/${canary.id}`, { token })
    await service.deliverMail()

    assert.ok(before.includes('audit_events.ip: 198.51.100.9'))
    // The admin is told of the deletion.
    const told = `outbox.recipient: ${admin.email}`
    assert.deepEqual(
      (await tracesOf(service, texts)).filter((trace) => trace !== told),
      before,
    )
    assert.deepEqual(await tracesOf(service, TEXTS), [])
  })
})

test('a request that was let in before its user was deleted leaves no network', async () => {
  await using service = await startService()
  const wasLetIn = Promise.withResolvers<void>()
  service.app.addHook('preParsing', async (request) => {
    if (request.ip === '127.0.0.1' && request.headers['content-length']) wasLetIn.resolve()
  })
  const base = await service.listen()
  const eve = await service.addUser()
  const admin = await service.addAdmin()
  const url = '/api/v1/me/password'
  const body = { current_password: 'not the password', new_password: 'another good password' }
  for (let n = 0; n < 10; n++) await service.post(url, body, { token: eve.access })

  const text = JSON.stringify(body)
  const late = openRaw(
    base,
    requestText(`POST ${url}`, {
      Authorization: `Bearer ${eve.access}`,
      'Content-Type': 'application/json',
      'Content-Length': String(text.length),
    }),
  )
  await wasLetIn.promise
  await deleteAsAdmin(service, eve, admin)
  late.send(text)
  const { answers } = await late.answered

  assert.equal(answers[0]?.status, 429)
  const events = (await rowsOf(service.ctx, 'audit_events')).filter(
    (row) => row.actor_id === eve.id,
  )
  assert.ok(events.some(({ event }) => event === 'limit.reached'))
  assert.ok(events.every(({ ip }) => ip === null))
})

/** So many events of one user, each with the canary's address. */
async function addEvents({ ctx }: Service, userId: number, count: number): Promise<void> {
  const event = {
    at: toIso(ctx.now()),
    event: 'user.changed',
    actor_id: userId,
    subject_id: userId,
    changes: '{}',
    ip: CANARY.ip,
    request_id: null,
  }
  await ctx.transaction(async (tx) => {
    for (let left = count; left > 0; left -= 500)
      await tx
        .insertInto('audit_events')
        .values(times(Math.min(left, 500)).map(() => event))
        .execute()
  })
}

test('of a user with more events than a request has time for one batch is blanked at once, the rest by the next purge', async () => {
  await using service = await startService()
  const { batchMax } = service.ctx
  const admin = await service.addAdmin()
  const [canary, other] = [await service.addUser(), await service.addUser()]
  await addEvents(service, canary.id, 3 * batchMax)
  await addEvents(service, other.id, 1)
  const withAddress = async () =>
    (await rowsOf(service.ctx, 'audit_events')).filter(
      (row) => row.ip === CANARY.ip && row.actor_id === canary.id,
    ).length

  await deleteAsAdmin(service, canary, admin)
  const leftAtOnce = await withAddress()
  service.advance(HOUR_MS)
  await runJob(service, 'purge')

  assert.ok(leftAtOnce >= 2 * batchMax && leftAtOnce < 3 * batchMax, String(leftAtOnce))
  assert.equal(await withAddress(), 0)
  assert.deepEqual(await tracesOf(service, [CANARY.ip]), [`audit_events.ip: ${CANARY.ip}`])
  assert.deepEqual(await rowsOf(service.ctx, 'erasures'), [])
})

describe('a user who wrote more than a request has time for', () => {
  const assertHoldsNone = ({ text }: Pick<Answer, 'text'>) => {
    for (const trace of TEXTS) assert.ok(!text.includes(trace), trace)
  }
  /** Mail that was sent and mail that waits, events and sessions of hers, more than three batches each. */
  async function addBusyCanary(service: Service): Promise<TestUser> {
    const canary = await service.addUser(CANARY.firstEmail, PASSWORD, CANARY.name)
    const count = 3 * service.ctx.batchMax
    const seeded = { userId: canary.id, email: CANARY.firstEmail, count, ip: CANARY.ip }
    await seedMessages(service.ctx, seeded)
    await seedEvents(service.ctx, seeded)
    await seedSessions(service.ctx, seeded)
    await service.ctx.transaction(async (tx) => {
      const { nowMs } = service.clock
      const payload = { to: CANARY.firstEmail, locale: null, at: toIso(nowMs) }
      for (const waiting of [{ userId: canary.id }, { email: CANARY.firstEmail }])
        await enqueueMessage(tx, 'email_undone', payload, { ...waiting, nowMs: nowMs - 1 })
    })
    return canary
  }

  for (const [how, remove] of [
    ['by the user', (service, canary) => deleteMe(service, canary)],
    ['by an admin', (service, canary, admin) => deleteUser(service, admin, canary)],
  ] satisfies [
    string,
    (service: Service, canary: TestUser, admin: TestUser) => Promise<Answer>,
  ][]) {
    test(`is gone at once for every reader when deleted ${how}`, async () => {
      await using service = await startService()
      const admin = await service.addAdmin()
      const canary = await addBusyCanary(service)

      const answer = await remove(service, canary, admin)

      assert.ok([200, 204].includes(answer.status), answer.text)
      assert.notDeepEqual(await tracesOf(service, TEXTS), [])
      const users = (await rowsOf(service.ctx, 'users')).map(({ id }) => id)
      assert.deepEqual(users, [admin.id])
      await assertDead(service, canary)
      const token = admin.access
      for (const url of ['/mail?limit=100', '/mail?state=waiting', '/audit?limit=100', '/users'])
        assertHoldsNone(await service.get(`/api/v1${url}`, { token }))
      const { stdout: text } = await runOn(service, ['mail', 'list'])
      assertHoldsNone({ text })
    })
  }

  test('is mailed nothing more, though no job has run', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const canary = await addBusyCanary(service)
    await deleteAsAdmin(service, canary, admin)

    await service.deliverMail()

    assert.deepEqual(service.mailsTo(CANARY.firstEmail), [])
  })

  test('409 mail_not_failed for its failed mail, which an admin cannot send again', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const canary = await addBusyCanary(service)
    const failed = await service.ctx.transaction((tx) =>
      tx
        .updateTable('outbox')
        .set({ state: 'dead' })
        .where('user_id', '=', canary.id)
        .where('kind', '=', 'email_undone')
        .returning('id')
        .executeTakeFirstOrThrow(),
    )
    await deleteAsAdmin(service, canary, admin)

    const url = `/api/v1/mail/${failed.id}/resend`
    const answer = await service.post(url, undefined, { token: admin.access })

    const row = (await rowsOf(service.ctx, 'outbox')).find(({ id }) => id === failed.id)
    assert.equal(row?.state, 'dead')
    assertProblem(answer, 'mail_not_failed')
  })

  test('leaves no trace after the job, and a new owner of the address loses nothing', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const canary = await addBusyCanary(service)
    await deleteAsAdmin(service, canary, admin)
    service.advance(1)
    const owner = await service.registerUser(CANARY.firstEmail)
    await service.post('/api/v1/auth/password/forgot', { email: CANARY.firstEmail })
    const mailed = service.mailsTo(CANARY.firstEmail).length

    assert.deepEqual(await runJob(service, 'erase'), ['erase'])

    assert.deepEqual(await rowsOf(service.ctx, 'erasures'), [])
    assert.deepEqual(await tracesOf(service, WITHOUT_ADDRESS), [])
    const sessions = await rowsOf(service.ctx, 'sessions')
    assert.ok(sessions.every(({ user_id }) => [admin.id, owner.id].includes(user_id)))
    await service.deliverMail()
    assert.equal(service.mailsTo(CANARY.firstEmail).length, mailed + 1)
    await deleteAsAdmin(service, owner, admin)
    assert.deepEqual(await tracesOf(service, TEXTS), [])
    // The next slot of the job has nothing to do, and writes nothing.
    service.advance(SECOND_MS)
    assert.deepEqual(await runJob(service, 'erase'), [])
  })

  test('is erased completely by the command line, which waits for no worker', async () => {
    await using service = await startService()
    await service.addAdmin()
    const canary = await addBusyCanary(service)

    await deleteByCommand(service, canary)

    assert.deepEqual(await tracesOf(service, TEXTS), [])
    assert.deepEqual(await rowsOf(service.ctx, 'erasures'), [])
  })

  test('takes the messages to a former address along, which were assigned in batches', async () => {
    await using service = await startService()
    const canary = await addBusyCanary(service)
    await changeEmail(service, canary, 'now@example.com')
    const unassigned = async () =>
      (await rowsOf(service.ctx, 'outbox')).filter(
        (row) => row.user_id === null && row.email_canonical === CANARY.firstEmail,
      ).length
    const before = await unassigned()
    // Until then the deletion takes the former address along in any case.
    service.advance(72 * HOUR_MS)

    await deleteAsAdmin(service, canary)
    await runJob(service, 'erase')

    assert.ok(before > 0, String(before))
    assert.deepEqual(await tracesOf(service, TEXTS), [])
  })

  test('keeps what belongs to the user after a change of address', async () => {
    await using service = await startService()
    const canary = await addBusyCanary(service)
    await changeEmail(service, canary, 'now@example.com')

    await runJob(service, 'erase')

    const messages = await rowsOf(service.ctx, 'outbox')
    assert.ok(messages.every(({ user_id }) => user_id === canary.id))
    assert.equal((await service.get('/api/v1/me', { token: canary.access })).status, 200)
  })
})

test('messages of a replaced sign-up go to its successor in batches, and are erased with that one', async () => {
  await using service = await startService()
  await service.signUp(CANARY.firstEmail)
  const [{ id }] = (await rowsOf(service.ctx, 'users')).slice(-1)
  const count = 5 * service.ctx.batchMax
  await seedMessages(service.ctx, { userId: id, email: CANARY.firstEmail, count })
  await seedEvents(service.ctx, { userId: id, count, ip: CANARY.ip })
  service.advance(47.5 * HOUR_MS)

  const successor = await service.registerUser(CANARY.firstEmail)
  await runJob(service, 'erase')

  const messages = await rowsOf(service.ctx, 'outbox')
  assert.ok(!messages.some(({ user_id }) => user_id === id))
  assert.ok(messages.filter(({ user_id }) => user_id === successor.id).length > count / 2)
  assert.deepEqual(await tracesOf(service, [CANARY.ip]), [])
  await deleteAsAdmin(service, successor)
  service.advance(SECOND_MS)
  await runJob(service, 'erase')
  assert.deepEqual(await tracesOf(service, TEXTS), [])
})

describe('a sign-up that nobody verified leaves no trace', () => {
  test('when the clean-up deletes it', async () => {
    await using service = await startService()
    await signUpAsCanary(service)
    const before = await tracesOf(service, TEXTS)

    service.advance(72 * HOUR_MS)
    await runJob(service, 'clean-up')
    await service.deliverMail()

    assert.deepEqual(await tracesOf(service, TEXTS), [])
    assert.ok(before.includes(`sign_ups.full_name: ${CANARY.name}`), String(before))
    assert.ok(before.includes(`audit_events.ip: ${CANARY.ip}`))
  })

  test('when an admin deletes it: its mail is not sent, and its code opens nothing', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await signUpAsCanary(service)
    const code = await service.codeFor(CANARY.firstEmail)
    await service.signUp(CANARY.firstEmail, PASSWORD, CANARY.name)
    const sent = service.mailsTo(CANARY.firstEmail).length

    await deleteAsAdmin(service, { ...admin, id: admin.id + 1 }, admin)
    await service.deliverMail()

    assert.deepEqual(await tracesOf(service, TEXTS), [])
    assert.equal(service.mailsTo(CANARY.firstEmail).length, sent)
    const verified = await service.post('/api/v1/auth/verify', { email: CANARY.firstEmail, code })
    assertProblem(verified, 'invalid_code')
  })

  test('when another takes its place, but for the address, which goes with that one', async () => {
    await using service = await startService()
    await signUpAsCanary(service)
    service.advance(25 * HOUR_MS)
    await service.deliverMail()
    service.advance(22.5 * HOUR_MS)

    const user = await service.registerUser(CANARY.firstEmail)

    assert.deepEqual(await tracesOf(service, WITHOUT_ADDRESS), [])
    await deleteAsAdmin(service, user)
    assert.deepEqual(await tracesOf(service, TEXTS), [])
  })

  test('when an operator makes the user, and when the first admin is made', async () => {
    await using service = await startService()
    await signUpAsCanary(service)

    await makeFirstAdmin(service.ctx, CANARY.firstEmail, 'the long password of an admin')

    assert.deepEqual(await tracesOf(service, WITHOUT_ADDRESS), [])
  })

  test('when somebody proves its address as a new one', async () => {
    await using service = await startService()
    const ann = await service.addUser()
    await signUpAsCanary(service)

    await changeEmail(service, ann, CANARY.firstEmail)

    assert.deepEqual(await tracesOf(service, WITHOUT_ADDRESS), [])
    assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
  })
})
