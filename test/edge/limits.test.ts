import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type LimitName, LIMITS } from '../../server/limits/limits.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { UNDO } from '../support/email-changes.ts'
import { askForCode, newestCode, NUMBER, OTHER_NUMBER, PHONE } from '../support/phones.ts'
import { assertProblem } from '../support/problem.ts'
import { countStatuses, oneByOne, times } from '../support/races.ts'
import { forget, FORGOT, linksTo, RESET } from '../support/resets.ts'
import { openRaw, requestText, untilNoneIsConnected } from '../support/raw.ts'
import { rowsOf } from '../support/seed.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from '../support/service.ts'
import { USERS } from '../support/users.ts'
import { until } from '../support/until.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const LOGIN = '/api/v1/auth/login'
const REFRESH = '/api/v1/auth/refresh'
const ME = '/api/v1/me'
const ANN = 'ann@example.com'
const TEN_MS = 10 * MINUTE_MS
const WRONG_TOKEN = `0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.${'A'.repeat(43)}`

const stranger = (n: number) => `stranger${n}@example.com`
const signUp = (n: number) => ({ email: stranger(n), password: PASSWORD })

/** The status is that of each request that counts. */
const families = (
  [
    ['sign_up_network', SIGN_UP, signUp, 201, 10, HOUR_MS],
    ['resend_network', RESEND, (n) => ({ email: stranger(n) }), 202, 30, HOUR_MS],
    ['forgot_network', FORGOT, (n) => ({ email: stranger(n) }), 202, 10, HOUR_MS],
    ['verify_network', VERIFY, (n) => ({ email: stranger(n), code: '123456' }), 400, 100, TEN_MS],
    ['login_network', LOGIN, (n) => ({ ...signUp(n), password: 'not it' }), 401, 100, TEN_MS],
    ['refresh_network', REFRESH, () => ({ refresh_token: 'not a token' }), 401, 300, TEN_MS],
    ['reset_network', RESET, () => ({ token: WRONG_TOKEN, password: PASSWORD }), 400, 30, TEN_MS],
    ['undo_network', UNDO, () => ({ token: WRONG_TOKEN }), 400, 30, TEN_MS],
  ] satisfies [LimitName, string, (n: number) => object, number, number, number][]
).map(([limit, url, body, status, points, windowMs]) => {
  return { limit, url, body, status, points, windowMs }
})

