import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type LimitName, LIMITS } from '../server/limits/limits.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../server/lib/units.ts'
import { assertProblem } from './support/problem.ts'
import { countStatuses, times } from './support/races.ts'
import { FORGOT, RESET } from './support/resets.ts'
import { rowsOf } from './support/seed.ts'
import { type Answer, PASSWORD, type Service, startService } from './support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const LOGIN = '/api/v1/auth/login'
const REFRESH = '/api/v1/auth/refresh'
const UNDO = '/api/v1/auth/email/undo'
const WRONG_TOKEN = `0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.${'A'.repeat(43)}`

const stranger = (n: number) => `stranger${n}@example.com`
const signUp = (n: number) => ({ email: stranger(n), password: PASSWORD })

interface Family {
  readonly limit: LimitName
  readonly url: string
  readonly body: (n: number) => Record<string, string>
  /** The answer to each that counts. */
  readonly status: number
  readonly points: number
  readonly windowMs: number
}
const families: readonly Family[] = [
  {
    limit: 'sign_up_network',
    url: SIGN_UP,
    body: signUp,
    status: 201,
    points: 10,
    windowMs: HOUR_MS,
  },
  {
    limit: 'resend_network',
    url: RESEND,
    body: (n) => ({ email: stranger(n) }),
    status: 202,
    points: 30,
    windowMs: HOUR_MS,
  },
  {
    limit: 'forgot_network',
    url: FORGOT,
    body: (n) => ({ email: stranger(n) }),
    status: 202,
    points: 10,
    windowMs: HOUR_MS,
  },
  {
    limit: 'verify_network',
    url: VERIFY,
    body: (n) => ({ email: stranger(n), code: '123456' }),
    status: 400,
    points: 100,
    windowMs: 10 * MINUTE_MS,
  },
  {
    limit: 'login_network',
    url: LOGIN,
    body: (n) => ({ email: stranger(n), password: 'not it, sorry' }),
    status: 401,
    points: 100,
    windowMs: 10 * MINUTE_MS,
  },
  {
    limit: 'refresh_network',
    url: REFRESH,
    body: () => ({ refresh_token: 'not a token' }),
    status: 401,
    points: 300,
    windowMs: 10 * MINUTE_MS,
  },
  {
    limit: 'reset_network',
    url: RESET,
    body: () => ({ token: WRONG_TOKEN, password: PASSWORD }),
    status: 400,
    points: 30,
    windowMs: 10 * MINUTE_MS,
  },
  {
    limit: 'undo_network',
    url: UNDO,
    body: () => ({ token: WRONG_TOKEN }),
    status: 400,
    points: 30,
    windowMs: 10 * MINUTE_MS,
  },
]

/** One after the other, each about somebody else. */
async function sendMany(service: Service, { url, body }: Family, count: number, ip: string) {
  const answers: Answer[] = []
  for (const n of times(count)) answers.push(await service.post(url, body(n), { ip }))
  return answers
}

