import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { assertIndistinguishable } from '../support/fingerprint.ts'
import { countHashes } from '../support/hashes.ts'
import { assertProblem } from '../support/problem.ts'
import { countStatuses, oneByOne, times } from '../support/races.ts'
import { NEW_PASSWORD, reset, tokenFor } from '../support/resets.ts'
import { rowsOf } from '../support/seed.ts'
import { type Answer, PASSWORD, type Service, startService } from '../support/service.ts'

const LOGIN = '/api/v1/auth/login'
const ATTACKER = '198.51.100.66'
const HOME = '203.0.113.7'

describe('limits of logins', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  const logIn = (email: string, password: string, ip: string) =>
    service.post(LOGIN, { email, password }, { ip })
  const fail = (email: string, ip: string) => logIn(email, 'not it, sorry', ip)

  const failOften = (email: string, count: number, ip: (n: number) => string) =>
    oneByOne(count, (n) => fail(email, ip(n)))
  async function refusalsCounted(): Promise<number> {
    const line = /limit_refusals_total\{limit="login_address"\} (\d+)/
    return Number(line.exec(await service.ctx.metrics.expose())?.[1] ?? 0)
  }
  /** An address of a network of its own. */
  const fromAfar = (n: number) => `192.0.2.${n}`

  describe('wrong passwords for one address from one network', () => {
    test('429 after ten in ten minutes, the right password too, for 30 s', async () => {
      const ann = await service.addUser()
      const answers = await failOften(ann.email, 10, () => ATTACKER)

      const refused = await logIn(ann.email, ann.password, ATTACKER)
      service.advance(30 * SECOND_MS)
      const later = await logIn(ann.email, ann.password, ATTACKER)

      assert.deepEqual(countStatuses(answers), { 401: 10 })
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['retry-after'], '30')
      assert.equal(refused.headers['ratelimit-policy'], '"login";q=10;w=600')
      assert.equal(refused.headers['ratelimit'], '"login";r=0;t=30')
      assert.equal(later.status, 200)
    })

    test('then one try after each pause, which doubles up to an hour, and a day forgets it', async () => {
      const { email } = await service.addUser()
      await failOften(email, 10, () => ATTACKER)
      const pauses: number[] = []

      for (let n = 0; n < 10; n++) {
        const refused = await fail(email, ATTACKER)
        assertProblem(refused, 'too_many_requests')
        pauses.push(Number(refused.headers['retry-after']))
        service.advance(pauses.at(-1)! * SECOND_MS - 1)
        assert.equal((await fail(email, ATTACKER)).status, 429)
        service.advance(1)
        assertProblem(await fail(email, ATTACKER), 'invalid_credentials')
      }
      service.advance(DAY_MS)

      assert.deepEqual(pauses, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
      assert.deepEqual(countStatuses(await failOften(email, 10, () => ATTACKER)), { 401: 10 })
    })

    test('nine in ten minutes, again and again, are no attack; a login forgets them', async () => {
      const ann = await service.addUser()
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(countStatuses(await failOften(ann.email, 9, () => HOME)), { 401: 9 })
        service.advance(10 * MINUTE_MS)
      }
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(countStatuses(await failOften(ann.email, 9, () => HOME)), { 401: 9 })
        assert.equal((await logIn(ann.email, ann.password, HOME)).status, 200)
      }
    })

    test('case and form of the address do not help', async () => {
      const { email } = await service.addUser()
      for (const n of times(10)) await fail(n % 2 ? email.toUpperCase() : email, ATTACKER)
      const form = { username: email, password: PASSWORD }

      assert.equal((await service.post(LOGIN, undefined, { form, ip: ATTACKER })).status, 429)
      assert.equal((await logIn(email.toUpperCase(), PASSWORD, ATTACKER)).status, 429)
    })

    test('of 200 at once, the right one among them, at most ten are looked at', async () => {
      const ann = await service.addUser()
      const sent = times(200).map((n) =>
        logIn(ann.email, n === 100 ? ann.password : `wrong ${n}`, ATTACKER),
      )

      const { 429: refused = 0, ...looked } = countStatuses(await Promise.all(sent))

      assert.ok(refused >= 190, `${refused} refused`)
      assert.deepEqual(Object.keys(looked), ['401'])
    })

    test('known, unknown, unverified and disabled addresses are counted alike', async () => {
      const verified = await service.addUser()
      const disabled = await service.addUser()
      const admin = await service.addAdmin()
      const sent = { token: admin.access }
      await service.patch(`/api/v1/users/${disabled.id}`, { disabled: true }, sent)
      await service.signUp('pending@example.com')
      const emails = [verified.email, disabled.email, 'pending@example.com', 'nobody@example.com']

      for (const n of times(14)) {
        const answers: Record<string, Answer> = {}
        for (const [index, email] of emails.entries())
          answers[email] = await fail(email, `198.51.100.${index + 1}`)
        assertIndistinguishable(answers)
        assert.equal(answers[verified.email]?.status, n < 10 ? 401 : 429)
      }
    })

    test('403 to who knows the password is no failure', async () => {
      const { id, email, password } = await service.addUser()
      const admin = await service.addAdmin()
      await service.patch(`/api/v1/users/${id}`, { disabled: true }, { token: admin.access })
      await service.signUp('waiting@example.com')

      for (let n = 0; n < 15; n++) {
        assertProblem(await logIn(email, password, HOME), 'account_disabled')
        assertProblem(await logIn('waiting@example.com', PASSWORD, HOME), 'email_unverified')
      }
    })
  })

  describe('wrong passwords for one address from everywhere', () => {
    test('429 login_locked after 50 in a row, the same for an unknown address', async () => {
      const ann = await service.addUser()
      const known = await failOften(ann.email, 50, fromAfar)
      const unknown = await failOften('nobody@example.net', 50, fromAfar)

      const answers = {
        known: await logIn(ann.email, ann.password, HOME),
        unknown: await logIn('nobody@example.net', ann.password, HOME),
      }

      assert.deepEqual(countStatuses([...known, ...unknown]), { 401: 100 })
      assertIndistinguishable(answers)
      assertProblem(answers.known, 'login_locked')
      assert.match(answers.known.body.detail, /reset the password by email/)
      assert.equal(answers.known.headers['retry-after'], String(DAY_MS / SECOND_MS))
      service.advance(DAY_MS - 1)
      assertProblem(await logIn(ann.email, ann.password, HOME), 'login_locked')
    })

    test('a day after the first of them known and unknown are the same again', async () => {
      const ann = await service.addUser()
      await logIn(ann.email, ann.password, HOME)
      const emails = [ann.email, 'nobody@example.biz']
      for (const email of emails) await failOften(email, 50, fromAfar)
      await logIn(ann.email, ann.password, HOME)
      service.advance(DAY_MS)

      const answers: Record<string, Answer> = {}
      for (const email of emails) answers[email] = await fail(email, '203.0.113.9')

      assertIndistinguishable(answers)
      assertProblem(answers[ann.email]!, 'invalid_credentials')
    })

    test('the first who is refused is recorded, not who goes on at home', async () => {
      const ann = await service.addUser()
      await logIn(ann.email, ann.password, HOME)
      await failOften(ann.email, 50, fromAfar)
      const from = (await rowsOf(service.ctx, 'audit_events')).length
      const refusals = await refusalsCounted()

      const atHome = await fail(ann.email, HOME)
      await failOften(ann.email, 3, (n) => `198.51.100.${200 + n}`)

      const events = (await rowsOf(service.ctx, 'audit_events'))
        .slice(from)
        .filter(({ event }) => event !== 'login.failed')
      assertProblem(atHome, 'invalid_credentials')
      assert.deepEqual(
        events.map(({ event, ip }) => [event, ip]),
        [['limit.reached', '198.51.100.200']],
      )
      assert.equal((await refusalsCounted()) - refusals, 3)
    })

    test('its owner logs in from where they did in the last 30 days, and that clears it', async () => {
      const ann = await service.addUser()
      await logIn(ann.email, ann.password, HOME)
      await failOften(ann.email, 60, fromAfar)

      const elsewhere = await logIn(ann.email, ann.password, '203.0.113.8')
      const atHome = await logIn(ann.email, ann.password, HOME)
      const elsewhereAgain = await logIn(ann.email, ann.password, '203.0.113.8')

      assertProblem(elsewhere, 'login_locked')
      assert.equal(atHome.status, 200)
      assert.equal(elsewhereAgain.status, 200)
    })

    test('its owner logs in from a device of the last 30 days, anywhere, until ten wrong passwords came from it', async () => {
      const ann = await service.addUser()
      const phone = { 'user-agent': 'the phone of Ann' }
      const fromPhone = (password: string, ip: string) =>
        service.post(LOGIN, { email: ann.email, password }, { ip, headers: phone })
      await fromPhone(ann.password, HOME)
      await failOften(ann.email, 50, fromAfar)
      const elsewhere = await fromPhone(ann.password, '203.0.113.8')
      await failOften(ann.email, 50, fromAfar)

      const guesses = await oneByOne(12, (n) => fromPhone('not it, sorry', `198.51.100.${n}`))

      assert.equal(elsewhere.status, 200)
      assert.deepEqual(countStatuses(guesses), { 401: 10, 429: 2 })
      assertProblem(await fromPhone(ann.password, '203.0.113.9'), 'login_locked')
      assert.equal((await fromPhone(ann.password, HOME)).status, 200)
    })

    test('with hidden addresses a device is no exemption: it would tell which are registered', async () => {
      await using hidden = await startService({ HIDE_REGISTERED_EMAILS: 'on' })
      const ann = await hidden.addUser()
      const from = (email: string, password: string, ip: string) =>
        hidden.post(LOGIN, { email, password }, { ip, headers: { 'user-agent': 'a phone' } })
      await from(ann.email, ann.password, HOME)
      for (const email of [ann.email, 'nobody@example.com'])
        await oneByOne(50, (n) =>
          hidden.post(LOGIN, { email, password: 'not it, sorry' }, { ip: fromAfar(n) }),
        )

      const [known, unknown] = [
        await from(ann.email, ann.password, '203.0.113.8'),
        await from('nobody@example.com', ann.password, '203.0.113.9'),
      ]

      assertProblem(known, 'login_locked')
      assertProblem(unknown, 'login_locked')
    })

    test('a known network is exempt from nothing else', async () => {
      const ann = await service.addUser()
      await logIn(ann.email, ann.password, HOME)
      await failOften(ann.email, 50, fromAfar)

      const answers = await failOften(ann.email, 11, () => HOME)

      assert.deepEqual(countStatuses(answers), { 401: 10, 429: 1 })
      assert.equal(answers[10]?.body.code, 'too_many_requests')
    })

    test('a reset by mail clears it', async () => {
      const ann = await service.addUser()
      await failOften(ann.email, 50, fromAfar)
      const token = await tokenFor(service, ann.email)
      assertProblem(await logIn(ann.email, ann.password, HOME), 'login_locked')

      const done = await reset(service, token)

      assert.equal(done.status, 200, done.text)
      assert.equal((await logIn(ann.email, NEW_PASSWORD, HOME)).status, 200)
    })

    test('1000 from one network lock nobody out elsewhere', async () => {
      const ann = await service.addUser()
      const statuses = countStatuses(await failOften(ann.email, 1000, () => ATTACKER))

      assert.deepEqual(statuses, { 401: 10, 429: 990 })
      assert.equal((await logIn(ann.email, ann.password, '203.0.113.99')).status, 200)
    })
  })

  test('101 right logins from one network are no attack, and what one address is refused is not counted', async () => {
    const ann = await service.addUser()
    const ip = '198.51.100.120'
    await failOften('nobody@example.org', 150, () => ip)

    for (let n = 0; n < 101; n++)
      assert.equal((await logIn(ann.email, ann.password, ip)).status, 200)
  })

  test('503 of a full hash queue is no failure', async () => {
    // Some milliseconds each, so that of several at once some are refused.
    const settings = { ARGON2_MEMORY_KIB: '8192', HASH_CONCURRENCY: '1', HASH_QUEUE: '0' }
    await using busy = await startService(settings)
    const send = () =>
      busy.post(LOGIN, { email: 'ann@example.com', password: 'not it, sorry' }, { ip: HOME })
    const flood = countStatuses(await Promise.all(times(9).map(() => send())))
    const { 401: failed = 0, 503: refused = 0 } = flood

    const answers = await oneByOne(11, () => send())

    assert.ok(refused > 0, JSON.stringify(flood))
    assert.equal(countStatuses(answers)[401], 10 - failed)
  })
})