describe('limits by network', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  let signedUp = 1000
  const signUps = (count: number, ip: string) =>
    oneByOne(count, () => service.post(SIGN_UP, signUp(++signedUp), { ip }))
  const forgets = (count: number, ip: string) =>
    oneByOne(count, (n) => service.post(FORGOT, { email: stranger(n) }, { ip }))

  test('all of them are here', () => {
    // `leaked_list_network` refuses nobody: test/edge/pwned-passwords.test.ts. No route declares
    // `hashes_network`, which is counted at each hash.
    const declared = Object.entries(LIMITS).filter(
      ([name, { per }]) =>
        per === 'network' && !['leaked_list_network', 'hashes_network'].includes(name),
    )
    const tested = families.map(({ limit }) => limit)
    assert.deepEqual(tested.toSorted(), declared.map(([name]) => name).toSorted())
  })

  for (const [index, { limit, url, body, status, points, windowMs }] of families.entries()) {
    test(`429 for the ${points + 1}th ${url} of a network, until the window ends`, async () => {
      const ip = `198.51.100.${index}`
      const answers = await oneByOne(points, (n) => service.post(url, body(n), { ip }))

      const refused = await service.post(url, body(points), { ip })
      const elsewhere = await service.post(url, body(points + 1), { ip: '203.0.113.1' })
      const unprefixed = await service.post(url.replace('/api/v1', ''), body(1), { ip })
      service.advance(windowMs - SECOND_MS)
      const justBefore = await service.post(url, body(points + 2), { ip })
      service.advance(SECOND_MS)
      const later = await service.post(url, body(points + 3), { ip })

      assert.deepEqual(countStatuses(answers), { [status]: points })
      assertProblem(refused, 'too_many_requests')
      assertProblem(unprefixed, 'too_many_requests')
      assert.equal(refused.headers['retry-after'], String(windowMs / SECOND_MS))
      const policy = `"${limit}";q=${points};w=${windowMs / SECOND_MS}`
      assert.equal(refused.headers['ratelimit-policy'], policy)
      assert.equal(refused.headers['ratelimit'], `"${limit}";r=0;t=${windowMs / SECOND_MS}`)
      assert.equal(elsewhere.status, status)
      assert.equal(justBefore.headers['retry-after'], '1')
      assert.equal(later.status, status)
    })
  }

  test('429 comes before 401, 403, 415, 413, 400 and 422', async () => {
    const ip = '198.51.100.100'
    await signUps(10, ip)
    const type = (contentType: string) => ({ ip, headers: { 'content-type': contentType } })

    for (const answer of [
      await service.post(SIGN_UP, 'x', type('text/plain')),
      await service.post(SIGN_UP, '{', type('application/json')),
      await service.post(SIGN_UP, { email: 'x'.repeat(20_000) }, { ip }),
      await service.post(SIGN_UP, {}, { ip }),
    ])
      assertProblem(answer, 'too_many_requests')
    assert.equal((await service.get(SIGN_UP, { ip })).status, 405)
    assert.equal((await service.post(`${SIGN_UP}/x`, {}, { ip })).status, 404)
  })

  for (const [width, points, ip, outside] of [
    // Of a home: 256 networks of /64.
    [56, 40, (n: number) => `2001:db8:56:${(n % 256).toString(16)}::1`, '2001:db8:56:100::1'],
    // Of a rented server: 65 536, here one in each /56.
    [48, 160, (n: number) => `2001:db8:48:${(n * 256).toString(16)}::1`, '2001:db8:49::1'],
  ] as const) {
    test(`429 for the ${points + 1}th of an IPv6 /${width}, whichever of its networks they come from`, async () => {
      const answers = await oneByOne(points, (n) =>
        service.post(FORGOT, { email: stranger(n) }, { ip: ip(n) }),
      )

      const [refused] = await forgets(1, ip(points))
      const [elsewhere] = await forgets(1, outside)

      assert.deepEqual(countStatuses(answers), { 202: points })
      assertProblem(refused!, 'too_many_requests')
      assert.equal(refused?.headers['ratelimit-policy'], `"forgot_network";q=${points};w=3600`)
      assert.equal(elsewhere?.status, 202)
    })
  }

  test('what one /64 is refused does not count for the networks around it', async () => {
    await forgets(1000, '2001:db8:64::1')
    const [neighbour] = await forgets(1, '2001:db8:64:1::1')
    assert.equal(neighbour?.status, 202)
  })

  test('an IPv6 customer counts as one, whatever of a /64 is used; a mapped address is IPv4', async () => {
    for (const n of times(10)) await signUps(1, `2001:db8:0:7::${n.toString(16)}`)

    const [sameCustomer] = await signUps(1, '2001:db8:0:7:ffff::1')
    const [another] = await signUps(1, '2001:db8:0:8::1')
    await signUps(10, '198.51.100.101')
    const [mapped] = await signUps(1, '::ffff:198.51.100.101')

    assertProblem(sameCustomer!, 'too_many_requests')
    assert.equal(another?.status, 201)
    assertProblem(mapped!, 'too_many_requests')
  })

  test('of 200 at once that all passed the first look no more than the limit are counted', async () => {
    const ip = '198.51.100.110'
    const allLooked = Promise.withResolvers<void>()
    let looked = 0
    const { limits } = service.ctx
    const { takeOrRefuse } = limits
    limits.takeOrRefuse = async (name, key) => {
      if (name === 'resend_network' && ++looked === 200) allLooked.resolve()
      if (name === 'resend_network') await allLooked.promise
      return takeOrRefuse(name, key)
    }

    const answers = await Promise.all(
      times(200).map((n) => service.post(RESEND, { email: stranger(n) }, { ip })),
    )
    limits.takeOrRefuse = takeOrRefuse

    assert.deepEqual(countStatuses(answers), { 202: 30, 429: 170 })
  })

  test('what was refused for its form costs nothing', async () => {
    const ip = '198.51.100.102'
    const bad = { email: 'ann@example.com', password: 'short' }
    for (let n = 0; n < 15; n++) {
      assert.equal((await service.post(SIGN_UP, bad, { ip })).status, 422)
      assert.equal((await service.post(SIGN_UP, 'x', { ip })).status, 415)
    }
    assert.deepEqual(countStatuses(await signUps(11, ip)), { 201: 10, 429: 1 })
  })

  test('409 for a registered address counts: they cannot be listed', async () => {
    const { email } = await service.addUser()
    const sent = { ip: '198.51.100.103' }

    const answers = await oneByOne(12, () =>
      service.post(SIGN_UP, { email, password: PASSWORD }, sent),
    )

    assert.deepEqual(countStatuses(answers), { 409: 10, 429: 2 })
  })

  test('200 at once are no more than the limit', async () => {
    const ip = '198.51.100.104'
    const answers = await Promise.all(
      times(200).map((n) => service.post(RESEND, { email: stranger(n) }, { ip })),
    )
    assert.deepEqual(countStatuses(answers), { 202: 30, 429: 170 })
  })

  test('a refusal is recorded once for each network and window, with where it came from', async () => {
    const ip = '198.51.100.105'
    const refusals = async () =>
      (await rowsOf(service.ctx, 'audit_events')).filter(
        (row) => row.event === 'limit.reached' && row.ip === ip,
      )
    await forgets(10, ip)
    const [refused] = await forgets(20, ip)
    service.advance(HOUR_MS)
    const first = await refusals()
    await forgets(20, ip)

    assert.equal(first.length, 1)
    assert.deepEqual(JSON.parse(first[0].changes), { limit: 'forgot_network' })
    assert.deepEqual([first[0].actor_id, first[0].subject_id], [null, null])
    assert.equal(first[0].request_id, refused?.headers['x-request-id'])
    assert.equal((await refusals()).length, 2)
  })

  test('links that are not sent are recorded, though the answer does not tell', async () => {
    const ip = '198.51.100.106'
    const answers = await oneByOne(6, () => service.post(FORGOT, { email: ANN }, { ip }))

    const events = await rowsOf(service.ctx, 'audit_events')

    assert.deepEqual(countStatuses(answers), { 202: 6 })
    assert.deepEqual(
      events.filter((event) => event.ip === ip).map(({ changes }) => JSON.parse(changes)),
      [{ limit: 'forgot' }],
    )
  })
})

