import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { upgradePasswordHash } from '../../server/accounts/users.ts'
import { countHashes, SLOW_HASHES } from '../support/hashes.ts'
import { assertInvalid, assertProblem } from '../support/problem.ts'
import { countStatuses, times, turns } from '../support/races.ts'
import { requestText, sendRaw } from '../support/raw.ts'
import { rowsOf } from '../support/seed.ts'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const LOGIN = '/api/v1/auth/login'
const SIGNUP = '/api/v1/auth/signup'
const EMAIL = 'ann@example.com'

const logIn = (service: Service, password: string, email = EMAIL) =>
  service.post(LOGIN, { email, password })

async function passwordRow({ ctx }: Service) {
  const row = (await rowsOf(ctx, 'users')).find(({ email }) => email === EMAIL)
  const { password_hash, password_changed_at, updated_at } = row
  return { password_hash, password_changed_at, updated_at }
}

describe('a new password', () => {
  let usual: Service
  let strict: Service
  before(async () => {
    usual = await startService()
    strict = await startService({ PASSWORD_MIN_LENGTH: '15' })
  })
  after(async () => {
    await usual[Symbol.asyncDispose]()
    await strict[Symbol.asyncDispose]()
  })

  for (const [why, password, serviceOf] of [
    ['8 characters', 'xk3!vqwz', () => usual],
    ['8 characters of two UTF-16 units each', '🦜🫘🫖🧋🥐🍩🍪🧁', () => usual],
    ['15 characters where 15 are asked for', 'xk3!vqwz7pmtr0a', () => strict],
    ['256 characters in 1024 bytes', '🦜'.repeat(256), () => usual],
    ['four plain words', 'correct horse battery staple', () => usual],
    ['lower-case letters only', 'qmzkvbtrwpxnlshgdjfcyoeiauqmzk', () => usual],
    ['spaces and no letter', '      ☕      ', () => usual],
    ['a NUL in it', 'before\0after', () => usual],
  ] as const) {
    test(`201 for ${why}, which then logs in`, async () => {
      const service = serviceOf()
      const { email } = await service.addUser(undefined, password)
      assert.equal((await logIn(service, password, email)).status, 200)
    })
  }

  for (const [why, password, code, serviceOf] of [
    ['7 characters', 'xk3!vqw', 'too_short', () => usual],
    ['7 characters of two UTF-16 units each', '🦜🫘🫖🧋🥐🍩🍪', 'too_short', () => usual],
    ['8 characters that compose to 4', 'a\u0301'.repeat(4), 'too_short', () => usual],
    ['14 characters where 15 are asked for', 'xk3!vqwz7pmtr0', 'too_short', () => strict],
    ['257 characters', 'ab'.repeat(128) + 'c', 'too_long', () => usual],
    ['more than 1024 bytes', '각'.normalize('NFD').repeat(256), 'too_long', () => usual],
    ['one of the most used', 'password123', 'blocklisted', () => usual],
    ['one of the most used in capitals', 'QwertyUiop', 'blocklisted', () => usual],
    ['digits in order', '12345678', 'blocklisted', () => usual],
    ['the service', 'Coffee Shop API 2026', 'blocklisted', () => usual],
    ['the address', EMAIL, 'blocklisted', () => usual],
    ['the local part with digits', 'Bartholomew-1990', 'blocklisted', () => usual],
    ['the name', 'Wilhelmina!', 'blocklisted', () => usual],
  ] as const) {
    test(`422 ${code} for ${why}, and no hash is computed`, async () => {
      const service = serviceOf()
      const counts = countHashes(service)
      const email = password === EMAIL ? EMAIL : 'bartholomew@example.com'

      const answer = await service.post(SIGNUP, { email, password, full_name: 'Wilhelmina Ray' })

      assertInvalid(answer, '/password', code)
      assert.ok(!answer.text.includes(password))
      assert.deepEqual(counts, { made: 0, verified: 0 })
    })
  }

  for (const url of [LOGIN, SIGNUP]) {
    test(`422 or 413 for 1025 characters or a megabyte at ${url}, and no hash is computed`, async () => {
      const counts = countHashes(usual)

      const long = await usual.post(url, { email: EMAIL, password: 'x'.repeat(1025) })
      const longer = await usual.post(url, { email: EMAIL, password: 'x'.repeat(2 ** 20) })

      assertInvalid(long, '/password', 'maxLength')
      assertProblem(longer, 'body_too_large')
      assert.deepEqual(counts, { made: 0, verified: 0 })
    })
  }
})

