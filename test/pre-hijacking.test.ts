import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../server/lib/units.ts'
import { triesOf } from './support/codes.ts'
import { assertProblem } from './support/problem.ts'
import { type Service, startService } from './support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const RESEND = '/api/v1/auth/verify/resend'
const VERIFY = '/api/v1/auth/verify'
const LOGIN = '/api/v1/auth/login'
const email = 'victim@example.com'
const attackers = 'the password of the attacker'
const victims = 'the password of the victim'

/** Where each of them is; a password is signed up from the network of its owner. */
const [HOME, ELSEWHERE, ABROAD] = ['203.0.113.7', '203.0.113.99', '198.51.100.66']
const networkOf = (password: string) => (password === victims ? HOME : ABROAD)

/** Signs up and returns the attempt with the code that its own mail tells. */
async function attempt(
  service: Service,
  password: string,
  fullName?: string,
  ip = networkOf(password),
) {
  const id = await service.signUp(email, password, fullName, { ip })
  return { id, code: await service.codeFor(email) }
}

const verify = (service: Service, code: string, ip: string) =>
  service.post(VERIFY, { email, code }, { ip })

/** The account is the victim's, and the attacker has no way in. */
async function assertVictims(service: Service): Promise<void> {
  await service.logIn(email, victims)
  const answer = await service.post(LOGIN, { email, password: attackers })
  assertProblem(answer, 'invalid_credentials')
}