test('requests whose body never arrives count nothing, neither for the network nor for the user', async () => {
  await using service = await startService()
  const ann = await service.addUser()
  let awaited = 0
  service.app.addHook('preParsing', async () => void awaited++)
  const base = await service.listen()
  const head = { 'Content-Type': 'application/json', 'Content-Length': '99' }
  const authorization = `Bearer ${ann.access}`
  const open = (line: string, headers: Record<string, string>) =>
    openRaw(base, requestText(line, headers))

  const clients = [
    ...times(80).map(() => open(`POST ${SIGN_UP}`, head)),
    ...times(80).map(() => open(`PATCH ${ME}`, { ...head, authorization })),
  ]
  await until('a wait for each body', () => awaited === 160)
  const signedUp = await service.post(SIGN_UP, signUp(1), { ip: '127.0.0.1' })
  const renamed = await service.patch(ME, { full_name: 'Ann' }, { token: ann.access })
  for (const client of clients) client.reset()
  await untilNoneIsConnected(service)
  const rest = await oneByOne(10, (n) => service.post(SIGN_UP, signUp(n + 2), { ip: '127.0.0.1' }))

  assert.deepEqual([signedUp.status, renamed.status], [201, 200])
  assert.deepEqual(countStatuses(rest), { 201: 9, 429: 1 })
})

