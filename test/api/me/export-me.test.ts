import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { AppError } from '../../../server/errors.ts'
import { eventsOf } from '../../support/events.ts'
import { untilNoneIsConnected } from '../../support/raw.ts'
import { addCanary, CANARY } from '../../support/full-user.ts'
import { assertProblem } from '../../support/problem.ts'
import { rowsOf, seedEvents, seedMessages, seedSessions } from '../../support/seed.ts'
import { forget } from '../../support/resets.ts'
import { type Answer, type Service, startService, type TestUser } from '../../support/service.ts'
import { rowOf } from '../../support/users.ts'

const EXPORT = '/api/v1/me/export'

/** Where each table stands in the answer. */
const LISTS: Readonly<Record<string, string>> = {
  users: 'user',
  sign_ups: 'sign_ups',
  code_failures: 'code_failures',
  sessions: 'sessions',
  outbox: 'messages',
  phone_changes: 'phone_changes',
  password_resets: 'password_resets',
  invitations: 'invitations',
  email_changes: 'email_changes',
  audit_events: 'events',
}
const MINE = 'it says whose the row is: the caller’s'
const KEY = 'which of our keys a code or link was derived with; nothing about the user'
const LINK = 'the link in a mail begins with it'
const DELIVERY = 'how often which worker tried; nothing about the user'
const TURN = 'whose turn it is to be sent; nothing about the user'
/** What is stored and not exported, and why. A column that is in neither fails. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  users: {
    password_hash: 'it can be guessed at; that there is one is told',
    login_unlocked_at: 'told as the event `login.unlocked`',
  },
  sign_ups: { user_id: MINE, password_hash: 'as the user’s', key_id: KEY },
  code_failures: {},
  sessions: { user_id: MINE },
  outbox: {
    user_id: MINE,
    payload: 'blank once sent; until then ids, and where somebody, perhaps another, asked for it',
    claimed_until: DELIVERY,
    claims: DELIVERY,
    refusals: DELIVERY,
    crashes: DELIVERY,
    bugs: DELIVERY,
    first_failed_at: DELIVERY,
    unconfirmed: DELIVERY,
    line: TURN,
    turn: TURN,
  },
  phone_changes: { id: 'the code is derived from it', user_id: MINE, key_id: KEY },
  password_resets: { id: LINK, user_id: MINE, key_id: KEY },
  invitations: { id: LINK, user_id: MINE, key_id: KEY },
  email_changes: { id: LINK, user_id: MINE, key_id: KEY },
  audit_events: {
    actor_id: 'told as `actor`: another’s id is not about the caller',
    subject_id: 'told as `subject`, likewise',
  },
}
/** Tables that hold nothing about users, or only of deleted ones. */
const OTHER_TABLES = new Set(['daily_counts', 'erasures', 'jobs', 'keys_in_use'])

/** The tables of server/database/schema.ts with their columns. */
const tables = readSchema(readFileSync('server/database/schema.ts', 'utf8'))

