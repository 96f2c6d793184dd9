import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../server/lib/units.ts'
import { assertProblem } from './support/problem.ts'
import { startReplicas, times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { PASSWORD, type Service, startService } from './support/service.ts'

const LOGIN = '/api/v1/auth/login'
const PHONE = 'CoffeeApp/2.1 (Pixel 10)'
const LAPTOP = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

interface From {
  readonly password?: string
  readonly ip?: string
}

/** `device` as the User-Agent; undefined: the request has none. */
function logInWith(
  service: Service,
  email: string,
  device: string | undefined,
  { password = PASSWORD, ip = '203.0.113.7' }: From = {},
) {
  // Without a text of its own the harness would name itself.
  const headers = { 'user-agent': device ?? '' }
  return service.post(LOGIN, { email, password }, { headers, ip })
}

async function warningsTo(service: Service, email: string) {
  await service.deliverMail()
  return service.mailsTo(email).filter((mail) => mail.subject.startsWith('New login'))
}

const liveSessions = async (service: Service) =>
  (await rowsOf(service.ctx, 'sessions')).filter((row) => row.revoked_at === null).length

/** Verified long enough ago that no login of theirs is the first one. */
async function addOldUser(service: Service, email?: string) {
  const user = await service.addUser(email)
  service.advance(2 * DAY_MS)
  return user
}

describe('a login from a new device', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  test('mails the owner once: when, from where, with what, and what to do if it was not them', async () => {
    const ann = await addOldUser(service)

    const first = await logInWith(service, ann.email, LAPTOP)
    const second = await logInWith(service, ann.email, LAPTOP, { ip: '198.51.100.9' })

    assert.deepEqual([first.status, second.status], [200, 200])
    const [mail, ...more] = await warningsTo(service, ann.email)
    assert.ok(mail)
    assert.equal(more.length, 0)
    const at = toIso(service.clock.nowMs).slice(0, 16).replace('T', ' ')
    assert.match(
      mail.text,
      new RegExp(`${at} UTC from IP address 203\\.0\\.113\\.7 with .*Firefox`),
    )
    assert.match(mail.text, /“Forgot password”/)
  })

  test('is one again after 30 days without a login from it, and not a day before', async () => {
    const ann = await addOldUser(service)
    await logInWith(service, ann.email, PHONE)

    service.advance(30 * DAY_MS - 1)
    await logInWith(service, ann.email, PHONE)
    const before = (await warningsTo(service, ann.email)).length
    service.advance(30 * DAY_MS)
    await logInWith(service, ann.email, PHONE)

    assert.equal(before, 1)
    assert.equal((await warningsTo(service, ann.email)).length, 2)
  })

  test('goes by the login: a refresh with another device makes that one no known one', async () => {
    const ann = await addOldUser(service)
    const headers = { 'user-agent': LAPTOP }
    await service.post('/api/v1/auth/refresh', { refresh_token: ann.refresh }, { headers })

    await logInWith(service, ann.email, LAPTOP)

    assert.equal((await warningsTo(service, ann.email)).length, 1)
  })

  test('is known by a session that has ended', async () => {
    const ann = await addOldUser(service)
    const { body } = await logInWith(service, ann.email, PHONE)
    await service.post('/api/v1/auth/logout', { refresh_token: body.refresh_token })

    await logInWith(service, ann.email, PHONE)

    assert.equal((await warningsTo(service, ann.email)).length, 1)
  })

  test('is each one that does not name itself, until one did not', async () => {
    const ann = await addOldUser(service)

    for (let n = 0; n < 2; n++) await logInWith(service, ann.email, undefined)

    const [mail, ...more] = await warningsTo(service, ann.email)
    assert.match(mail?.text ?? '', /with an unknown device/)
    assert.equal(more.length, 0)
  })

  test('is told to its account’s owner alone', async () => {
    const bob = await addOldUser(service)
    const ann = await addOldUser(service)
    await logInWith(service, bob.email, PHONE)

    await logInWith(service, ann.email, PHONE)

    for (const { email } of [ann, bob])
      assert.equal((await warningsTo(service, email)).length, 1, email)
  })

  test('is told if and only if its session was opened', async () => {
    const ann = await addOldUser(service)
    const rename = (from: string, to: string) =>
      service.ctx.transaction((tx) => tx.schema.alterTable(from).renameTo(to).execute())
    const earlier = await liveSessions(service)

    // What a login writes last has nowhere to go.
    await rename('audit_events', 'away')
    const failed = await logInWith(service, ann.email, PHONE)
    await rename('away', 'audit_events')
    const toldOfFailed = (await warningsTo(service, ann.email)).length
    const sessionsOfFailed = (await liveSessions(service)) - earlier
    const opened = await logInWith(service, ann.email, PHONE)

    assert.deepEqual([failed.status, toldOfFailed, sessionsOfFailed], [500, 0, 0])
    assert.equal(opened.status, 200)
    assert.equal((await warningsTo(service, ann.email)).length, 1)
  })

  test('mails once for 20 logins of the same one at once, over two replicas', async () => {
    await using replicas = await startReplicas()
    const [first] = replicas.pair
    const ann = await addOldUser(first)

    const answers = await Promise.all(
      times(20).map((n) => logInWith(replicas.pair[n % 2 ? 1 : 0], ann.email, PHONE)),
    )

    assert.ok(answers.every(({ status }) => status === 200))
    assert.equal((await warningsTo(first, ann.email)).length, 1)
  })

  test('mails five times an hour at most; every login is recorded all the same', async () => {
    const ann = await addOldUser(service)
    const loggedIn = async () =>
      (await rowsOf(service.ctx, 'audit_events')).filter((row) => row.event === 'session.opened')
        .length
    const earlier = await loggedIn()

    for (let n = 0; n < 12; n++) {
      const answer = await logInWith(service, ann.email, `${PHONE} ${n}`)
      assert.equal(answer.status, 200)
    }
    const inTheHour = (await warningsTo(service, ann.email)).length
    service.advance(HOUR_MS - 1)
    await logInWith(service, ann.email, LAPTOP)
    const justBefore = (await warningsTo(service, ann.email)).length
    service.advance(1)
    await logInWith(service, ann.email, `${LAPTOP} 2`)

    assert.deepEqual([inTheHour, justBefore], [5, 5])
    assert.equal((await warningsTo(service, ann.email)).length, 6)
    assert.equal((await loggedIn()) - earlier, 14)
  })

  test('speaks the user’s language', async () => {
    const ann = await addOldUser(service)
    await service.ctx.transaction((tx) =>
      tx.updateTable('users').set({ locale: 'de' }).where('id', '=', ann.id).execute(),
    )

    await logInWith(service, ann.email, PHONE)
    await service.deliverMail()

    const subjects = service.mailsTo(ann.email).map(({ subject }) => subject)
    assert.equal(subjects.filter((subject) => subject.startsWith('Neue Anmeldung')).length, 1)
  })
})

