import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { requestText, sendRaw } from './support/raw.ts'
import {
  type Answer,
  PASSWORD,
  type Service,
  startService,
  type TestUser,
} from './support/service.ts'
import { claimsOf, forge, HEADER } from './support/tokens.ts'
import { rowsOf } from './support/seed.ts'
import { ids, USERS } from './support/users.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const RESEND = '/api/v1/auth/verify/resend'
const LOGIN = '/api/v1/auth/login'
const REFRESH = '/api/v1/auth/refresh'
const ME = '/api/v1/me'
const JSON_TYPE = { 'content-type': 'application/json' }
const FORM = 'application/x-www-form-urlencoded'
const FORM_TYPE = { 'content-type': FORM }
const KIB = 1024
/** Logs in again and again, and has the twenty newest sessions; the others keep theirs. */
const GUEST = 'guest@example.com'

const SQL = [
  "' OR 1=1--",
  "' OR '1'='1",
  '"; DROP TABLE users;--',
  "'; SELECT pg_sleep(5);--",
  "' || pg_sleep(5) || '",
  "') UNION SELECT password_hash FROM users--",
  String.raw`\'; DELETE FROM users;--`,
  String.raw`\\`,
  '%',
  '_',
  '$1',
  '?',
  ':id',
  '{"$gt": ""}',
  "1;ATTACH DATABASE '/tmp/x' AS x",
]

const credentials = (changes: object = {}) =>
  JSON.stringify({ email: GUEST, password: PASSWORD, ...changes })
/** UTF-8, but for the characters \u0080 to \u00ff, which are one byte each. */
const bytes = (text: string) => Buffer.from(text, 'latin1')