describe('a password is compared whole and exactly', () => {
  let service: Service
  before(async () => void (service = await startService()))
  after(() => service[Symbol.asyncDispose]())

  const own = ' pass word é\0 1 '
  const long = 'x'.repeat(71) + 'the seventy-second and what follows'

  for (const [why, password, other] of [
    ['without its outer spaces', own, own.trim()],
    ['without its inner spaces', own, own.replaceAll(' ', '')],
    ['cut at the NUL', own, own.slice(0, own.indexOf('\0'))],
    ['another after the NUL', own, own.replace('1', '2')],
    ['in capitals', own, own.toUpperCase()],
    ['without the accent', own, own.replace('é', 'e')],
    ['cut after 72 characters', long, long.slice(0, 72)],
    ['another end after 72 characters', long, `${long.slice(0, -1)}x`],
    ['of compatible characters', 'ﬁne coffee beans', 'fine coffee beans'],
    ['another half of a pair', '🦜🦜🦜🦜🦜🦜🦜🦜', '🦝🦜🦜🦜🦜🦜🦜🦜'],
  ] as const) {
    test(`401 for the password ${why}`, async () => {
      const { email } = await service.addUser(undefined, password)

      assertProblem(await logIn(service, other, email), 'invalid_credentials')
      assert.equal((await logIn(service, password, email)).status, 200)
    })
  }

  for (const [set, typed] of [
    ['NFC', 'NFD'],
    ['NFD', 'NFC'],
  ] as const) {
    test(`200 for a password set in ${set} and typed in ${typed}`, async () => {
      const password = 'café crème brûlée 각'
      const { email } = await service.addUser(undefined, password.normalize(set))

      assert.equal((await logIn(service, password.normalize(typed), email)).status, 200)
    })
  }

  test('401 for a text of more than 1024 bytes, though it would compose to the password', async () => {
    await using service = await startService()
    await service.addUser(EMAIL, '각'.repeat(256))
    const decomposed = '각'.normalize('NFD').repeat(256)

    assertProblem(await logIn(service, decomposed), 'invalid_credentials')
  })
})

describe('the stored hash', () => {
  test('is argon2id by the default settings, with a salt of its own', async () => {
    await using service = await startService({ ARGON2_MEMORY_KIB: '19456', ARGON2_PASSES: '2' })
    await service.signUp(EMAIL)
    await service.signUp('bob@example.com')

    const rows = await rowsOf(service.ctx, 'sign_ups')

    const [ann, bob] = rows.map((row) => String(row.password_hash)) as [string, string]
    for (const hash of [ann, bob]) {
      assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    }
    assert.notEqual(ann.split('$')[4], bob.split('$')[4])
  })

  for (const [why, settings, expected] of [
    ['memory', { ARGON2_MEMORY_KIB: '64' }, /\$m=64,t=1,p=1\$/],
    ['passes', { ARGON2_PASSES: '3' }, /\$m=8,t=3,p=1\$/],
  ] as const) {
    test(`is renewed at the next login once the ${why} grew, and only then`, async () => {
      await using service = await startService()
      await using grown = await startService(settings, { replicaOf: service })
      await service.addUser(EMAIL)
      const before = await passwordRow(service)
      service.advance(1000)

      assertProblem(await logIn(grown, 'not the password'), 'invalid_credentials')
      const untouched = await passwordRow(service)
      const logins = [await logIn(grown, PASSWORD)]
      const after = await passwordRow(service)
      logins.push(await logIn(grown, PASSWORD), await logIn(service, PASSWORD))

      assert.deepEqual(untouched, before)
      assert.match(after.password_hash ?? '', expected)
      assert.deepEqual({ ...after, password_hash: before.password_hash }, before)
      assert.deepEqual(await passwordRow(service), after)
      assert.deepEqual(
        logins.map(({ status }) => status),
        [200, 200, 200],
      )
    })
  }

  test('is not renewed over one that was set meanwhile', async () => {
    await using service = await startService()
    const { id } = await service.addUser(EMAIL)
    const before = await passwordRow(service)

    await service.ctx.transaction((tx) =>
      upgradePasswordHash(tx, id, { from: 'what was read before', to: 'what it became' }),
    )

    assert.deepEqual(await passwordRow(service), before)
  })

  test('is renewed at a later login when the queue is full', async () => {
    await using service = await startService()
    await using grown = await startService(
      { ARGON2_PASSES: '3', HASH_CONCURRENCY: '1', HASH_QUEUE: '0' },
      { replicaOf: service },
    )
    await service.addUser(EMAIL)
    const before = await passwordRow(service)
    const { hasher } = grown.ctx
    const { verify } = hasher
    let other: Promise<string> | undefined
    hasher.verify = async (passwordHash, password) => {
      const matches = await verify(passwordHash, password)
      other = hasher.hash('somebody else’s, in the only place there is')
      return matches
    }

    const answer = await logIn(grown, PASSWORD)
    await other

    assert.equal(answer.status, 200)
    assert.deepEqual(await passwordRow(service), before)
  })
})