describe('GET /me/export', () => {
  let service: Service
  let canary: TestUser
  let admin: TestUser
  let answer: Answer
  before(async () => {
    service = await startService()
    admin = await service.addAdmin()
    canary = await addCanary(service)
    const rename = { full_name: 'Cinderella', role: 'admin' }
    await service.patch(`/api/v1/users/${canary.id}`, rename, {
      token: admin.access,
      ip: '198.51.100.9',
    })
    await forget(service, canary.email)
    await service.patch(
      `/api/v1/users/${admin.id}`,
      { full_name: 'Boss' },
      { token: canary.access },
    )
    // A verified user has none; one that is left over would be theirs.
    await service.ctx.transaction(async (tx) => {
      const left = signUpOf(canary.id)
      await tx.insertInto('sign_ups').values(left).execute()
      const { id, user_id, key_id, created_at } = left
      await tx.insertInto('invitations').values({ id, user_id, key_id, created_at }).execute()
    })
    answer = await service.get(EXPORT, { token: canary.access })
  })
  after(() => service[Symbol.asyncDispose]())

  test('200, as a file, and never from a cache', () => {
    assert.equal(answer.status, 200, answer.text)
    const { 'content-disposition': disposition, 'cache-control': cache } = answer.headers
    assert.equal(disposition, 'attachment; filename="coffee-shop-export.json"')
    assert.equal(cache, 'no-store')
    assert.equal(answer.body.exported_at, new Date(service.ctx.now()).toISOString())
    assert.deepEqual(answer.body.truncated, [])
  })

  test('every table of the schema is in it, or holds nothing about users', () => {
    assert.ok(tables.size >= 10)
    const known = [...Object.keys(LISTS), ...OTHER_TABLES]
    assert.deepEqual([...tables.keys()].toSorted(), known.toSorted())
  })

  for (const [table, list] of Object.entries(LISTS)) {
    test(`every column of ${table} is in it, or is left out for a reason`, () => {
      const found = [answer.body[list]].flat()[0] ?? {}
      const leftOut = Object.keys(LEFT_OUT[table] ?? {})

      const columns = [...Object.keys(found), ...leftOut].filter(
        (name) => !['has_password', 'actor', 'subject'].includes(name),
      )

      assert.deepEqual(columns.toSorted(), [...(tables.get(table) ?? [])].toSorted())
    })
  }

  test('what it says of the user and each session is what is stored', async () => {
    const { password_hash, login_unlocked_at: _, ...stored } = await rowOf(service, canary)
    const sessions = (await rowsOf(service.ctx, 'sessions')).filter(
      ({ user_id }) => user_id === canary.id,
    )

    assert.deepEqual(answer.body.user, { ...stored, has_password: password_hash !== null })
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
    assert.deepEqual(
      answer.body.sessions.toSorted(byId),
      sessions.map(({ user_id: _mine, ...session }) => session).toSorted(byId),
    )
  })

  for (const value of Object.values(CANARY).filter((one) => one !== CANARY.name)) {
    test(`it holds ${value}`, () => assert.ok(answer.text.includes(value)))
  }

  test('messages are those by user and those by address, each once, the newest first', async () => {
    const { id, email_canonical: email } = answer.body.user
    const stored = (await rowsOf(service.ctx, 'outbox')).filter(
      (row) => row.user_id === id || row.email_canonical === email,
    )

    const { messages } = answer.body
    assert.ok(stored.some((row) => row.user_id === null))
    assert.ok(stored.some((row) => row.email_canonical === null))
    const ids = messages.map((message: { id: string }) => message.id)
    assert.equal(ids.length, stored.length)
    assert.deepEqual(new Set(ids), new Set(stored.map((row) => row.id)))
    const times = messages.map((message: { created_at: string }) => message.created_at)
    assert.deepEqual(times, times.toSorted().toReversed())
  })

  test('what an admin did to me is told without where that admin sat', () => {
    const { events } = answer.body
    const promoted = events.find(({ event }: { event: string }) => event === 'user.role_changed')
    assert.deepEqual([promoted.actor, promoted.subject], ['another', 'me'])
    assert.deepEqual(promoted.changes, { before: 'user', after: 'admin' })
    assert.deepEqual([promoted.ip, promoted.request_id], [null, null])
    assert.ok(!answer.text.includes('198.51.100.9'))
  })

  test('what I did to others is told without what changed of them', () => {
    const { events } = answer.body
    const did = events.filter(({ subject }: { subject: string }) => subject === 'another')
    assert.equal(did.length, 1)
    assert.deepEqual([did[0].actor, did[0].changes], ['me', null])
  })

  test('what somebody did who was not logged in is told with the network', () => {
    const received = answer.body.events.find(
      ({ event }: { event: string }) => event === 'sign_up.received',
    )
    assert.deepEqual([received.actor, received.subject, received.ip], ['nobody', 'me', CANARY.ip])
  })

  test('it opens nothing: no hash, no key id, no id that a link or code is made of', async () => {
    const { password_hash: hash } = await rowOf(service, canary)
    const resets = (await rowsOf(service.ctx, 'password_resets')).map((row) => row.id)
    const changes = (await rowsOf(service.ctx, 'phone_changes')).map((row) => row.id)

    assert.ok(hash !== null && resets.length > 0 && changes.length > 0)
    for (const secret of [hash, service.ctx.keys.current.id, ...resets, ...changes, '$argon2'])
      assert.ok(!answer.text.includes(secret), secret)
  })

  test('somebody else’s holds nothing of it', async () => {
    const other = await service.registerUser()

    const { text, body } = await service.get(EXPORT, { token: other.access })

    assert.equal(body.user.email, other.email)
    for (const value of Object.values(CANARY)) assert.ok(!text.includes(value), value)
    assert.ok(body.events.length > 0 && body.messages.length > 0)
  })

  test('200 is recorded before it is answered', async () => {
    const exported = await eventsOf(service, 'data.exported')
    const mine = exported.filter((event) => event.subject_id === canary.id)
    assert.deepEqual(
      mine.map(({ actor_id, request_id }) => [actor_id, request_id]),
      [[canary.id, answer.headers['x-request-id']]],
    )
  })

  test('200 with every row of lists that take many reads, each once and the newest first', async () => {
    const user = await service.addUser()
    const seeded = { userId: user.id, email: user.email, count: 1201 }
    await seedMessages(service.ctx, seeded)
    await seedEvents(service.ctx, seeded)
    await seedSessions(service.ctx, seeded)

    const { body } = await service.get(EXPORT, { token: user.access })

    assert.deepEqual(body.truncated, [])
    for (const [list, key, count] of [
      ['messages', 'created_at', 1201],
      // And the login, and the export itself.
      ['sessions', 'created_at', 1202],
      ['events', 'at', 1202],
    ] as const) {
      const rows: Record<string, string>[] = body[list]
      assert.equal(rows.length, count, list)
      assert.equal(new Set(rows.map(({ id }) => id)).size, count, list)
      const keys = rows.map((row) => row[key] ?? '')
      assert.deepEqual(
        keys,
        keys.toSorted((a, b) => (a < b ? 1 : -1)),
        list,
      )
    }
  })

  test('401 without a token', async () => {
    assertProblem(await service.get(EXPORT), 'authentication_required')
  })
})

