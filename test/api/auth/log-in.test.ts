import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, SECOND_MS } from '../../../server/lib/units.ts'
import {
  assertNoCookie,
  cookieOf,
  fromBrowser,
  keptBy,
  logInToCookie,
  OWN_PAGE,
  PLAIN_COOKIE,
  SHOP,
  SHOP_COOKIE,
} from '../../support/cookies.ts'
import { eventsOf } from '../../support/events.ts'
import { countHashes } from '../../support/hashes.ts'
import { assertInvalid, assertProblem } from '../../support/problem.ts'
import { times } from '../../support/races.ts'
import { LONG_AFTER_MS, PASSWORD, type Service, startService } from '../../support/service.ts'
import { assertDead, isLive, LOGIN, LOGOUT, refresh, tokensOf } from '../../support/sessions.ts'

const EMAIL = 'ann@example.com'

describe('POST /auth/login', () => {
  test('200 gives an access token and a refresh token', async () => {
    await using service = await startService()
    const ann = await service.addUser(EMAIL)

    const answer = await service.post(LOGIN, { email: 'ANN@Example.com', password: PASSWORD })

    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.body).toSorted(), [
      'access_token',
      'expires_in',
      'refresh_token',
      'token_type',
    ])
    assert.equal(answer.body.token_type, 'bearer')
    assert.equal(answer.body.expires_in, 1800)
    const me = await service.get('/api/v1/me', { token: answer.body.access_token })
    assert.equal(me.body.id, ann.id)
  })

  for (const [why, email, password] of [
    ['a wrong password', EMAIL, 'not the password'],
    ['an unknown address', 'bob@example.com', PASSWORD],
    ['a password that only begins right', EMAIL, `${PASSWORD}!`],
  ] as const) {
    test(`401 invalid_credentials for ${why}`, async () => {
      await using service = await startService()
      await service.addUser(EMAIL)

      const answer = await service.post(LOGIN, { email, password })

      assertProblem(answer, 'invalid_credentials')
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
    })
  }

  test('401 invalid_credentials for an account that was not verified in time', async () => {
    await using service = await startService()
    await service.signUp(EMAIL)
    service.advance(LONG_AFTER_MS)

    const answer = await service.post(LOGIN, { email: EMAIL, password: PASSWORD })

    assertProblem(answer, 'invalid_credentials')
  })

  test('403 email_unverified only after the newest attempt’s password', async () => {
    await using service = await startService()
    await service.signUp(EMAIL, 'the first of two passwords')
    service.advance(1000)
    await service.signUp(EMAIL, PASSWORD)

    const right = await service.post(LOGIN, { email: EMAIL, password: PASSWORD })
    const older = { email: EMAIL, password: 'the first of two passwords' }
    const wrong = await service.post(LOGIN, { email: EMAIL, password: 'x' })

    assertProblem(right, 'email_unverified')
    assertProblem(wrong, 'invalid_credentials')
    assertProblem(await service.post(LOGIN, older), 'invalid_credentials')
  })

  test('401 in place of email_unverified where registered addresses are hidden', async () => {
    await using service = await startService({ HIDE_REGISTERED_EMAILS: 'true' })
    await service.signUp(EMAIL)

    const answer = await service.post(LOGIN, { email: EMAIL, password: PASSWORD })

    assertProblem(answer, 'invalid_credentials')
  })

  test('403 account_disabled only after the right password', async () => {
    await using service = await startService()
    const admin = await service.addAdmin()
    const ann = await service.addUser(EMAIL)
    await service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, { token: admin.access })

    const right = await service.post(LOGIN, { email: EMAIL, password: PASSWORD })
    const wrong = await service.post(LOGIN, { email: EMAIL, password: 'x' })

    assertProblem(right, 'account_disabled')
    assertProblem(wrong, 'invalid_credentials')
  })

  test('401 costs one verification, whoever is asked for', async (t) => {
    await using service = await startService()
    const admin = await service.addAdmin()
    await service.signUp('expired@example.com')
    service.advance(LONG_AFTER_MS)
    await service.addUser('known@example.com')
    await service.signUp('unverified@example.com')
    const { id } = await service.addUser('disabled@example.com')
    const { access } = await service.logIn(admin.email)
    await service.patch(`/api/v1/users/${id}`, { disabled: true }, { token: access })

    for (const name of ['unknown', 'expired', 'known', 'unverified', 'disabled']) {
      for (const password of ['not the password', '€'.repeat(1000)]) {
        await t.test(`${name}, ${password.length} characters`, async () => {
          const counts = countHashes(service)
          const answer = await service.post(LOGIN, { email: `${name}@example.com`, password })
          assertProblem(answer, 'invalid_credentials')
          assert.deepEqual(counts, { made: 0, verified: 1 })
        })
      }
    }
  })

  test('422 for a body that is not as described, and no hash is computed', async (t) => {
    await using service = await startService()
    await service.addUser(EMAIL)
    const counts = countHashes(service)

    for (const [why, body, pointer] of [
      ['a missing password', { email: EMAIL }, '/password'],
      ['a missing address', { password: PASSWORD }, '/email'],
      ['null', { email: null, password: PASSWORD }, '/email'],
      ['a list', { email: [EMAIL], password: PASSWORD }, '/email'],
      ['a number', { email: EMAIL, password: 12_345_678 }, '/password'],
      ['an empty password', { email: EMAIL, password: '' }, '/password'],
      ['1 025 characters', { email: EMAIL, password: 'x'.repeat(1025) }, '/password'],
      ['spaces around a known address', { email: ` ${EMAIL} `, password: PASSWORD }, '/email'],
      ['spaces around an unknown one', { email: ' bob@example.com ', password: 'x' }, '/email'],
      ['OAuth’s name in JSON', { email: EMAIL, password: PASSWORD, username: EMAIL }, '/username'],
      [
        'a grant in JSON',
        { email: EMAIL, password: PASSWORD, grant_type: 'password' },
        '/grant_type',
      ],
      ['an unknown field', { email: EMAIL, password: PASSWORD, otp: '1' }, '/otp'],
    ] as const) {
      await t.test(why, async () => assertInvalid(await service.post(LOGIN, body), pointer))
    }

    assert.deepEqual(counts, { made: 0, verified: 0 })
  })
})

