import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../server/lib/units.ts'
import { eventsOf } from '../../support/events.ts'
import { assertIndistinguishable } from '../../support/fingerprint.ts'
import { assertInvalid } from '../../support/problem.ts'
import {
  forget,
  FORGOT,
  linksTo,
  newestToken,
  reset,
  resetsOf,
  tokenFor,
} from '../../support/resets.ts'
import { rowsOf } from '../../support/seed.ts'
import { type Answer, LONG_AFTER_MS, type Service, startService } from '../../support/service.ts'

const email = 'ann@example.com'

const mailsAskedFor = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'outbox')).filter(({ kind }) => kind === 'password_reset')

describe('POST /auth/password/forgot', () => {
  test('202 and a mail with a link, who asked for it, and until when it works', async () => {
    await using service = await startService({ PUBLIC_URL: 'https://shop.example/coffee' })
    await service.addUser(email)

    const headers = { 'user-agent': 'ShopApp/2.0', host: 'evil.example' }
    const answer = await service.post(FORGOT, { email }, { ip: '203.0.113.7', headers })
    await service.deliverMail()

    assert.equal(answer.status, 202)
    assert.deepEqual(answer.body, {
      message: 'If this address has an account, a link to set a new password is on its way.',
    })
    const [mail] = linksTo(service, email)
    assert.match(mail?.text ?? '', /12:00 UTC from IP address 203\.0\.113\.7 with /)
    assert.match(mail?.text ?? '', /works once, until 2026-01-01 12:30 UTC/)
    assert.match(mail?.text ?? '', /^https:\/\/shop\.example\/coffee\/reset#token=/m)
    const [{ id } = { id: '' }] = await resetsOf(service)
    const token = newestToken(service, email)
    assert.match(token, new RegExp(`^${id}\\.[\\w-]{43}$`))
    assert.match(mail?.text ?? '', new RegExp(`${token}&email=ann%40example\\.com$`, 'm'))
    assert.equal(
      mail?.consoleLine,
      `🔑 Password reset link for ${email}: https://shop.example/coffee/reset#token=${token}`,
    )
  })

  test('202 finds every spelling of the address, and mails to it as its owner typed it', async () => {
    await using service = await startService()
    await service.addUser('Ann@Example.com')

    await service.post(FORGOT, { email: 'aNN@EXAMPLE.com' })
    await service.deliverMail()

    assert.equal(linksTo(service, 'Ann@Example.com').length, 1)
  })

  test('202 and a mail for a disabled account, and for one that nobody has verified', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const bob = await service.addUser('bob@example.com')
    await service.patch(`/api/v1/users/${bob.id}`, { disabled: true }, { token: admin.access })
    await service.signUp(email)

    const sent = [await forget(service, bob.email), await forget(service, email)]

    assert.deepEqual(sent, [1, 1])
    assert.match(linksTo(service, email)[0]?.text ?? '', /also verifies this address/)
    assert.doesNotMatch(linksTo(service, bob.email)[0]?.text ?? '', /verifies/)
  })

  test('202 and a link no longer than an account that nobody has verified in time', async () => {
    await using service = await startService()
    await service.signUp(email)
    service.advance(2 * DAY_MS - 10 * MINUTE_MS)

    await forget(service, email)

    assert.match(linksTo(service, email)[0]?.text ?? '', /until 2026-01-03 12:00 UTC/)
  })

  test('202 and no mail for an unknown address, nor for an account whose time is over', async () => {
    await using service = await startService()
    await service.signUp(email)
    service.advance(LONG_AFTER_MS)

    const sent = [await forget(service, 'nobody@example.com'), await forget(service, email)]

    assert.deepEqual(sent, [0, 0])
    assert.deepEqual(await resetsOf(service), [])
    assert.deepEqual(
      (await mailsAskedFor(service)).map(({ state }) => state),
      ['dropped', 'dropped'],
    )
  })

  test('202 and no mail when the account was deleted before the mail’s turn came', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const { id } = await service.addUser(email)
    await service.post(FORGOT, { email })
    await service.delete(`/api/v1/users/${id}`, { token: admin.access })

    await service.deliverMail()

    assert.equal(linksTo(service, email).length, 0)
  })

  test('202, byte for byte the same, and one row that names no user, whatever the address', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp('expired0@example.com')
    service.advance(LONG_AFTER_MS)
    await service.addUser('verified@example.com')
    const { id } = await service.addUser('disabled@example.com')
    const { access: token } = await service.logIn(admin.email)
    await service.patch(`/api/v1/users/${id}`, { disabled: true }, { token })
    await service.signUp('pending0@example.com')
    const answers: Record<string, Answer> = {}

    for (const kind of ['unknown0', 'verified', 'disabled', 'pending0', 'expired0'])
      answers[kind] = await service.post(FORGOT, { email: `${kind}@example.com` })

    assertIndistinguishable(answers)
    assert.deepEqual(
      new Set(
        (await mailsAskedFor(service)).map((row) => [row.email_canonical, row.state, row.user_id]),
      ),
      new Set(Object.keys(answers).map((kind) => [`${kind}@example.com`, 'waiting', null])),
    )
  })

  test('202 changes nothing of the account: password, sessions and codes work as before', async () => {
    await using service = await startService()
    const ann = await service.addUser(email)
    const bobs = 'bob@example.com'
    await service.signUp(bobs)
    const code = await service.codeFor(bobs)

    for (const each of [email, bobs]) for (let n = 0; n < 3; n++) await forget(service, each)

    await service.logIn(email)
    assert.equal((await service.get('/api/v1/me', { token: ann.access })).status, 200)
    const refreshed = await service.post('/api/v1/auth/refresh', { refresh_token: ann.refresh })
    assert.equal(refreshed.status, 200)
    assert.equal((await service.post('/api/v1/auth/verify', { email: bobs, code })).status, 200)
  })

  test('records that a mail was made, from where, once for each', async () => {
    await using service = await startService()
    const { id } = await service.addUser(email)
    await service.post(FORGOT, { email: 'nobody@example.com' })
    await service.post(FORGOT, { email }, { ip: '203.0.113.7' })

    await service.deliverMail()

    const [event, ...others] = await eventsOf(service, 'password.reset_requested')
    assert.deepEqual(others, [])
    assert.deepEqual([event?.actor_id, event?.subject_id], [null, id])
    assert.deepEqual([event?.ip, event?.changes], ['203.0.113.7', {}])
  })

  for (const [why, body, pointer] of [
    ['no address', {}, '/email'],
    ['what is no address', { email: 'ann' }, '/email'],
    ['outer spaces', { email: ` ${email}` }, '/email'],
    ['an unknown field', { email, redirect_to: 'https://evil.example' }, '/redirect_to'],
  ] as const) {
    test(`422 for ${why}`, async () => {
      await using service = await startService()
      assertInvalid(await service.post(FORGOT, body), pointer)
    })
  }
})