test('RATE_LIMIT_SCALE multiplies the limits per network, and no other', async () => {
  await using service = await startService({ RATE_LIMIT_SCALE: '1.5' })
  const ip = '198.51.100.1'
  const ann = await service.addUser()
  const fail = (email: string, from: string) =>
    service.post(LOGIN, { email, password: 'not it' }, { ip: from })

  const signUps = await oneByOne(16, (n) => service.post(SIGN_UP, signUp(n), { ip }))
  const logins = await oneByOne(11, () => fail(ann.email, '198.51.100.2'))

  assert.deepEqual(countStatuses(signUps), { 201: 15, 429: 1 })
  assert.equal(signUps.at(-1)?.headers['ratelimit-policy'], '"sign_up_network";q=15;w=3600')
  assert.deepEqual(countStatuses(logins), { 401: 10, 429: 1 })
})

test('RATE_LIMIT_SCALE below 1 leaves each network at least one attempt', async () => {
  await using service = await startService({ RATE_LIMIT_SCALE: '0.1' })
  const answers = await oneByOne(2, (n) => service.post(SIGN_UP, signUp(n), { ip: '198.51.100.1' }))
  assert.deepEqual(countStatuses(answers), { 201: 1, 429: 1 })
})

test('RATE_LIMIT=off lifts them all', async () => {
  await using service = await startService({ RATE_LIMIT: 'off', SMS_MAX_PER_HOUR: '3' })
  for (const { limit, url, body, points } of families) {
    const sent = { ip: '198.51.100.1' }
    const answers = await oneByOne(points + 5, (n) => service.post(url, body(n), sent))
    assert.equal(countStatuses(answers)[429], undefined, limit)
  }
  const users = await oneByOne(7, () => service.addUser())
  for (const user of users) {
    assert.equal(await forget(service, users[0]!.email), 1)
    assert.equal(await askForCode(service, user), 1)
  }
})

test('503 of a full hash queue costs nothing', async () => {
  // Some milliseconds each, so that of several at once some are refused.
  const settings = { ARGON2_MEMORY_KIB: '8192', HASH_CONCURRENCY: '1', HASH_QUEUE: '0' }
  await using service = await startService(settings)
  const ip = '198.51.100.1'
  const flood = await Promise.all(times(10).map((n) => service.post(SIGN_UP, signUp(n), { ip })))
  const { 201: counted = 0, 503: refused = 0 } = countStatuses(flood)

  const rest = await oneByOne(11, (n) => service.post(SIGN_UP, signUp(100 + n), { ip }))

  assert.ok(refused > 0, JSON.stringify(countStatuses(flood)))
  assert.deepEqual(countStatuses(rest), { 201: 10 - counted, 429: 1 + counted })
})