describe('limits of the current password', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  const change = (token: string, current: string, next: string = NEW_PASSWORD) =>
    service.post(
      '/api/v1/me/password',
      { current_password: current, new_password: next },
      { token },
    )
  const fail = (token: string) => change(token, 'not it, sorry')
  const deleteMe = (token: string) =>
    service.delete('/api/v1/me', { token, body: { current_password: PASSWORD } })
  const useRefresh = (refresh: string) =>
    service.post('/api/v1/auth/refresh', { refresh_token: refresh })

  const failOften = (token: string, count: number) => oneByOne(count, () => fail(token))

  /** So often as they are compared, for as long as it takes; returns the session and its pauses in seconds. */
  async function failPatiently({ refresh }: { refresh: string }, count: number) {
    const pauses: number[] = []
    let session = { access: '', refresh }
    for (let compared = 0; compared < count;) {
      const { body } = await useRefresh(session.refresh)
      session = { access: body.access_token, refresh: body.refresh_token }
      const answer = await fail(session.access)
      if (answer.status === 403) compared++
      else assertProblem(answer, 'too_many_requests')
      if (answer.status !== 429) continue
      pauses.push(Number(answer.headers['retry-after']))
      service.advance(pauses.at(-1)! * SECOND_MS)
    }
    return { ...session, pauses }
  }

  describe('the current password', () => {
    test('429 after ten wrong ones in ten minutes, for this session alone', async () => {
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const elsewhere = await service.logIn(ann.email)
      const answers = await failOften(ann.access, 10)

      const refused = await change(ann.access, ann.password)
      const others = [await change(bob.access, bob.password), await deleteMe(elsewhere.access)]

      assert.deepEqual(countStatuses(answers), { 403: 10 })
      for (const answer of answers) assertProblem(answer, 'wrong_password')
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['ratelimit-policy'], '"current_password";q=10;w=600')
      assert.deepEqual(countStatuses(others), { 204: 2 })
    })

    test('the pauses grow; after 50 wrong ones in a row the next ends the session, right or wrong', async () => {
      const ann = await service.addUser()
      const thief = await failPatiently(ann, 50)
      service.advance(HOUR_MS)
      const { body } = await useRefresh(thief.refresh)

      const ended = await change(body.access_token, ann.password)
      const after = [
        await service.get('/api/v1/me', { token: body.access_token }),
        await useRefresh(body.refresh_token),
      ]
      const [event] = (await rowsOf(service.ctx, 'audit_events')).slice(-1)
      const owner = await service.logIn(ann.email)
      const changed = await change(owner.access, ann.password)

      assert.deepEqual(thief.pauses.slice(0, 9), [30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
      for (const answer of [ended, ...after]) assertProblem(answer, 'invalid_token')
      assert.equal(changed.status, 204)
      assert.deepEqual([event['event'], event['subject_id']], ['session.ended', ann.id])
      const changes = { session_id: ann.refresh.split('.')[0], reason: 'wrong_passwords' }
      assert.deepEqual(JSON.parse(String(event['changes'])), changes)
    })

    test('a right one forgets the wrong ones before it', async () => {
      const ann = await service.addUser()
      let { password } = ann
      for (const n of times(7)) {
        const answers = await failOften(ann.access, 9)
        const next = `${NEW_PASSWORD} ${n}`
        const changed = await change(ann.access, password, next)

        assert.deepEqual(countStatuses(answers), { 403: 9 })
        assert.equal(changed.status, 204, changed.text)
        password = next
      }
    })

    test('of 100 at once ten are compared', async () => {
      const ann = await service.addUser()
      const answers = await Promise.all(times(100).map(() => fail(ann.access)))
      assert.deepEqual(countStatuses(answers), { 403: 10, 429: 90 })
    })
  })
})