describe('POST /auth/login as a form', () => {
  const type = 'application/x-www-form-urlencoded'
  const headers = { authorization: 'Basic YTpi', 'content-type': type }
  const credentials = { username: EMAIL, password: PASSWORD }
  const text = new URLSearchParams(credentials).toString()
  const send = (service: Service, form: string) => service.post(LOGIN, form, { headers })

  for (const [why, more, contentType] of [
    ['the two fields alone', '', type],
    ['all that Swagger UI sends', '&grant_type=password&scope=&client_id=x&client_secret=y', type],
    ['a content type in full', '&grant_type=password', `${type}; charset=UTF-8`],
  ] as const) {
    test(`200 for ${why}, whatever Basic header comes with it`, async () => {
      await using service = await startService()
      await service.addUser(EMAIL)
      const sent = { headers: { ...headers, 'content-type': contentType } }

      const answer = await service.post(LOGIN, text + more, sent)

      assert.equal(answer.status, 200, answer.text)
    })
  }

  test('422 for a form that is not as described', async (t) => {
    await using service = await startService()
    await service.addUser(EMAIL)

    for (const [why, form] of [
      ['another grant', `${text}&grant_type=client_credentials`],
      ['an empty grant', `${text}&grant_type=`],
      ['the address twice', `${text}&username=bob%40example.com`],
      ['the password twice', `${text}&password=x`],
      ['the grant twice', `${text}&grant_type=password&grant_type=password`],
      ['the scope twice', `${text}&scope=a&scope=b`],
      ['the client twice', `${text}&client_id=a&client_id=b`],
      ['two names for the address', `${text}&email=bob%40example.com`],
      ['an unknown field', `${text}&otp=1`],
      ['a prototype', `${text}&__proto__=x`],
      ['no address', 'password=x'],
      ['nothing', ''],
    ] as const) {
      await t.test(why, async () => assertProblem(await send(service, form), 'validation_failed'))
    }
  })

  test('400 for a form that is no UTF-8', async () => {
    await using service = await startService()
    for (const value of ['%ff', '%ed%a0%80', '%']) {
      assertProblem(await send(service, `${text}&scope=${value}`), 'malformed_request')
    }
  })
})

describe('sessions opened by logins', () => {
  test('the twenty-first ends the oldest; ended ones do not count', async () => {
    await using service = await startService()
    const first = await service.addUser(EMAIL)
    const bob = await service.addUser('bob@example.com')
    const later: string[] = []
    for (let count = 2; count <= 20; count++) {
      service.advance(SECOND_MS)
      later.push((await service.logIn(EMAIL)).refresh)
    }
    const newest = later.at(-1) ?? ''
    await service.post(LOGOUT, { refresh_token: newest })
    service.advance(SECOND_MS)

    const twentieth = await service.logIn(EMAIL)
    const before = await service.get('/api/v1/me', { token: first.access })
    service.advance(SECOND_MS)
    const beyond = await service.logIn(EMAIL)

    assert.equal(before.status, 200)
    await assertDead(service, first)
    for (const token of [...later.slice(0, -1), twentieth.refresh, beyond.refresh, bob.refresh]) {
      assert.equal((await refresh(service, token)).status, 200)
    }
  })

  test('those that ended by themselves do not count either', async () => {
    await using service = await startService()
    const first = await service.addUser(EMAIL)
    service.advance(SECOND_MS)
    for (let count = 2; count <= 20; count++) await service.logIn(EMAIL)
    service.advance(7 * DAY_MS - 2 * SECOND_MS)
    const kept = await refresh(service, first.refresh)
    service.advance(2 * SECOND_MS)

    await service.logIn(EMAIL)

    assert.equal((await refresh(service, kept.body.refresh_token)).status, 200)
  })

  test('none is left by logins that were under way when the account was disabled', async () => {
    await using service = await startService({ ARGON2_MEMORY_KIB: '4096', HASH_CONCURRENCY: '1' })
    const admin = await service.addAdmin()
    const ann = await service.addUser(EMAIL)
    const credentials = { email: EMAIL, password: PASSWORD }
    const change = (disabled: boolean) =>
      service.patch(`/api/v1/users/${ann.id}`, { disabled }, { token: admin.access })

    const logins = Array.from({ length: 20 }, () => service.post(LOGIN, credentials))
    const disabled = await change(true)
    const answers = await Promise.all(logins)
    await change(false)

    assert.equal(disabled.status, 200)
    assert.ok(answers.some(({ status }) => status === 403))
    for (const answer of answers) {
      if (answer.status !== 200) assertProblem(answer, 'account_disabled')
      else await assertDead(service, tokensOf(answer))
    }
  })
})