describe('limits by user', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  const rename = ({ access: token }: { access: string }, n = 0) =>
    service.patch(ME, { full_name: `Ann ${n}` }, { token })

  /** What a user does, and the status of each that counts. */
  const writes: readonly [string, (user: TestUser) => Promise<Answer>, number][] = [
    ['PATCH /me', rename, 200],
    [
      'PATCH /users/{id}',
      ({ id, access: token }) => service.patch(`${USERS}/${id}`, { full_name: 'Ann' }, { token }),
      200,
    ],
    [
      'POST /me/phone',
      ({ access: token }) => service.post(PHONE, { phone: NUMBER }, { token }),
      202,
    ],
    ['DELETE /me/phone', ({ access: token }) => service.delete(PHONE, { token }), 204],
  ]

  const logIn = ({ email }: TestUser, password = PASSWORD) =>
    service.post(LOGIN, { email, password })
  const sessionsOf = async ({ id }: TestUser) =>
    (await rowsOf(service.ctx, 'sessions')).filter(({ user_id }) => user_id === id).length

  test('429 after two hundred logins in an hour, from wherever, and only for the right password', async () => {
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    const made = await oneByOne(200, () => logIn(ann))
    const before = await sessionsOf(ann)

    const wrong = await logIn(ann, 'not the password')
    const refused = await logIn(ann)
    const after = await sessionsOf(ann)
    const others = await logIn(bob)
    const open = await service.get(ME, { token: String(made.at(-1)?.body.access_token) })
    service.advance(HOUR_MS)
    const later = await logIn(ann)

    assert.deepEqual(countStatuses(made), { 200: 200 })
    assertProblem(wrong, 'invalid_credentials')
    assertProblem(refused, 'too_many_requests')
    assert.equal(refused.headers['ratelimit-policy'], '"own_logins";q=200;w=3600')
    assert.equal(refused.headers['retry-after'], '3600')
    assert.equal(after, before)
    assert.deepEqual([others.status, open.status, later.status], [200, 200, 200])
  })

  test('429 after a hundred deletions in an hour by one admin; what is refused costs nothing', async () => {
    const [boss, other] = [await service.addAdmin(), await service.addAdmin()]
    const remove = (id: number, { access: token }: TestUser) =>
      service.delete(`${USERS}/${id}`, { token })
    const removeNew = async (admin: TestUser) => remove((await service.addUser()).id, admin)
    const refusals = await oneByOne(5, () => remove(999_999, boss))
    const made = await oneByOne(100, () => removeNew(boss))

    const refused = await removeNew(boss)
    const others = await removeNew(other)
    service.advance(HOUR_MS)
    const later = await removeNew({ ...boss, access: (await logIn(boss)).body.access_token })

    assert.deepEqual([countStatuses(refusals), countStatuses(made)], [{ 404: 5 }, { 200: 100 }])
    assertProblem(refused, 'too_many_requests')
    assert.equal(refused.headers['ratelimit-policy'], '"admin_deletions";q=100;w=3600')
    assert.deepEqual([others.status, later.status], [200, 200])
  })

  for (const [route, write, status] of writes) {
    test(`429 for ${route} after 60 writes in ten minutes, for this user alone`, async () => {
      const [ann, bob] = [await service.addUser(), await service.addUser()]
      const made = [await write(ann), ...(await oneByOne(59, (n) => rename(ann, n)))]

      const refused = await write(ann)
      const others = await write(bob)
      service.advance(TEN_MS)
      const later = await write(ann)

      assert.deepEqual([made[0]?.status, countStatuses(made)[429]], [status, undefined])
      assertProblem(refused, 'too_many_requests')
      assert.equal(refused.headers['ratelimit-policy'], '"own_writes";q=60;w=600')
      assert.deepEqual([others.status, later.status], [status, status])
    })
  }

  test('401 before 429 for writes, and 429 before 415 and 422', async () => {
    const ann = await service.addUser()
    await oneByOne(60, (n) => rename(ann, n))
    const headers = { 'content-type': 'text/plain' }

    const broken = await service.patch(ME, 'x', { token: ann.access, headers })
    const wrong = await service.patch(ME, { x: 1 }, { token: ann.access })
    const nobody = await service.patch(ME, { full_name: 'x' }, { token: 'garbage' })

    assertProblem(broken, 'too_many_requests')
    assertProblem(wrong, 'too_many_requests')
    assertProblem(nobody, 'invalid_token')
  })

  test('a thief who uses the writes up keeps the owner from nothing that helps', async () => {
    const ann = await service.addUser()
    const thief = await service.logIn(ann.email)
    await oneByOne(60, (n) => rename(thief, n))

    const body = { current_password: PASSWORD, new_password: 'a better one than before' }
    const changed = await service.post(`${ME}/password`, body, { token: ann.access })
    const ended = await service.delete(`${ME}/sessions`, { token: ann.access })

    assert.deepEqual([changed.status, ended.status], [204, 204])
  })

  test('an admin’s writes are not counted', async () => {
    const [admin, ann] = [await service.addAdmin(), await service.addUser()]
    const url = `${USERS}/${ann.id}`
    const sent = { token: admin.access }

    const answers = await oneByOne(70, (n) => service.patch(url, { full_name: `Ann ${n}` }, sent))

    assert.deepEqual(countStatuses(answers), { 200: 70 })
  })

  test('of 100 writes at once 60 are written', async () => {
    const ann = await service.addUser()
    const answers = await Promise.all(times(100).map((n) => rename(ann, n)))
    const events = await rowsOf(service.ctx, 'audit_events')

    assert.deepEqual(countStatuses(answers), { 200: 60, 429: 40 })
    const changed = events.filter(
      (row) => row['event'] === 'user.changed' && row['subject_id'] === ann.id,
    )
    assert.equal(changed.length, 60)
  })

  test('429 after ten exports in an hour', async () => {
    const ann = await service.addUser()
    const fetch = () => service.get(`${ME}/export`, { token: ann.access })
    const answers = await oneByOne(10, fetch)

    const refused = await fetch()
    const written = await rename(ann)
    service.advance(HOUR_MS)
    const { access: token } = await service.logIn(ann.email)
    const later = await service.get(`${ME}/export`, { token })

    assert.deepEqual(countStatuses(answers), { 200: 10 })
    assertProblem(refused, 'too_many_requests')
    assert.equal(refused.headers['retry-after'], String(HOUR_MS / SECOND_MS))
    assert.deepEqual([written.status, later.status], [200, 200])
  })

  test('the API’s description lists 429 wherever a route declares a limit', async () => {
    const { paths } = (await service.get('/openapi.json')).body
    const byNetwork = families.map(({ url }) => `POST ${url.replace('/api/v1', '')}`)
    for (const route of [...byNetwork, ...writes.map(([name]) => name), 'GET /me/export']) {
      const [method = '', path = ''] = route.split(' ')
      const answer = paths[`/api/v1${path}`][method.toLowerCase()].responses['429']
      assert.match(answer?.description ?? '', /`too_many_requests`/, route)
      const headers = ['Retry-After', 'RateLimit-Policy', 'RateLimit']
      assert.deepEqual(Object.keys(answer.headers), headers, route)
    }
  })
})

