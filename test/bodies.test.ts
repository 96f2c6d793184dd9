import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'

// What a body may be called, how long it may be, and what a hostile one may cost.

const LOGIN = '/api/v1/auth/login'
const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'
const KIB = 1024

describe('bodies', () => {
  let service: Service
  let ann: TestUser

  before(async () => {
    service = await startService()
    ann = await service.addUser('ann@example.com')
  })
  after(() => service[Symbol.asyncDispose]())

  const credentials = JSON.stringify({ email: 'ann@example.com', password: PASSWORD })

  const post = (url: string, type: string | undefined, body: string, headers = {}) =>
    service.request('POST', url, {
      body,
      headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers },
    })

  describe('media types', () => {
    for (const type of [
      'application/json',
      'application/JSON ;charset=utf-8',
      'application/json; charset=UTF-8',
      'application/json;charset="utf-8"',
    ]) {
      test(`200 for ${type}`, async () => {
        assert.equal((await post(LOGIN, type, credentials)).status, 200)
      })
    }

    for (const type of [
      undefined,
      'text/plain',
      'text/json',
      'application/xml',
      'application/jsonp',
      'application/vnd.api+json',
      'application/json-seq',
      'multipart/form-data; boundary=x',
      '*/*',
      'json',
      'application/json\ta',
      'application/json garbage',
      'application/json;;',
      'application/json, text/plain',
      'text/plain; application/json',
      'application/json; charset=utf-16',
      'application/json; charset=latin1',
      'application/json; charset=utf-8; charset=utf-16',
      'application/json\u0001',
      'application/json\u0000',
      ';'.repeat(8 * KIB),
      `application/json;${' '.repeat(8 * KIB)}`,
      `application/json; charset=${'"'.repeat(8 * KIB)}`,
    ]) {
      test(`415 unsupported_media_type for ${JSON.stringify(type)?.slice(0, 60)}`, async () => {
        assertProblem(await post(LOGIN, type, credentials), 'unsupported_media_type')
      })
    }

    for (const [method, url, type] of [
      ['POST', '/api/v1/auth/signup', FORM_TYPE],
      ['POST', '/api/v1/auth/verify/resend', FORM_TYPE],
      ['POST', '/api/v1/auth/logout', FORM_TYPE],
      ['PATCH', '/api/v1/me', FORM_TYPE],
      ['PATCH', '/api/v1/users/:id', FORM_TYPE],
      ['PATCH', '/api/v1/me', 'application/json-patch+json'],
      ['PATCH', '/api/v1/me', 'application/merge-patch+json'],
      ['PATCH', '/api/v1/users/:id', 'application/json-patch+json'],
      ['PATCH', '/api/v1/users/:id', 'application/merge-patch+json'],
    ] as const) {
      test(`415 unsupported_media_type for ${method} ${url} as ${type}`, async () => {
        const headers = { 'content-type': type }
        const body = type === FORM_TYPE ? 'full_name=Mallory' : '{"full_name": "Mallory"}'

        const sent = { body, headers, token: ann.access }
        const answer = await service.request(method, url.replace(':id', String(ann.id)), sent)

        assertProblem(answer, 'unsupported_media_type')
      })
    }

    for (const coding of ['gzip', 'br', 'deflate, gzip', 'x']) {
      test(`415 unsupported_media_type for a body said to be packed with ${coding}`, async () => {
        const answer = await post(LOGIN, JSON_TYPE, credentials, { 'content-encoding': coding })
        assertProblem(answer, 'unsupported_media_type')
      })
    }

    test('200 for a form on the routes that take one', async () => {
      const code = await service
        .signUp('bob@example.com')
        .then(() => service.codeFor('bob@example.com'))

      const verified = await service.request('POST', '/api/v1/auth/verify', {
        form: { email: 'bob@example.com', code },
      })
      const loggedIn = await service.request('POST', LOGIN, {
        form: { username: 'bob@example.com', password: PASSWORD },
      })
      const refreshed = await service.request('POST', '/api/v1/auth/refresh', {
        form: { refresh_token: loggedIn.body.refresh_token },
      })

      assert.deepEqual([verified.status, loggedIn.status, refreshed.status], [200, 200, 200])
    })
  })

  describe('sizes', () => {
    /** A JSON object of exactly so many bytes, which no route accepts. */
    const objectOf = (size: number) => `{"x":"${'x'.repeat(size - 8)}"}`

    for (const [method, path, limit] of [
      ['POST', '/auth/signup', 16 * KIB],
      ['POST', '/auth/verify', 16 * KIB],
      ['POST', '/auth/verify/resend', 16 * KIB],
      ['POST', '/auth/login', 16 * KIB],
      ['POST', '/auth/refresh', 16 * KIB],
      ['POST', '/auth/logout', 16 * KIB],
      ['PATCH', '/me', 64 * KIB],
    ] as const) {
      for (const prefix of ['/api/v1', '']) {
        test(`413 body_too_large for ${method} ${prefix}${path} over ${limit} bytes`, async () => {
          const send = (body: string) =>
            service.request(method, prefix + path, {
              body,
              headers: { 'content-type': JSON_TYPE },
              token: ann.access,
            })

          const fits = await send(objectOf(limit))
          const over = await send(objectOf(limit + 1))
          const unreadable = await send('{'.repeat(limit + 1))

          assertProblem(fits, 'validation_failed')
          assertProblem(over, 'body_too_large')
          assertProblem(unreadable, 'body_too_large')
        })
      }
    }

    test('413 body_too_large for a form over 16 KiB', async () => {
      const form = `username=ann%40example.com&password=${'x'.repeat(16 * KIB)}`
      assertProblem(await post(LOGIN, FORM_TYPE, form), 'body_too_large')
    })

    test('413 body_too_large counts bytes, not characters', async () => {
      const body = JSON.stringify({ email: 'ann@example.com', password: '😀'.repeat(5 * KIB) })
      assertProblem(await post(LOGIN, JSON_TYPE, body), 'body_too_large')
    })
  })

  describe('hostile bodies cost next to nothing', () => {
    const CPU_MAX_MS = 200
    const filled = (text: string, size: number) => text.repeat(Math.floor(size / text.length))
    const many = Array.from({ length: 7000 }, (_, index) => `"${index.toString(36)}":1`)

    for (const [why, body, status] of [
      ['lists that are opened and never closed', '['.repeat(64 * KIB), 400],
      ['lists inside lists', '['.repeat(32 * KIB - 1) + ']'.repeat(32 * KIB - 1), 422],
      ['objects inside objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 422],
      [
        'depth around half a character',
        String.raw`${'['.repeat(9000)}"\ud800"${']'.repeat(9000)}`,
        400,
      ],
      [
        'depth around a forbidden name',
        `${'['.repeat(9000)}{"__proto__":1}${']'.repeat(9000)}`,
        400,
      ],
      ['many fields', `{${many.join()}}`, 422],
      ['many equal fields', `{${filled('"full_name":1,', 60_000)}"full_name":1}`, 422],
      ['escapes', `{"full_name":"${filled(String.raw`\u0041`, 60_000)}"}`, 422],
      ['combining marks', `{"full_name":"${filled('\u0301\u0323', 30_000)}"}`, 422],
      ['digits', '1'.repeat(64 * KIB), 422],
      ['an exponent', `{"full_name":1e${'9'.repeat(60_000)}}`, 422],
      ['quotes', '"'.repeat(64 * KIB), 400],
      ['backslashes', `"${filled('\\\\', 60_000)}`, 400],
    ] as const) {
      test(`${status} for ${why}, within ${CPU_MAX_MS} ms of CPU`, async () => {
        const started = process.cpuUsage()
        const headers = { 'content-type': JSON_TYPE }
        const answer = await service.request('PATCH', '/api/v1/me', {
          body,
          headers,
          token: ann.access,
        })
        const { user, system } = process.cpuUsage(started)

        assertProblem(answer, status === 400 ? 'malformed_request' : 'validation_failed')
        assert.ok((user + system) / 1000 < CPU_MAX_MS, `${(user + system) / 1000} ms`)
      })
    }

    const names = (count: number) =>
      Array.from({ length: count }, (_, index) => `a${index}=1`).join('&')

    for (const [why, form, code] of [
      ['32 names', names(32), 'validation_failed'],
      ['33 names', names(33), 'malformed_request'],
      ['8000 equal names', 'a&'.repeat(8000), 'malformed_request'],
      ['a name behind 40 empty ones', `username=a${'&'.repeat(40)}role=admin`, 'malformed_request'],
    ] as const) {
      test(`${code} for a form with ${why}, within ${CPU_MAX_MS} ms of CPU`, async () => {
        const started = process.cpuUsage()
        const answer = await post(LOGIN, FORM_TYPE, form)
        const { user, system } = process.cpuUsage(started)

        assertProblem(answer, code)
        assert.ok((user + system) / 1000 < CPU_MAX_MS, `${(user + system) / 1000} ms`)
      })
    }

    for (const [why, email] of [
      ['a long local part', `${'a'.repeat(15_000)}@`],
      ['many dots', `${'a.'.repeat(7500)}@example.com`],
      ['many labels', `a@${'a.'.repeat(7500)}`],
      ['many at signs', '@'.repeat(15_000)],
      ['many hyphens', `a@${'-'.repeat(15_000)}.com`],
    ] as const) {
      test(`422 for an address with ${why}, within ${CPU_MAX_MS} ms of CPU`, async () => {
        const started = process.cpuUsage()
        const answer = await service.post('/api/v1/auth/signup', { email, password: PASSWORD })
        const { user, system } = process.cpuUsage(started)

        assertInvalid(answer, '/email')
        assert.ok((user + system) / 1000 < CPU_MAX_MS, `${(user + system) / 1000} ms`)
      })
    }

    test('422 or 413, and no hash, for a password that is too long', async () => {
      const started = process.cpuUsage()
      const long = { email: 'ann@example.com', password: 'x'.repeat(1025) }
      const longer = { email: 'ann@example.com', password: 'x'.repeat(1024 * KIB) }

      assertInvalid(await service.post(LOGIN, long), '/password', 'maxLength')
      assertProblem(await service.post(LOGIN, longer), 'body_too_large')
      assert.ok(process.cpuUsage(started).user / 1000 < CPU_MAX_MS)
    })
  })

  describe('a refusal never repeats a value', () => {
    const CANARY = 'kanarienvogel-7Qx'

    for (const [why, url, body] of [
      ['a password of the wrong type', LOGIN, { email: 'ann@example.com', password: [CANARY] }],
      ['a password that is refused', '/api/v1/auth/signup', { email: CANARY, password: CANARY }],
      ['a code', '/api/v1/auth/verify', { email: 'ann@example.com', code: CANARY }],
      ['a refresh token', '/api/v1/auth/refresh', { refresh_token: [CANARY] }],
      ['a broken body', LOGIN, `{"password": "${CANARY}" x`],
      ['a field that is not known', LOGIN, { email: 'a@b.co', password: 'x', code: CANARY }],
    ] as const) {
      test(`in the answer or in the log: ${why}`, async () => {
        const headers = { 'content-type': JSON_TYPE }
        const answer = await service.request('POST', url, { body, headers })

        assert.ok(answer.status === 400 || answer.status === 422, answer.text)
        assert.ok(!answer.text.includes(CANARY), answer.text)
        assert.ok(!service.logged.join('').includes(CANARY))
      })
    }
  })
})