describe('the link', () => {
  test('is the same in each mail while it works, and each renews it', async () => {
    await using service = await startService()
    await service.addUser(email)
    const first = await tokenFor(service, email)
    service.advance(20 * MINUTE_MS)
    const second = await tokenFor(service, email)
    service.advance(25 * MINUTE_MS)

    const answers = [await reset(service, first), await reset(service, second)]

    assert.equal(second, first)
    assert.match(linksTo(service, email)[1]?.text ?? '', /until 2026-01-01 12:50 UTC/)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400],
    )
  })

  test('is another one once a day has passed since the first, which works until its end', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    await service.addUser(email)
    const first = await tokenFor(service, email)
    let last = first
    for (let minutes = 0; minutes < 24 * 60; minutes += 29) {
      service.advance(29 * MINUTE_MS)
      last = await tokenFor(service, email)
    }

    assert.notEqual(last, first)
    assert.equal((await resetsOf(service)).length, 2)
    assert.equal((await reset(service, first)).status, 200)
    assert.equal((await reset(service, last)).status, 400)
  })

  test('is mailed once for several requests that wait', async () => {
    await using service = await startService()
    await service.addUser(email)
    for (let n = 0; n < 3; n++) {
      service.advance(SECOND_MS)
      await service.post(FORGOT, { email })
    }

    await service.deliverMail()

    assert.equal(linksTo(service, email).length, 1)
    assert.match(linksTo(service, email)[0]?.text ?? '', /until 2026-01-01 12:30 UTC/)
    assert.equal((await reset(service, newestToken(service, email))).status, 200)
  })

  test('works for 30 minutes from when it was mailed, though the mail was held up for hours', async () => {
    await using service = await startService()
    await service.addUser(email)
    await service.post(FORGOT, { email })
    service.advance(5 * HOUR_MS)
    await service.deliverMail()

    service.advance(30 * MINUTE_MS - SECOND_MS)
    const answer = await reset(service, newestToken(service, email))

    assert.equal(answer.status, 200)
  })
})