describe('what is sent', () => {
  let service: Service
  let ann: TestUser
  let admin: TestUser

  before(async () => {
    service = await startService()
    await service.addUser(GUEST)
    ann = await service.addUser('ann@example.com')
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  const postText = (
    url: string,
    body: string | Buffer,
    headers: Record<string, string> = JSON_TYPE,
  ) => service.request('POST', url, { body, headers })
  const patchMe = (body: string) =>
    service.request('PATCH', ME, { body, headers: JSON_TYPE, token: ann.access })
  const list = (query: string) => service.get(`${USERS}?${query}`, { token: admin.access })

  describe('media types', () => {
    for (const type of [
      'application/json',
      'application/JSON ;charset=utf-8',
      'application/json; charset=UTF-8',
      'application/json;charset="utf-8"',
      'application/json;charset=utf8',
      'APPLICATION/JSON; CHARSET="Utf8"',
      'application/json; charset=utf-8; foo=bar',
      'application/json; odata.metadata=minimal; ieee754="true; x"',
      'application/json;',
    ]) {
      test(`200 for ${type}`, async () => {
        const answer = await postText(LOGIN, credentials(), { 'content-type': type })
        assert.equal(answer.status, 200)
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
      'application/json; v=1; charset="iso-8859-1"',
      'application/json; charset=utf-80',
      'application/json; charset=""',
      'application/json; charset',
      'application/json\u0001',
      'application/json\u0000',
      ';'.repeat(8 * KIB),
      `application/json;${' '.repeat(8 * KIB)}`,
      `application/json; charset=${'"'.repeat(8 * KIB)}`,
    ]) {
      test(`415 unsupported_media_type for ${JSON.stringify(type)?.slice(0, 60)}`, async () => {
        const headers = type === undefined ? {} : { 'content-type': type }
        assertProblem(await postText(LOGIN, credentials(), headers), 'unsupported_media_type')
      })
    }

    for (const [method, url, type] of [
      ['POST', SIGN_UP, FORM],
      ['POST', RESEND, FORM],
      ['POST', '/api/v1/auth/logout', FORM],
      ['PATCH', ME, FORM],
      ['PATCH', `${USERS}/:id`, FORM],
      ['PATCH', ME, 'application/json-patch+json'],
      ['PATCH', ME, 'application/merge-patch+json'],
      ['PATCH', `${USERS}/:id`, 'application/json-patch+json'],
      ['PATCH', `${USERS}/:id`, 'application/merge-patch+json'],
    ] as const) {
      test(`415 unsupported_media_type for ${method} ${url} as ${type}`, async () => {
        const body = type === FORM ? 'full_name=Mallory' : '{"full_name": "Mallory"}'
        const sent = { body, headers: { 'content-type': type }, token: ann.access }

        const answer = await service.request(method, url.replace(':id', String(ann.id)), sent)

        assertProblem(answer, 'unsupported_media_type')
      })
    }

    for (const coding of ['gzip', 'br', 'deflate, gzip', 'x']) {
      test(`415 unsupported_media_type for a body said to be packed with ${coding}`, async () => {
        const headers = { ...JSON_TYPE, 'content-encoding': coding }
        assertProblem(await postText(LOGIN, credentials(), headers), 'unsupported_media_type')
      })
    }

    test('200 for a form on the routes that take one', async () => {
      await service.signUp('bob@example.com')
      const code = await service.codeFor('bob@example.com')
      const post = (url: string, form: Record<string, string>) =>
        service.post(url, undefined, { form })

      const verified = await post(VERIFY, { email: 'bob@example.com', code })
      const loggedIn = await post(LOGIN, { username: 'bob@example.com', password: PASSWORD })
      const refreshed = await post(REFRESH, { refresh_token: loggedIn.body.refresh_token })

      assert.deepEqual([verified.status, loggedIn.status, refreshed.status], [200, 200, 200])
    })

    for (const parameter of ['charset=utf8', 'charset="UTF-8"', 'x=y; charset=utf-8']) {
      test(`200 for a form with ${parameter}`, async () => {
        const form = new URLSearchParams({ username: GUEST, password: PASSWORD }).toString()
        const headers = { 'content-type': `${FORM}; ${parameter}` }
        assert.equal((await postText(LOGIN, form, headers)).status, 200)
      })
    }

    test('415 says what to send', async () => {
      const headers = { 'content-type': 'application/json; charset=utf-16' }
      const { body } = await postText(LOGIN, credentials(), headers)
      assert.match(body.detail, /application\/json in UTF-8, without compression/)
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
          const sent = { headers: JSON_TYPE, token: ann.access }
          const send = (body: string) => service.request(method, prefix + path, { ...sent, body })

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
      assertProblem(await postText(LOGIN, form, FORM_TYPE), 'body_too_large')
    })

    test('413 body_too_large counts bytes, not characters', async () => {
      const body = credentials({ password: '😀'.repeat(5 * KIB) })
      assertProblem(await postText(LOGIN, body), 'body_too_large')
    })
  })

  describe('JSON bodies', () => {
    for (const body of ['null', '[]', '"x"', '1', 'true', '']) {
      test(`422 for the body ‹${body}›, which is no object`, async () => {
        assertInvalid(await postText(LOGIN, body), '', 'type')
      })
    }

    for (const [why, body] of [
      ['an unfinished body', '{'],
      ['only a space', ' '],
      ['a second end', `${credentials()}}`],
      ['a second value', `${credentials()}{}`],
      ['a trailing comma', `${credentials().slice(0, -1)},}`],
      ['a comment', `/* hello */${credentials()}`],
      ['single quotes', "{'email': 'ann@example.com', 'password': 'x'}"],
      ['an unquoted name', '{email: "ann@example.com", "password": "x"}'],
      ['a raw line break in a text', '{"email": "ann@example.com\n", "password": "x"}'],
      ['NaN', '{"email": NaN, "password": "x"}'],
      ['UTF-16 without saying so', Buffer.from(credentials(), 'utf16le')],
    ] as const) {
      test(`400 malformed_request for ${why}`, async () => {
        assertProblem(await postText(LOGIN, body), 'malformed_request')
      })
    }

    test('200 for a body after a byte order mark', async () => {
      assert.equal((await postText(LOGIN, `\ufeff${credentials()}`)).status, 200)
    })

    test('200 or 422 by the last of two fields with one name', async () => {
      const rest = `"password": ${JSON.stringify(PASSWORD)}}`

      const good = await postText(LOGIN, `{"email": 1, "email": "ann@example.com", ${rest}`)
      const bad = await postText(LOGIN, `{"email": "ann@example.com", "email": 1, ${rest}`)

      assert.equal(good.status, 200)
      assertInvalid(bad, '/email', 'type')
    })

    for (const [url, body, pointer] of [
      [LOGIN, { email: 'ann@example.com', password: 12_345_678 }, '/password'],
      [LOGIN, { email: null, password: PASSWORD }, '/email'],
      [LOGIN, { email: ['ann@example.com'], password: PASSWORD }, '/email'],
      [LOGIN, { email: 'ann@example.com', password: { length: 9 } }, '/password'],
      [SIGN_UP, { email: 'bob@example.com', password: null }, '/password'],
      [SIGN_UP, { email: 'bob@example.com', password: PASSWORD, full_name: 1 }, '/full_name'],
      [SIGN_UP, { email: 'bob@example.com', password: PASSWORD, full_name: ['Bob'] }, '/full_name'],
      [VERIFY, { email: 'ann@example.com', code: 123_456 }, '/code'],
      [VERIFY, { email: 'ann@example.com', code: ['123456'] }, '/code'],
      [VERIFY, { email: 'ann@example.com', code: '123456', sign_up_id: 1 }, '/sign_up_id'],
      [REFRESH, { refresh_token: 1 }, '/refresh_token'],
      [REFRESH, { refresh_token: ['x'] }, '/refresh_token'],
      [RESEND, { email: { toString: 'x' } }, '/email'],
    ] as const) {
      test(`422 for the wrong type in ${JSON.stringify(body)}: nothing is converted`, async () => {
        assertInvalid(await service.post(url, body), pointer, 'type')
      })
    }

    for (const [url, body, pointer] of [
      [SIGN_UP, { email: 'bob\0@example.com', password: PASSWORD }, '/email'],
      [SIGN_UP, { email: 'bob@example.com\0', password: PASSWORD }, '/email'],
      [SIGN_UP, { email: 'bob@exa\0mple.com', password: PASSWORD }, '/email'],
      [SIGN_UP, { email: 'bob@example.com', password: PASSWORD, full_name: 'Bob\0' }, '/full_name'],
      [VERIFY, { email: 'ann@example.com', code: '12345\0' }, '/code'],
      [VERIFY, { email: 'ann@example.com', code: '123456\0' }, '/code'],
    ] as const) {
      test(`422 for NUL in ${JSON.stringify(body)}`, async () => {
        assertInvalid(await service.post(url, body), pointer)
      })
    }

    for (const [url, body, sentence] of [
      [LOGIN, undefined, 'Send a JSON object.'],
      [LOGIN, { email: 'ann', password: PASSWORD }, 'This must be an email address.'],
      [LOGIN, { email: 'ann@example.com', password: '' }, 'This must not be empty.'],
      [LOGIN, { email: 'ann@example.com', password: PASSWORD, x: 1 }, 'This field is unknown.'],
      [VERIFY, { email: 'ann@example.com', code: '123' }, 'This must be six digits.'],
      [`${ME}/phone`, { phone: '015123' }, /^This must be a phone number with \+/],
      ['/api/v1/mail/x/resend', undefined, 'This must be an id: a UUID in lower case.'],
    ] as const) {
      test(`422 that says what ${url} takes, for ${JSON.stringify(body)}`, async () => {
        const answer = await service.post(url, body, { token: admin.access })

        assertProblem(answer, 'validation_failed')
        const { detail } = answer.body.errors[0]
        if (typeof sentence === 'string') assert.equal(detail, sentence)
        else assert.match(detail, sentence)
      })
    }

    test('422 that lists the values of a parameter, without the one that was sent', async () => {
      const answer = await list('role=root')

      assertProblem(answer, 'validation_failed')
      assert.equal(answer.body.errors[0].detail, 'This must be one of: user, admin.')
    })

    test('401 invalid_credentials when passwords differ only after a NUL', async () => {
      await service.addUser('nul@example.com', `${PASSWORD}\0d`)

      const answer = await service.post(LOGIN, {
        email: 'nul@example.com',
        password: `${PASSWORD}\0e`,
      })

      assertProblem(answer, 'invalid_credentials')
    })
  })

  describe('text that is no Unicode', () => {
    for (const [url, body] of [
      [LOGIN, credentials({ password: 'secret \u00ff\u00fe' })],
      [LOGIN, credentials({ email: 'ann\u00ff@example.com' })],
      [SIGN_UP, credentials({ email: 'bob@example.com', full_name: 'Bob \u00ff' })],
      [SIGN_UP, credentials({ email: 'bob@example.com', full_name: 'over\u00c0\u00aflong' })],
      [SIGN_UP, credentials({ email: 'bob@example.com', full_name: 'half \u00ed\u00a0\u0080' })],
      [SIGN_UP, credentials({ email: 'bob@example.com', full_name: 'cut \u00f0\u009f\u0098' })],
      [SIGN_UP, credentials({ 'name\u00ff': 1 })],
    ] as const) {
      test(`400 malformed_request for the bytes ${bytes(body).toString('latin1')}`, async () => {
        assertProblem(await postText(url, bytes(body)), 'malformed_request')
      })
    }

    for (const [why, text] of [
      ['a high half', String.raw`"\ud800"`],
      ['a low half', String.raw`"\uDFFF"`],
      ['halves in the wrong order', String.raw`"\udc00\ud800"`],
      ['a half in a list', String.raw`["x", ["\udbff x"]]`],
      ['a half as a name', String.raw`{"\udabc": 1}`],
      ['a half behind other text', String.raw`"horse \ud83e"`],
    ]) {
      for (const field of ['email', 'password', 'full_name', 'surprise']) {
        test(`400 malformed_request for ${why} of a character in ${field}`, async () => {
          const body = `{"email": "bob@example.com", "password": "${PASSWORD}", "${field}": ${text}}`
          for (const url of [SIGN_UP, LOGIN])
            assertProblem(await postText(url, body), 'malformed_request')
        })
      }
    }

    test('200 for both halves as escapes', async () => {
      const body = String.raw`{"full_name": "Ann \ud83d\ude00"}`
      const answer = await patchMe(body)
      assert.equal(answer.body.full_name, 'Ann 😀')
    })

    for (const form of [
      `username=ann%40example.com&password=%ff`,
      `username=ann%40example.com&password=%ed%a0%80`,
      `username=ann%40example.com&password=100%`,
      `username=ann%40example.com&password=%4`,
      `username=ann%40example.com&password=%zz`,
      `username=ann%40example.com&%c0%af=1&password=x`,
      `username=ann%40example.com&password=\u00ff`,
    ]) {
      test(`400 malformed_request for the form ‹${form}›`, async () => {
        assertProblem(await postText(LOGIN, bytes(form), FORM_TYPE), 'malformed_request')
      })
    }

    for (const query of ['q=%ff', 'q=%ed%a0%80', 'q=%', 'q=%zz', 'q=a&%c0%af=1']) {
      test(`400 malformed_request for the query ‹${query}›`, async () => {
        assertProblem(await list(query), 'malformed_request')
      })
    }
  })

  describe('names that reach for prototypes', () => {
    const role = '{"role": "admin", "isAdmin": true}'

    for (const [why, members] of [
      ['__proto__', `"__proto__": ${role}`],
      ['__proto__ in escapes', String.raw`"\u005f\u005fproto__": ${role}`],
      ['__proto__ deeper down', `"full_name": {"a": [{"__proto__": ${role}}]}`],
      ['constructor.prototype', `"constructor": {"prototype": ${role}}`],
      ['constructor.prototype deeper down', `"full_name": {"constructor": {"prototype": ${role}}}`],
    ] as const) {
      test(`400 malformed_request for ${why}, and nobody is an admin`, async () => {
        const body = `{"full_name": "Mallory", ${members}}`

        assertProblem(await patchMe(body), 'malformed_request')
        assertProblem(await postText(LOGIN, body), 'malformed_request')

        const me = await service.get(ME, { token: ann.access })
        assert.equal(me.body.role, 'user')
        assert.notEqual(me.body.full_name, 'Mallory')
        assert.ok(!('role' in {}) && !('isAdmin' in {}))
      })
    }

    for (const name of [
      '__proto__',
      '__proto__[role]',
      'constructor',
      'constructor[prototype][role]',
    ])
      test(`422 for ${name} in a form and in a query`, async () => {
        const form = { username: GUEST, password: PASSWORD, [name]: 'admin' }

        const posted = await service.post(LOGIN, undefined, { form })
        const listed = await list(`${name}=admin`)

        assertInvalid(posted, `/${name}`, 'additionalProperties')
        assertInvalid(listed, name, 'additionalProperties')
        assert.ok(!('role' in {}))
      })
  })

  describe('forms and queries', () => {
    for (const query of ['limit=1&limit=100', 'sort=id&sort=email', 'q=a&q=b', 'after=a&after=b']) {
      test(`422 for ?${query}: no list is taken for a value`, async () => {
        assertInvalid(await list(query), query.split('=', 1)[0] ?? '')
      })
    }

    for (const query of ['limit[]=5', 'limit[a]=5', 'limit.a=5', 'LIMIT=5', 'hashed_password=x']) {
      test(`422 for the unknown ?${query}`, async () => {
        assertInvalid(await list(query), query.split('=', 1)[0] ?? '', 'additionalProperties')
      })
    }

    test('422 for a field twice in a form', async () => {
      const form = 'username=ann%40example.com&username=bob%40example.com&password=x'
      assertInvalid(await postText(LOGIN, form, FORM_TYPE), '/email', 'type')
    })
  })

  describe('hostile bodies cost next to nothing', () => {
    const CPU_MAX_MS = 200
    async function cheaply(asking: () => Promise<Answer>): Promise<Answer> {
      const started = process.cpuUsage()
      const answer = await asking()
      const { user, system } = process.cpuUsage(started)
      assert.ok((user + system) / 1000 < CPU_MAX_MS, `${(user + system) / 1000} ms`)
      return answer
    }
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
        const answer = await cheaply(() => patchMe(body))
        assertProblem(answer, status === 400 ? 'malformed_request' : 'validation_failed')
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
        assertProblem(await cheaply(() => postText(LOGIN, form, FORM_TYPE)), code)
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
        const body = { email, password: PASSWORD }
        assertInvalid(await cheaply(() => service.post(SIGN_UP, body)), '/email')
      })
    }
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
        const answer = await service.post(url, body, { headers: JSON_TYPE })

        assert.ok(answer.status === 400 || answer.status === 422, answer.text)
        assert.ok(!answer.text.includes(CANARY), answer.text)
        assert.ok(!service.logged.join('').includes(CANARY))
      })
    }
  })

  describe('SQL in a text', () => {
    for (const sql of SQL) {
      test(`is a name like any other: ${sql}`, async () => {
        const changed = await service.patch(ME, { full_name: sql }, { token: ann.access })
        const found = await list(`q=${encodeURIComponent(sql)}`)

        assert.equal(changed.body.full_name, sql)
        assert.deepEqual(ids(found), [ann.id])
      })

      test(`changes nothing elsewhere: ${sql}`, async () => {
        const users = await rowsOf(service.ctx, 'users')
        const text = encodeURIComponent(sql)

        const refused = [
          await service.post(VERIFY, { email: ann.email, code: sql }),
          await service.post(RESEND, { email: ann.email, sign_up_id: sql }),
          await list(`sort=${text}`),
          await list(`after=${text}`),
          await list(`limit=${text}`),
          await list(`role=${text}`),
          await list(`${text}=1`),
        ]
        const login = await service.post(LOGIN, { email: ann.email, password: sql })
        const refresh = await service.post(REFRESH, { refresh_token: sql })
        const path = await service.get(`${USERS}/${text}`, { token: admin.access })
        const other = await service.post(LOGIN, { email: `${sql}@example.com`, password: PASSWORD })

        // A sleep would be a 503: a request has two seconds of the database.
        for (const answer of refused) assertProblem(answer, 'validation_failed')
        assertProblem(login, 'invalid_credentials')
        assertProblem(refresh, 'invalid_token')
        for (const { status } of [path, other]) assert.ok([401, 404, 422].includes(status))
        assert.deepEqual(await rowsOf(service.ctx, 'users'), users)
      })

      test(`is stored as it is from a header: ${sql}`, async () => {
        const headers = { 'user-agent': sql, 'x-request-id': sql, 'x-forwarded-for': sql }

        const answer = await postText(LOGIN, credentials(), { ...JSON_TYPE, ...headers })

        assert.equal(answer.status, 200)
        const { sid } = claimsOf(answer.body.access_token)
        const session = (await rowsOf(service.ctx, 'sessions')).find(({ id }) => id === sid)
        assert.equal(session.user_agent, sql)
      })

      test(`401 invalid_token for it in a signed token: ${sql}`, async () => {
        const claims = claimsOf(ann.access)
        const tokens = [
          forge({ claims: { ...claims, sid: sql } }),
          forge({ claims: { ...claims, sub: sql } }),
          forge({ claims, header: { ...HEADER, kid: sql }, key: sql }),
        ]
        for (const token of tokens) assertProblem(await service.get(ME, { token }), 'invalid_token')
      })
    }

    test('401 invalid_token for claims or a header that only a prototype has', async () => {
      const claims = JSON.stringify(claimsOf(ann.access))
      const tokens = [
        forge({ claims: `{"__proto__":${claims}}` }),
        forge({ claims: `{"constructor":{"prototype":${claims}}}` }),
        forge({ claims, header: `{"__proto__":${JSON.stringify(HEADER)}}` }),
      ]

      for (const token of tokens) assertProblem(await service.get(ME, { token }), 'invalid_token')

      assert.ok(!('sub' in {}) && !('alg' in {}))
      assert.equal((await service.get(ME, { token: ann.access })).body.role, 'user')
    })
  })

  describe('mails', () => {
    for (const email of [
      'a@example.com, b@example.com',
      'a@example.com,b@example.com',
      'a@example.com;b@example.com',
      'a@example.com b@example.com',
      'Bob <bob@example.com>',
      '<bob@example.com>',
      '"a@example.com"@example.com',
      'a@example.com\r\nBcc: b@example.com',
      'a@example.com\nBcc: b@example.com',
      'a\r\nRCPT TO:<b@example.com>\r\n@example.com',
      'a\n.\r\nMAIL FROM:<x@example.com>@example.com',
      'a@example.com%0d%0aBcc:b@example.com',
      'a@example.com\0',
      'a@exam\u2028ple.com',
      'a@[127.0.0.1]',
      'a@127.0.0.1',
      'a@b@example.com',
      'group: a@example.com, b@example.com;',
      'a(b@example.com)@example.com',
    ]) {
      test(`422 for ${JSON.stringify(email)}, and nothing is mailed`, async () => {
        await service.deliverMail()
        const sent = service.mailer.sent.length
        assertInvalid(await service.post(SIGN_UP, { email, password: PASSWORD }), '/email')
        assertInvalid(await service.post(RESEND, { email }), '/email')
        await service.deliverMail()
        assert.equal(service.mailer.sent.length, sent)
      })
    }

    for (const email of ['a{{7*7}}@example.com', 'a%0d%0ab@example.com', '${x}`$`@example.com']) {
      test(`one mail to ${email}, letter for letter`, async () => {
        const sent = service.mailer.sent.length

        await service.signUp(email)
        const code = await service.codeFor(email)

        const mails = service.mailer.sent.slice(sent)
        assert.deepEqual(
          mails.map(({ to }) => to),
          [email],
        )
        assert.equal(mails[0]?.consoleLine, `🔑 Verification code for ${email}: ${code}`)
      })
    }

    for (const [index, name] of [
      'http://evil.example win money',
      'www.evil.example/win',
      '<a href=//evil.example>Click</a><img src=//evil.example/x>',
      '"><script>alert(1)</script>',
      '=?utf-8?B?QmNjOiBiQGV4YW1wbGUuY29t?=',
      'A '.repeat(100),
      '{{constructor.constructor("return process")()}}',
      'Evil Knievel',
    ].entries()) {
      test(`no part of a name chosen by a stranger: ${name.slice(0, 50)}`, async () => {
        const email = `name${index}@example.com`

        await service.signUp(email, PASSWORD, name)
        await service.deliverMail()

        const [mail] = service.mailsTo(email)
        assert.ok(mail)
        const { subject, text, html } = mail
        assert.ok(!text.includes(name.trim()) && !subject.includes(name.trim()))
        assert.doesNotMatch(text + subject, /evil|script|[<>]|\{\{/i)
        assert.doesNotMatch(html, /evil|<script|<img|Knievel/i)
      })
    }

    for (const [index, userAgent] of [
      'http://evil.example/win money',
      'Click evil.example now',
      'you won, write to prize@evil',
      'Mozilla/5.0 (+https://evil.example/bot.html)',
      'evil1.example',
      'Your account was hacked, call 555 0100',
      '<a href=x>Click</a>',
      '"><script>alert(1)</script>',
      "'&lt;b&gt;",
    ].entries()) {
      test(`no word from a stranger’s device: ${userAgent}`, async () => {
        const email = `device${index}@example.com`
        const body = { email, password: PASSWORD }

        await service.post(SIGN_UP, body, { headers: { 'user-agent': userAgent } })
        await service.deliverMail()

        const { text = '', html = '' } = service.mailsTo(email)[0] ?? {}
        assert.match(text, /with an unknown device\./)
        assert.doesNotMatch(text + html, /<a |<script|&lt;|click|alert|evil|hacked|555 0100/i)
      })
    }

    test('a device is named in words of ours, whatever stands around them', async () => {
      const email = 'device@example.com'
      const browser = 'Mozilla/5.0 (X11; Linux x86_64; call 555 0100) Gecko/20100101 Firefox/140.0'
      const headers = { 'user-agent': `${browser}\u0085\u009b2J\u00ad${' x'.repeat(20_000 / 4)}` }

      await service.post(SIGN_UP, { email, password: PASSWORD }, { headers })
      await service.deliverMail()

      const { text = '', html = '' } = service.mailsTo(email)[0] ?? {}
      assert.match(text, /with Firefox on Linux\./)
      assert.doesNotMatch(text + html, /555 0100|Gecko|2J/)
    })
  })

  describe('the log', () => {
    const LINE = '\n{"level":60,"msg":"forged"}\n'

    test('one JSON line for each request, with the route’s pattern, whatever the request holds', async () => {
      await using service = await startService()
      const base = await service.listen()
      const { access, id } = await service.addUser()
      const before = service.logged.length
      const evil = `kanarienvogel\u001b[2J\u009b2J{"level":60}${'x'.repeat(5000)}`
      const headers = { 'user-agent': evil, 'x-request-id': evil, cookie: evil }

      await service.get(`/api/v1/users/${id}?x=kanarienvogel`, { token: access, headers })
      await service.get('/api/v1/kanarienvogel')
      await service.post('/auth/login', { email: LINE, password: LINE, [LINE]: 1 })
      await service.post(SIGN_UP, { email: 'b@example.com', password: PASSWORD, full_name: LINE })
      await sendRaw(
        base,
        requestText('GET /kanarienvogel%0a{}', { 'X-Request-Id': 'kanarienvogel' }),
      )

      const lines = service.logged.slice(before)
      assert.equal(lines.length, 5)
      const records = lines.map((line) => JSON.parse(line))
      for (const [index, line] of lines.entries()) {
        assert.match(line, /^[^\p{Cc}\u2028]+\n$/u)
        assert.doesNotMatch(line, /kanarienvogel|forged|example\.com/)
        assert.equal(records[index].msg, 'request')
        assert.ok(line.length < 500)
      }
      assert.deepEqual(
        records.map(({ route, status }) => [route, status]),
        [
          ['/api/v1/users/:id', 403],
          [null, 404],
          ['/auth/login', 422],
          ['/api/v1/auth/signup', 422],
          [null, 404],
        ],
      )
    })
  })
})