describe('limits by network', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  test('all of them are here', () => {
    // `leaked_list_network` refuses nobody: test/pwned-passwords.test.ts.
    const declared = Object.entries(LIMITS).filter(
      ([name, { per }]) => per === 'network' && name !== 'leaked_list_network',
    )
    const tested = families.map(({ limit }) => limit)
    assert.deepEqual(tested.toSorted(), declared.map(([name]) => name).toSorted())
  })

  for (const [index, family] of families.entries()) {
    const { limit, url, body, status, points, windowMs } = family
    test(`429 for the ${points + 1}th ${url} of a network, until the window ends`, async () => {
      const ip = `198.51.100.${index}`
      const answers = await sendMany(service, family, points, ip)

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
    await sendMany(service, families[0]!, 10, ip)
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

  test('an IPv6 customer counts as one, whatever of a /64 is used; a mapped address is IPv4', async () => {
    const [first] = families
    for (const n of times(10)) {
      const body = signUp(1000 + n)
      await service.post(SIGN_UP, body, { ip: `2001:db8:0:7::${n.toString(16)}` })
    }

    const sameCustomer = await service.post(SIGN_UP, signUp(1010), { ip: '2001:db8:0:7:ffff::1' })
    const another = await service.post(SIGN_UP, signUp(1011), { ip: '2001:db8:0:8::1' })
    await sendMany(service, first!, 10, '198.51.100.101')
    const mapped = await service.post(SIGN_UP, signUp(1012), { ip: '::ffff:198.51.100.101' })

    assertProblem(sameCustomer, 'too_many_requests')
    assert.equal(another.status, 201)
    assertProblem(mapped, 'too_many_requests')
  })

  test('what was refused for its form costs nothing', async () => {
    const ip = '198.51.100.102'
    const bad = { email: 'ann@example.com', password: 'short' }
    for (let n = 0; n < 15; n++) {
      assert.equal((await service.post(SIGN_UP, bad, { ip })).status, 422)
      assert.equal((await service.post(SIGN_UP, 'x', { ip })).status, 415)
    }
    const statuses = countStatuses(await sendMany(service, families[0]!, 11, ip))
    assert.deepEqual(statuses, { 201: 10, 429: 1 })
  })

  test('409 for a registered address counts: they cannot be listed', async () => {
    const { email } = await service.addUser()
    const body = { email, password: PASSWORD }
    const answers: Answer[] = []

    for (let n = 0; n < 12; n++)
      answers.push(await service.post(SIGN_UP, body, { ip: '198.51.100.103' }))

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
    const eventsOf = () =>
      service.ctx.db
        .selectFrom('audit_events')
        .selectAll()
        .where('event', '=', 'limit.reached')
        .where('ip', '=', '198.51.100.105')
        .execute()
    await sendMany(service, families[2]!, 10, '198.51.100.105')
    const [refused] = await sendMany(service, families[2]!, 20, '198.51.100.105')
    service.advance(HOUR_MS)
    const first = await eventsOf()
    await sendMany(service, families[2]!, 20, '198.51.100.105')

    assert.equal(first.length, 1)
    assert.deepEqual(JSON.parse(first[0]!.changes), { limit: 'forgot_network' })
    assert.deepEqual([first[0]!.actor_id, first[0]!.subject_id], [null, null])
    assert.equal(first[0]!.request_id, refused?.headers['x-request-id'])
    assert.equal((await eventsOf()).length, 2)
  })

  test('links that are not sent are recorded, though the answer does not tell', async () => {
    const ip = '198.51.100.106'
    const ask = () => service.post(FORGOT, { email: 'ann@example.com' }, { ip })
    const answers: Answer[] = []
    for (const _ of times(6)) answers.push(await ask())

    const events = await rowsOf(service.ctx, 'audit_events')

    assert.deepEqual(countStatuses(answers), { 202: 6 })
    assert.deepEqual(
      events.filter((event) => event.ip === ip).map(({ changes }) => JSON.parse(changes)),
      [{ limit: 'forgot' }],
    )
  })

  test('the API’s description lists 429 wherever a route declares a limit', async () => {
    const document = (await service.get('/openapi.json')).body
    for (const { url } of families) {
      const answer = document.paths[url].post.responses['429']
      assert.match(answer.description, /`too_many_requests`/, url)
      assert.deepEqual(Object.keys(answer.headers), [
        'Retry-After',
        'RateLimit-Policy',
        'RateLimit',
      ])
    }
  })
})

test('RATE_LIMIT=off lifts them all', async () => {
  await using service = await startService({ RATE_LIMIT: 'off' })
  for (const family of families) {
    const answers = await sendMany(service, family, family.points + 5, '198.51.100.1')
    assert.equal(countStatuses(answers)[429], undefined, family.limit)
  }
})

test('503 of a full hash queue costs nothing', async () => {
  // Some milliseconds each, so that of several at once some are refused.
  const settings = { ARGON2_MEMORY_KIB: '8192', HASH_CONCURRENCY: '1', HASH_QUEUE: '0' }
  await using service = await startService(settings)
  const ip = '198.51.100.1'
  const flood = await Promise.all(times(10).map((n) => service.post(SIGN_UP, signUp(n), { ip })))
  const { 201: counted = 0, 503: refused = 0 } = countStatuses(flood)

  const rest = await sendMany(service, { ...families[0]!, body: (n) => signUp(100 + n) }, 11, ip)

  assert.ok(refused > 0, JSON.stringify(countStatuses(flood)))
  assert.deepEqual(countStatuses(rest), { 201: 10 - counted, 429: 1 + counted })
})