describe('no mail', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  test('for the first login after the verification; for the next device the same day there is one', async () => {
    const ann = await service.addUser('ann@example.com')
    const earlier = (await warningsTo(service, ann.email)).length

    service.advance(MINUTE_MS)
    await logInWith(service, ann.email, PHONE)

    assert.equal(earlier, 0)
    assert.equal((await warningsTo(service, ann.email)).length, 1)
  })

  test('for a first login a day after the verification there is one, a moment before there is none', async () => {
    const found: number[] = []
    for (const [name, ageMs] of [
      ['young', DAY_MS - 1],
      ['old', DAY_MS],
    ] as const) {
      const email = `${name}@example.com`
      const sign_up_id = await service.signUp(email)
      const code = await service.codeFor(email)
      await service.post('/api/v1/auth/verify', { email, code, sign_up_id })
      service.advance(ageMs)
      assert.equal((await logInWith(service, email, PHONE)).status, 200)
      found.push((await warningsTo(service, email)).length)
    }

    assert.deepEqual(found, [0, 1])
  })

  test('and no session for a login that is refused', async () => {
    const bob = await addOldUser(service, 'bob@example.com')
    const disabled = await addOldUser(service, 'disabled@example.com')
    await service.ctx.transaction((tx) =>
      tx
        .updateTable('users')
        .set({ disabled_at: toIso(service.clock.nowMs) })
        .where('id', '=', disabled.id)
        .execute(),
    )
    await service.signUp('unverified@example.com')
    const earlier = await liveSessions(service)

    const wrong = await logInWith(service, bob.email, LAPTOP, { password: 'not the password' })
    const ofDisabled = await logInWith(service, disabled.email, LAPTOP)
    const unverified = await logInWith(service, 'unverified@example.com', LAPTOP)
    const unknown = await logInWith(service, 'nobody@example.com', LAPTOP)

    assertProblem(wrong, 'invalid_credentials')
    assertProblem(ofDisabled, 'account_disabled')
    assertProblem(unverified, 'email_unverified')
    assertProblem(unknown, 'invalid_credentials')
    assert.equal(await liveSessions(service), earlier)
    for (const email of [bob.email, disabled.email, 'unverified@example.com'])
      assert.equal((await warningsTo(service, email)).length, 0)
  })

  test('to somebody who was deleted before it went out', async () => {
    const admin = await service.addAdmin()
    const eve = await service.addUser('eve@example.com')
    service.advance(MINUTE_MS)
    await logInWith(service, eve.email, PHONE)

    await service.delete(`/api/v1/users/${eve.id}`, { token: admin.access })

    assert.equal((await warningsTo(service, eve.email)).length, 0)
    const rows = await rowsOf(service.ctx, 'outbox')
    assert.ok(rows.every((row) => !JSON.stringify(row).includes(eve.email)))
  })
})