describe('limits of hashes', () => {
  const logIn = (service: Service, email: string, password: string, ip?: string) =>
    service.post(LOGIN, { email, password }, ip === undefined ? {} : { ip })

  for (const [why, code, prepare] of [
    [
      'an unverified account',
      'email_unverified',
      (service: Service) => service.signUp('ann@example.com'),
    ],
    [
      'a disabled account',
      'account_disabled',
      async (service: Service) => {
        const { id } = await service.addUser('ann@example.com')
        const { access: token } = await service.addAdmin()
        await service.patch(`/api/v1/users/${id}`, { disabled: true }, { token })
      },
    ],
  ] as const) {
    test(`429 without a hash after 200 right passwords of ${why}, and 401 for a wrong one`, async () => {
      await using service = await startService()
      await prepare(service)
      const answers = await oneByOne(200, () => logIn(service, 'ann@example.com', PASSWORD))
      const counts = countHashes(service)

      const refused = await logIn(service, 'ann@example.com', PASSWORD)
      const verified = counts.verified
      const wrong = await logIn(service, 'ann@example.com', 'not it, sorry')

      assert.deepEqual(countStatuses(answers), { 403: 200 })
      assert.equal(answers[0]?.body.code, code)
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['ratelimit-policy'], '"own_logins";q=200;w=3600')
      assert.equal(verified, 0)
      assertProblem(wrong, 'invalid_credentials')
    })
  }

  test('429 without a hash after 60 proofs of the password in an hour, over all sessions', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    const other = await service.logIn(ann.email)
    const change = ({ access: token }: { access: string }, n: number, current = PASSWORD) =>
      service.post(
        '/api/v1/me/email',
        { email: `new${n}@example.com`, current_password: current },
        { token },
      )
    const wrong = await oneByOne(9, (n) => change(ann, n, 'not it, sorry'))
    const answers = await oneByOne(60, (n) => change(n % 2 ? ann : other, n))
    const counts = countHashes(service)

    const refused = [
      await change(ann, 60),
      await service.post(
        '/api/v1/me/password',
        { current_password: PASSWORD, new_password: NEW_PASSWORD },
        { token: other.access },
      ),
      await service.delete('/api/v1/me', {
        token: ann.access,
        body: { current_password: PASSWORD },
      }),
    ]
    const hashed = { ...counts }
    const others = await change(bob, 61)
    service.advance(HOUR_MS)
    const { access } = await service.logIn(ann.email)
    const later = await change({ access }, 62)

    assert.deepEqual(countStatuses(wrong), { 403: 9 })
    assert.deepEqual(countStatuses(answers), { 202: 60 })
    for (const answer of refused) {
      assertProblem(answer, 'too_many_requests')
      assert.equal(answer.headers['ratelimit-policy'], '"own_proofs";q=60;w=3600')
    }
    assert.deepEqual(hashed, { made: 0, verified: 0 })
    assert.deepEqual([others.status, later.status], [202, 202])
  })

  test('429 after 600 hashes of a network in ten minutes, whatever they ended in', async () => {
    await using service = await startService({ RATE_LIMIT_SCALE: '0.1' })
    const ann = await service.addUser()
    await service.signUp('waiting@example.com')
    const mail = (n: number) =>
      service.post(
        '/api/v1/me/email',
        { email: `new${n}@example.com`, current_password: PASSWORD },
        { token: ann.access, ip: HOME },
      )
    const answers = await oneByOne(60, (n) =>
      n % 2 ? mail(n) : logIn(service, n % 4 ? ann.email : 'waiting@example.com', PASSWORD, HOME),
    )
    const counts = countHashes(service)

    const refused = [
      await logIn(service, ann.email, PASSWORD, HOME),
      await mail(61),
      await service.post(
        '/api/v1/auth/signup',
        { email: 'new@example.com', password: PASSWORD },
        { ip: HOME },
      ),
    ]
    const hashed = { ...counts }
    const elsewhere = await logIn(service, ann.email, PASSWORD, ATTACKER)
    service.advance(10 * MINUTE_MS)
    const later = await logIn(service, ann.email, PASSWORD, HOME)

    assert.deepEqual(countStatuses(answers), { 200: 15, 202: 30, 403: 15 })
    for (const answer of refused) {
      assertProblem(answer, 'too_many_requests')
      assert.equal(answer.headers['ratelimit-policy'], '"hashes_network";q=60;w=600')
    }
    assert.deepEqual(hashed, { made: 0, verified: 0 })
    assert.deepEqual([elsewhere.status, later.status], [200, 200])
  })

  test('503 of a full hash queue counts no hash', async () => {
    // Some milliseconds each, so that of several at once some are refused.
    const slow = { ARGON2_MEMORY_KIB: '8192', HASH_CONCURRENCY: '1', HASH_QUEUE: '0' }
    await using service = await startService({ ...slow, RATE_LIMIT_SCALE: '0.1' })
    const send = (n: number) => logIn(service, `nobody${n}@example.com`, PASSWORD, HOME)
    const sent = { ip: HOME, token: (await service.addUser()).access }
    const proof = { email: 'new@example.com', current_password: PASSWORD }
    const flood = await Promise.all(
      times(200).map(() => service.post('/api/v1/me/email', proof, sent)),
    )
    const { 202: hashed = 0, 503: refused = 0 } = countStatuses(flood)

    const answers = await oneByOne(5, send)

    assert.ok(refused > 60, JSON.stringify(countStatuses(flood)))
    assert.ok(hashed < 55, String(hashed))
    assert.deepEqual(countStatuses(answers), { 401: 5 })
  })
})