describe('POST /auth/login with `cookie`', () => {
  const body = { email: EMAIL, password: PASSWORD, cookie: true }

  for (const [url, settings, name] of [
    ['https', SHOP, SHOP_COOKIE],
    ['http', {}, PLAIN_COOKIE],
  ] as const) {
    test(`200 puts the refresh token into a cookie for as long as it works, by ${url}`, async () => {
      await using service = await startService(settings)
      await service.addUser(EMAIL)

      const answer = await fromBrowser(service, LOGIN, [], { body })

      const { refresh: token } = keptBy(answer, name)
      assert.equal(cookieOf(answer, name).maxAgeS, (7 * DAY_MS) / SECOND_MS)
      tokensOf(await refresh(service, token))
    })
  }

  test('200 keeps the cookie for as long as REFRESH_TOKEN_EXPIRE_DAYS says', async () => {
    await using service = await startService({ ...SHOP, REFRESH_TOKEN_EXPIRE_DAYS: '2' })
    await service.addUser(EMAIL)

    const answer = await fromBrowser(service, LOGIN, [], { body })

    assert.equal(cookieOf(answer).maxAgeS, (2 * DAY_MS) / SECOND_MS)
  })

  test('200 ends the session of the cookie before, whosever it was, and tells the audit log', async () => {
    await using service = await startService(SHOP)
    const [ann, bob] = [await service.addUser(EMAIL), await service.addUser()]
    const inCookie = await logInToCookie(service, ann.email)

    const next = await logInToCookie(service, bob.email, inCookie.refresh)

    await assertDead(service, inCookie)
    assert.ok(await isLive(service, ann))
    assert.ok(await isLive(service, next))
    const [event, ...more] = await eventsOf(service, 'session.ended')
    assert.deepEqual([event?.actor_id, event?.subject_id, more], [ann.id, ann.id, []])
  })

  test('200 ends every session that a cookie of this name has, and ignores garbage', async () => {
    await using service = await startService(SHOP)
    const ann = await service.addUser(EMAIL)
    const other = await service.logIn(EMAIL)

    const next = await logInToCookie(service, EMAIL, [ann.refresh, 'garbage', '', other.refresh])

    await assertDead(service, ann, other)
    assert.ok(await isLive(service, next))
  })

  test('401 for a wrong password: the cookie stays, and so does its session', async () => {
    await using service = await startService(SHOP)
    const ann = await service.addUser(EMAIL)
    const wrong = { ...body, password: 'not the password' }

    const answer = await fromBrowser(service, LOGIN, ann.refresh, { body: wrong })

    assertProblem(answer, 'invalid_credentials')
    assertNoCookie(answer)
    assert.ok(await isLive(service, ann))
  })

  for (const [why, sent] of [
    ['none', { body: { email: EMAIL, password: PASSWORD } }],
    ['false', { body: { ...body, cookie: false } }],
    ['a form', { form: { username: EMAIL, password: PASSWORD } }],
  ] as const) {
    test(`200 ignores cookies otherwise: ${why}`, async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser(EMAIL)
      const headers = { ...OWN_PAGE, cookie: `${SHOP_COOKIE}=${ann.refresh}` }

      const answer = await service.request('POST', LOGIN, { ...sent, headers })

      tokensOf(answer)
      assert.equal(typeof answer.body.refresh_token, 'string')
      assertNoCookie(answer)
      assert.ok(await isLive(service, ann))
    })
  }

  test('422 in a form, and for what is neither true nor false', async () => {
    await using service = await startService(SHOP)
    await service.addUser(EMAIL)
    const form = { username: EMAIL, password: PASSWORD, cookie: 'true' }

    const headers = OWN_PAGE
    assertInvalid(await service.request('POST', LOGIN, { form, headers }), '/cookie', 'type')
    for (const cookie of ['true', 1, null, [true]])
      assertInvalid(await service.post(LOGIN, { ...body, cookie }, { headers }), '/cookie')
  })

  test('403 to a client that is no browser, before the attempt counts', async () => {
    await using service = await startService(SHOP)
    await service.addUser(EMAIL)
    const wrong = { ...body, password: 'not the password' }

    for (const _ of times(20)) {
      const answer = await service.post(LOGIN, wrong, { ip: '192.0.2.7' })
      assertProblem(answer, 'cross_site_request')
    }

    const credentials = { email: EMAIL, password: PASSWORD }
    tokensOf(await service.post(LOGIN, credentials, { ip: '192.0.2.7' }))
  })
})