describe('GET /me/export, half of which has been sent,', () => {
  const PAGES = 20

  /** An export of twenty pages, which calls `hinder` before it reads the third. */
  async function startExport(hinder: (service: Service, user: TestUser) => Promise<void>) {
    const service = await startService()
    const user = await service.addUser()
    await seedEvents(service.ctx, { userId: user.id, count: 500 * PAGES })
    const { lookUp } = service.ctx
    const read = { pages: 0 }
    // The guard looks the session up once, and then each page.
    Object.assign(service.ctx, {
      lookUp: async (...given: Parameters<typeof lookUp>) => {
        if (read.pages++ === BEFORE_EVENTS + 2) await hinder(service, user)
        return lookUp(...given)
      },
    })
    const base = await service.listen()
    const headers = { authorization: `Bearer ${user.access}` }
    const request = (signal?: AbortSignal) =>
      fetch(`${base}${EXPORT}`, { headers, ...(signal && { signal }) })
    return { service, read, request, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
  }
  /** The guard’s and one for each other list. */
  const BEFORE_EVENTS = 8

  for (const [what, hinder, level] of [
    [
      'the database fails',
      () => Promise.reject(new AppError('database_unavailable', { cause: new Error('gone') })),
      'warn',
    ],
    ['the code fails', () => Promise.reject(new Error('it broke')), 'error'],
    [
      'the session ends',
      async (service, user) => {
        const sent = { token: user.access }
        await service.post('/api/v1/auth/logout', {}, sent)
      },
      undefined,
    ],
  ] satisfies [string, Parameters<typeof startExport>[0], string | undefined][]) {
    test(`ends before the document does when ${what}`, async () => {
      await using started = await startExport(hinder)

      const answer = await started.request()

      assert.equal(answer.status, 200)
      await assert.rejects(answer.text(), TypeError)
      assert.ok(started.read.pages < BEFORE_EVENTS + PAGES, String(started.read.pages))
      const { logged } = started.service
      const problems = logged.filter((line) => /"level":"(warn|error|fatal)"/.test(line))
      assert.equal(problems.length, level === undefined ? 0 : 1, problems.join(''))
      assert.ok(problems.every((line) => line.includes(`"level":"${level}"`)))
    })
  }

  test('is read no further when the client hangs up', async () => {
    const hungUp = Promise.withResolvers<void>()
    const isHalfway = Promise.withResolvers<void>()
    await using started = await startExport(() => {
      isHalfway.resolve()
      return hungUp.promise
    })
    const controller = new AbortController()

    const answer = await started.request(controller.signal)
    // Two pages may be more than the connection holds of what nobody reads.
    const reading = assert.rejects(answer.text(), { name: 'AbortError' })
    await isHalfway.promise
    controller.abort()
    hungUp.resolve()
    await reading
    await untilNoneIsConnected(started.service)

    assert.ok(started.read.pages < BEFORE_EVENTS + PAGES, String(started.read.pages))
    const problems = started.service.logged.filter((line) => /"level":"(error|fatal)"/.test(line))
    assert.deepEqual(problems, [])
  })
})

function signUpOf(userId: number) {
  return {
    id: '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10',
    user_id: userId,
    email: CANARY.email,
    full_name: 'Cinderella',
    password_hash: '$argon2id$left-over',
    key_id: 'a-key-id',
    ip: CANARY.ip,
    user_agent: CANARY.userAgent,
    locale: 'de',
    created_at: '2026-01-01T12:00:00.000Z',
    expires_at: '2026-01-02T12:00:00.000Z',
  }
}

function readSchema(source: string): Map<string, string[]> {
  const bodyOf = (name: string) =>
    new RegExp(`export interface ${name} \\{\\n([^]*?)\\n\\}`).exec(source)?.[1] ?? ''
  const fieldsOf = (name: string) =>
    [...bodyOf(name).matchAll(/^ {2}(\w+): (\w+)/gm)].map(([, field = '', type = '']) => ({
      field,
      type,
    }))
  return new Map(
    fieldsOf('Schema').map(({ field, type }) => [field, fieldsOf(type).map((one) => one.field)]),
  )
}