describe('an address that an attacker signs up too', () => {
  test('the victim’s code activates the victim’s password and name, the attacker having come first', async () => {
    await using service = await startService()
    const theirs = await attempt(service, attackers, 'Eve')
    service.advance(MINUTE_MS)
    const ours = await attempt(service, victims, 'Ann')

    const answer = await verify(service, ours.code, HOME)

    assert.equal(answer.status, 200)
    await assertVictims(service)
    const { access } = await service.logIn(email, victims)
    assert.equal((await service.get('/api/v1/me', { token: access })).body.full_name, 'Ann')
    const late = await service.post(VERIFY, { email, code: theirs.code, sign_up_id: theirs.id })
    assertProblem(late, 'invalid_code')
    await assertVictims(service)
  })

  test('the victim’s code activates the victim’s password, the attacker having come later', async () => {
    await using service = await startService()
    const ours = await attempt(service, victims)
    service.advance(MINUTE_MS)
    await attempt(service, attackers)

    const answer = await verify(service, ours.code, HOME)

    assert.equal(answer.status, 200)
    await assertVictims(service)
  })

  test('a client that sends its sign_up_id is never given the attacker’s attempt, whatever code is typed', async () => {
    await using service = await startService()
    const ours = await attempt(service, victims)
    const theirs = await attempt(service, attackers)

    const wrong = await service.post(VERIFY, { email, code: theirs.code, sign_up_id: ours.id })
    const right = await service.post(VERIFY, { email, code: ours.code, sign_up_id: ours.id })

    assertProblem(wrong, 'invalid_code')
    assert.equal(right.status, 200)
    await assertVictims(service)
  })

  for (const hide of ['off', 'on']) {
    test(`the attacker’s code from the wrong mail gives nothing from the victim’s network, with HIDE_REGISTERED_EMAILS=${hide}`, async () => {
      await using service = await startService({ HIDE_REGISTERED_EMAILS: hide })
      const theirs = await attempt(service, attackers)
      const ours = await attempt(service, victims)

      const wrong = await verify(service, theirs.code, HOME)
      const right = await verify(service, ours.code, HOME)

      assertProblem(wrong, 'invalid_code')
      assert.equal(right.status, 200)
      await assertVictims(service)
    })
  }

  test('from a third network no code counts without its sign_up_id, and each is a try', async () => {
    await using service = await startService()
    const theirs = await attempt(service, attackers)
    const ours = await attempt(service, victims)

    const refused = [
      await verify(service, theirs.code, ELSEWHERE),
      await verify(service, ours.code, ELSEWHERE),
    ]

    for (const answer of refused) assertProblem(answer, 'invalid_code')
    assert.deepEqual(await triesOf(service, email), { verify: 2 })
    const body = { email, code: ours.code, sign_up_id: ours.id }
    assert.equal((await service.post(VERIFY, body, { ip: ELSEWHERE })).status, 200)
    await assertVictims(service)
  })

  test('an attempt whose code has expired is no longer in the way of a third network', async () => {
    await using service = await startService()
    await attempt(service, attackers)
    service.advance(23 * HOUR_MS)
    const ours = await attempt(service, victims)
    service.advance(HOUR_MS)

    assert.equal((await verify(service, ours.code, ELSEWHERE)).status, 200)
    await assertVictims(service)
  })

  for (const [why, signedUp, asks, status] of [
    ['an address of the same /64', '2001:db8:1:1::1', '2001:db8:1:1:ffff::9', 200],
    ['the same IPv4 address in IPv6', '203.0.113.7', '::ffff:203.0.113.7', 200],
    ['another /64', '2001:db8:1:1::1', '2001:db8:1:2::1', 400],
    ['another IPv4 address', '203.0.113.7', '203.0.113.8', 400],
  ] as const) {
    test(`${status} for ${why}`, async () => {
      await using service = await startService()
      await attempt(service, attackers)
      const ours = await attempt(service, victims, undefined, signedUp)

      assert.equal((await verify(service, ours.code, asks)).status, status)
    })
  }

  test('a resend without sign_up_id repeats those of its own network only', async () => {
    await using service = await startService()
    const theirs = await attempt(service, attackers)
    const ours = await attempt(service, victims)
    const repeated: string[][] = []

    for (const ip of [HOME, ABROAD, ELSEWHERE]) {
      const before = service.mailsTo(email).length
      service.advance(MINUTE_MS)
      await service.post(RESEND, { email }, { ip })
      await service.deliverMail()
      repeated.push(
        service
          .mailsTo(email)
          .slice(before)
          .map(({ text }) => /\b[0-9]{6}\b/.exec(text)?.[0] ?? ''),
      )
    }

    assert.deepEqual(repeated, [[ours.code], [theirs.code], []])
  })

  test('a resend that an older version wrote without a network repeats none when they came from several', async () => {
    await using service = await startService()
    const forget = async () => {
      const payload = JSON.stringify({ email, signUpId: null })
      await service.ctx.transaction((tx) =>
        tx
          .updateTable('outbox')
          .set({ payload })
          .where('kind', '=', 'repeat_verification')
          .where('state', '=', 'waiting')
          .execute(),
      )
      await service.deliverMail()
      return service.mailsTo(email).length
    }
    await attempt(service, attackers)
    await service.post(RESEND, { email })
    const fromOne = await forget()
    service.advance(HOUR_MS)
    await attempt(service, victims)
    await service.post(RESEND, { email }, { ip: HOME })

    assert.deepEqual([fromOne, await forget()], [2, 3])
  })

  test('too_many_sign_ups names the way in that helps no attacker', async () => {
    await using service = await startService()
    for (let n = 0; n < 5; n++) await attempt(service, attackers)

    const refused = await service.post(SIGN_UP, { email, password: victims })

    assertProblem(refused, 'too_many_sign_ups')
    assert.match(refused.body.detail, /Forgot password/)
    assert.doesNotMatch(refused.body.detail, /code/)
  })

  test('each mail tells its own network and device, so that the victim knows which one not to type', async () => {
    await using service = await startService()
    const signUp = (password: string, ip: string, device: string) =>
      service.request('POST', SIGN_UP, {
        body: { email, password },
        ip,
        headers: { 'user-agent': device },
      })
    await signUp(attackers, '198.51.100.66', 'curl/8.14')
    await service.deliverMail()
    await signUp(victims, '203.0.113.7', 'ShopApp/2.0')
    await service.deliverMail()

    const [theirs, ours] = service.mailsTo(email)

    assert.match(theirs?.text ?? '', /from IP address 198\.51\.100\.66 with curl\./)
    assert.match(ours?.text ?? '', /from IP address 203\.0\.113\.7 with an app\./)
  })

  test('a resend repeats each code with its own origin: no attempt takes over another’s mail', async () => {
    await using service = await startService()
    const theirs = await attempt(service, attackers)
    const ours = await attempt(service, victims)
    await service.post('/api/v1/auth/verify/resend', { email, sign_up_id: ours.id })

    const repeated = await service.codeFor(email)

    assert.equal(repeated, ours.code)
    assert.notEqual(repeated, theirs.code)
  })

  test('each attempt of one address has a code of its own', async () => {
    await using service = await startService()
    const codes = new Set<string>()

    for (let n = 0; n < 5; n++) codes.add((await attempt(service, attackers)).code)

    assert.equal(codes.size, 5)
  })

  test('further attempts neither drop nor change the victim’s, and stop at five', async () => {
    await using service = await startService()
    const ours = await attempt(service, victims)
    for (let n = 0; n < 4; n++) await attempt(service, attackers)
    const refused = await service.post(SIGN_UP, { email, password: attackers })

    const answer = await verify(service, ours.code, HOME)

    assertProblem(refused, 'too_many_sign_ups')
    assert.equal(answer.status, 200)
    await assertVictims(service)
  })

  test('an attempt kept alive by resends ends with the account, and its code with it', async () => {
    await using service = await startService()
    const theirs = await attempt(service, attackers)
    for (let hour = 0; hour < 48; hour++) {
      await service.post('/api/v1/auth/verify/resend', { email })
      await service.deliverMail()
      service.advance(HOUR_MS)
    }
    const ours = await attempt(service, victims)

    const old = await service.post(VERIFY, { email, code: theirs.code })
    const answer = await service.post(VERIFY, { email, code: ours.code })

    assertProblem(old, 'invalid_code')
    assert.equal(answer.status, 200)
    await assertVictims(service)
  })

  test('signing up every hour for a week never keeps an account beyond two days, and mails stay few', async () => {
    await using service = await startService()
    const startedAt = service.clock.nowMs
    for (let hour = 0; hour < 7 * 24; hour++) {
      await service.post(SIGN_UP, { email, password: attackers })
      await service.deliverMail()
      const users = await service.ctx.db.selectFrom('users').select('created_at').execute()
      assert.equal(users.length, 1)
      const ageMs = service.clock.nowMs - Date.parse(users[0]!.created_at)
      assert.ok(ageMs < 2 * DAY_MS, `an account of ${ageMs} ms after ${hour} hours`)
      service.advance(HOUR_MS)
    }

    const days = (service.clock.nowMs - startedAt) / DAY_MS
    const reminders = service.mailsTo(email).filter((mail) => /not verified yet/.test(mail.subject))
    const others = service.mailsTo(email).length - reminders.length
    assert.ok(reminders.length <= days / 2 + 1, `${reminders.length} reminders`)
    assert.ok(others <= 5 * (days + 1), `${others} mails with a code`)
    // The week has ended in the middle of an account's two days; with its end the address is free.
    service.advance(2 * DAY_MS)
    const ours = await attempt(service, victims)
    assert.equal((await service.post(VERIFY, { email, code: ours.code })).status, 200)
    await assertVictims(service)
  })

  test('tokens of a deleted account are not inherited by whoever signs up its address next', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const before = await service.registerUser(email, attackers)
    await service.delete(`/api/v1/users/${before.id}`, { token: admin.access })
    const after = await service.registerUser(email, victims)

    const me = await service.get('/api/v1/me', { token: before.access })
    const refreshed = await service.post('/api/v1/auth/refresh', { refresh_token: before.refresh })

    assert.notEqual(after.id, before.id)
    assertProblem(me, 'invalid_token')
    assertProblem(refreshed, 'invalid_token')
    await assertVictims(service)
  })
})
