import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertInvalid, assertProblem } from './support/problem.ts'
import { PASSWORD, type Service, startService, type TestUser } from './support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const LOGIN = '/api/v1/auth/login'
const ME = '/api/v1/me'
const USERS = '/api/v1/users'
const JSON_TYPE = { 'content-type': 'application/json' }
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }

describe('what is sent is checked as it was sent', () => {
  let service: Service
  let ann: TestUser
  let admin: TestUser

  before(async () => {
    service = await startService()
    ann = await service.addUser('ann@example.com')
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  const postText = (
    url: string,
    body: string | Buffer,
    headers: Record<string, string> = JSON_TYPE,
  ) => service.request('POST', url, { body, headers })
  const credentials = (changes: object = {}) =>
    JSON.stringify({ email: 'ann@example.com', password: PASSWORD, ...changes })
  /** UTF-8, but for the characters \u0080 to \u00ff, which are one byte each. */
  const bytes = (text: string) => Buffer.from(text, 'latin1')

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
      ['/api/v1/auth/refresh', { refresh_token: 1 }, '/refresh_token'],
      ['/api/v1/auth/refresh', { refresh_token: ['x'] }, '/refresh_token'],
      ['/api/v1/auth/verify/resend', { email: { toString: 'x' } }, '/email'],
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
    ]) {
      for (const field of ['email', 'password', 'full_name', 'surprise']) {
        test(`400 malformed_request for ${why} of a character in ${field}`, async () => {
          const body = `{"email": "bob@example.com", "password": "${PASSWORD}", "${field}": ${text}}`
          assertProblem(await postText(SIGN_UP, body), 'malformed_request')
        })
      }
    }

    test('200 for both halves as escapes', async () => {
      const body = String.raw`{"full_name": "Ann \ud83d\ude00"}`
      const answer = await service.request('PATCH', ME, {
        body,
        headers: JSON_TYPE,
        token: ann.access,
      })
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
        const answer = await service.get(`${USERS}?${query}`, { token: admin.access })
        assertProblem(answer, 'malformed_request')
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
        const sent = { headers: JSON_TYPE, token: ann.access }

        assertProblem(await service.request('PATCH', ME, { ...sent, body }), 'malformed_request')
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
        const form = { username: 'ann@example.com', password: PASSWORD, [name]: 'admin' }
        const body = Object.entries(form).map((pair) => pair.map(encodeURIComponent).join('='))

        const posted = await postText(LOGIN, body.join('&'), FORM_TYPE)
        const listed = await service.get(`${USERS}?${name}=admin`, { token: admin.access })

        assertInvalid(posted, `/${name}`, 'additionalProperties')
        assertInvalid(listed, name, 'additionalProperties')
        assert.ok(!('role' in {}))
      })
  })

  describe('forms and queries', () => {
    for (const query of ['limit=1&limit=100', 'sort=id&sort=email', 'q=a&q=b', 'after=a&after=b']) {
      test(`422 for ?${query}: no list is taken for a value`, async () => {
        const answer = await service.get(`${USERS}?${query}`, { token: admin.access })
        assertInvalid(answer, query.split('=', 1)[0] ?? '')
      })
    }

    for (const query of ['limit[]=5', 'limit[a]=5', 'limit.a=5', 'LIMIT=5', 'hashed_password=x']) {
      test(`422 for the unknown ?${query}`, async () => {
        const answer = await service.get(`${USERS}?${query}`, { token: admin.access })
        assertInvalid(answer, query.split('=', 1)[0] ?? '', 'additionalProperties')
      })
    }

    test('422 for a field twice in a form', async () => {
      const form = 'username=ann%40example.com&username=bob%40example.com&password=x'
      assertInvalid(await postText(LOGIN, form, FORM_TYPE), '/email', 'type')
    })
  })
})