describe('mails with a link to one address', () => {
  const FROM = { ip: '198.51.100.1' }

  for (const [why, known] of [
    ['a known', true],
    ['an unknown', false],
  ] as const) {
    test(`202 and a row each, but no mail after three from one network while a link lives, for ${why} one`, async () => {
      await using service = await startService()
      if (known) await service.addUser(ANN)
      const mailed: number[] = []

      for (const pauseMs of [0, MINUTE_MS, MINUTE_MS, MINUTE_MS, 16 * MINUTE_MS]) {
        service.advance(pauseMs)
        mailed.push(await forget(service, ANN, FROM))
      }

      const rows = await rowsOf(service.ctx, 'outbox')
      assert.equal(rows.filter(({ kind }) => kind === 'password_reset').length, 5)
      assert.deepEqual(mailed, known ? [1, 1, 1, 0, 0] : [0, 0, 0, 0, 0])
    })
  }

  test('is one for every spelling of the address, and none of another’s', async () => {
    await using service = await startService()
    await service.addUser(ANN)
    await service.addUser('bob@example.com')
    for (const spelling of [ANN, 'ANN@example.com', 'ann@EXAMPLE.com'])
      await forget(service, spelling, FROM)

    await forget(service, 'Ann@Example.com', FROM)

    assert.equal(linksTo(service, ANN).length, 3)
    assert.equal(await forget(service, 'bob@example.com', FROM), 1)
  })

  test('a stranger who uses up his own at each full hour keeps no mail from the owner', async () => {
    await using service = await startService()
    await service.addUser(ANN)
    const sent: number[] = []

    for (let hour = 0; hour < 3; hour++) {
      for (let n = 0; n < 4; n++) await service.post(FORGOT, { email: ANN }, FROM)
      await service.deliverMail()
      service.advance(31 * MINUTE_MS)
      sent.push(await forget(service, ANN, { ip: '203.0.113.5' }))
      service.advance(29 * MINUTE_MS)
    }

    assert.deepEqual(sent, [1, 1, 1])
  })

  test('is ten an hour from everywhere, while a link lives', async () => {
    await using service = await startService()
    await service.addUser(ANN)
    const headers = { 'user-agent': 'a device of nobody' }

    const mailed = await oneByOne(12, () => forget(service, ANN, { headers }))
    const ofAnother = await oneByOne(12, () => forget(service, 'bob@example.com', { headers }))
    service.advance(HOUR_MS)
    const later = await forget(service, ANN, { headers })

    assert.deepEqual(mailed, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    assert.deepEqual([ofAnother.includes(1), later], [false, 1])
  })
})

describe('text messages', () => {
  const numberOf = (n: number) => `+49151234567${n}0`
  const alarms = ({ logged }: Service) =>
    logged.filter((line) => /SMS_MAX_PER_HOUR/.test(line)).length

  test('five an hour to a number, whoever asks; others’ numbers still get theirs', async () => {
    await using service = await startService()
    const users = await oneByOne(7, () => service.addUser())
    const sent = await oneByOne(7, (n) => askForCode(service, users[n]!))

    const other = await askForCode(service, users[0]!, OTHER_NUMBER)
    service.advance(MINUTE_MS)
    const otherLater = await askForCode(service, users[0]!, OTHER_NUMBER)
    service.advance(HOUR_MS)
    const later = await askForCode(service, await service.logIn(users[6]!.email))

    assert.deepEqual(sent, [1, 1, 1, 1, 1, 0, 0])
    assert.deepEqual([other, otherLater, later], [0, 1, 1])
  })

  test('SMS_MAX_PER_HOUR in all; then none is sent, one error is logged, and codes sent before work', async () => {
    await using service = await startService({ SMS_MAX_PER_HOUR: '3' })
    const users = await oneByOne(6, () => service.addUser())
    const sent = await oneByOne(6, (n) => askForCode(service, users[n]!, numberOf(n)))
    const code = newestCode(service, numberOf(0))
    const confirmed = await service.post(`${PHONE}/confirm`, { code }, { token: users[0]!.access })
    const alarmed = alarms(service)
    service.advance(HOUR_MS)
    const later = await askForCode(service, await service.logIn(users[5]!.email))

    assert.deepEqual(sent, [1, 1, 1, 0, 0, 0])
    assert.equal(confirmed.status, 200)
    assert.equal(alarmed, 1)
    assert.equal(later, 1)
  })

  for (const [limit, phoneOf] of [
    ['phone_number', () => NUMBER],
    ['text_messages', numberOf],
  ] as const) {
    test(`the first that ${limit} holds back is recorded, once, with who asked`, async () => {
      await using service = await startService({ SMS_MAX_PER_HOUR: '5' })
      const users = await oneByOne(8, () => service.addUser())
      for (const [n, user] of users.entries()) await askForCode(service, user, phoneOf(n))

      const events = await rowsOf(service.ctx, 'audit_events')

      const recorded = events.filter(({ event }) => event === 'limit.reached')
      assert.deepEqual(
        recorded.map(({ actor_id, changes }) => [actor_id, JSON.parse(changes)]),
        [[users[5]?.id, { limit }]],
      )
    })
  }

  test('what a user’s own limit held back is not counted against the number', async () => {
    await using service = await startService()
    const [ann, bob] = [await service.addUser(), await service.addUser()]
    for (let n = 0; n < 20; n++) await service.post(PHONE, { phone: NUMBER }, { token: ann.access })

    assert.equal(await askForCode(service, bob), 2)
  })

  test('of 30 at once to one number five are sent', async () => {
    await using service = await startService()
    const users = await oneByOne(30, () => service.addUser())

    await Promise.all(
      users.map(({ access }) => service.post(PHONE, { phone: NUMBER }, { token: access })),
    )
    await service.deliverMail()

    assert.equal(service.texts.length, 5)
  })
})