describe('a full hash queue', () => {
  test('503 with Retry-After for who needs a hash; everything else is served', async () => {
    await using service = await startService()
    const ann = await service.addUser(EMAIL)
    const settings = { ...SLOW_HASHES, HASH_QUEUE: '0' }
    await using busy = await startService(settings, { replicaOf: service })
    const occupied = busy.ctx.hasher.hash('x')

    for (const url of [LOGIN, SIGNUP, '/auth/login']) {
      const answer = await busy.post(url, { email: EMAIL, password: PASSWORD })
      assertProblem(answer, 'overloaded')
      assert.match(answer.headers['retry-after'] ?? '', /^[1-9][0-9]*$/)
      assert.equal(answer.headers['connection'], 'close')
    }
    const me = await busy.get('/api/v1/me', { token: ann.access })
    const refreshed = await busy.post('/api/v1/auth/refresh', { refresh_token: ann.refresh })

    assert.ok(busy.ctx.hasher.isFull())
    assert.deepEqual([me.status, refreshed.status], [200, 200])
    await occupied
    assert.equal((await logIn(busy, PASSWORD)).status, 200)
  })

  test('503 before the body is read, and one log line for all who are refused', async () => {
    await using busy = await startService({ ...SLOW_HASHES, HASH_QUEUE: '0' })
    const base = await busy.listen()
    const occupied = busy.ctx.hasher.hash('x')
    const head = { 'Content-Type': 'application/json', 'Content-Length': '99' }

    for (let time = 1; time <= 5; time++) {
      const { answers } = await sendRaw(base, requestText(`POST ${LOGIN}`, head))
      assertProblem(answers[0]!, 'overloaded')
    }

    assert.ok(busy.ctx.hasher.isFull())
    await occupied
    assert.equal(busy.logged.filter((line) => line.includes('hash queue full')).length, 1)
    assert.ok(!busy.logged.some((line) => line.includes('"status":503')))
  })

  test('503 for a network that holds its quarter; others are served, and the log names it', async () => {
    await using busy = await startService({ ...SLOW_HASHES, HASH_QUEUE: '7' })
    const from = (ip: string, n: number) =>
      busy.post(LOGIN, { email: `ann${n}@example.com`, password: PASSWORD }, { ip })
    const network = (n: number) => `2001:db8:0:${n}::1`
    const held = times(2).map((n) => from(network(n), n))
    while (busy.ctx.hasher.waiting() === 0) await turns(1)

    const refused = [await from(network(2), 2), await from(network(3), 3)]
    const other = await from('203.0.113.7', 4)

    for (const answer of refused) assertProblem(answer, 'overloaded')
    assertProblem(other, 'invalid_credentials')
    for (const answer of await Promise.all(held)) assertProblem(answer, 'invalid_credentials')
    const line = busy.logged.find((one) => one.includes('hash queue full'))
    assert.deepEqual(JSON.parse(line ?? '{}').networks, { '2001:db8:0:0::/48': 1 })
    assert.match(await busy.ctx.metrics.expose(), /hash_refusals_total 2\n/)
    const statuses = busy.logged.flatMap((one) => JSON.parse(one).status ?? [])
    assert.deepEqual(statuses, [401, 401, 401])
  })

  test('as many as have room are answered, the others get 503', async () => {
    await using busy = await startService({ ...SLOW_HASHES, HASH_QUEUE: '2' })

    const answers = await Promise.all(
      times(10).map((n) => busy.post(LOGIN, { email: `ann${n}@example.com`, password: PASSWORD })),
    )

    assert.deepEqual(countStatuses(answers), { 401: 3, 503: 7 })
  })
})
