import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertProblem } from '../support/problem.ts'
import { PASSWORD, type Service, startService, type TestUser } from '../support/service.ts'
import { nextOf } from '../support/users.ts'

// Which URL reaches which route, which method, and which refusal comes first.

describe('which route, which method, which refusal', () => {
  let service: Service
  let ann: TestUser
  let bob: TestUser
  let admin: TestUser

  before(async () => {
    service = await startService()
    ann = await service.addUser('ann@example.com')
    bob = await service.addUser('bob@example.com')
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  const TEXT = { 'content-type': 'text/plain' }
  const JSON_TYPE = { 'content-type': 'application/json' }
  const HUGE = '{'.repeat(70_000)
  const LONG = `?x=${'x'.repeat(2048)}`

  describe('order of refusals', () => {
    const bearer = { body: HUGE, headers: { ...TEXT, authorization: 'Bearer x' } }
    const huge = { body: HUGE, headers: TEXT }
    for (const [title, method, url, sent, code] of [
      [
        '404 for an unknown route before 405, 414, 401, 415 and 413',
        'POST',
        `/api/v1/nothing${LONG}`,
        bearer,
        'not_found',
      ],
      [
        '405 before 414, 401, 415 and 413',
        'PUT',
        `/api/v1/users/x${LONG}`,
        bearer,
        'method_not_allowed',
      ],
      ['414 before 401, 415 and 413', 'PATCH', `/api/v1/me${LONG}`, huge, 'uri_too_long'],
      ['401 before 415, 413 and 422', 'PATCH', '/api/v1/users/x', huge, 'authentication_required'],
    ] as const) {
      test(title, async () => {
        assertProblem(await service.request(method, url, sent), code)
      })
    }

    test('403 by role before 415, 413, 422 and 404', async () => {
      const sent = { body: HUGE, headers: TEXT, token: ann.access }
      for (const id of [bob.id, 999_999, 'x']) {
        assertProblem(await service.request('PATCH', `/api/v1/users/${id}`, sent), 'forbidden')
        assertProblem(await service.request('DELETE', `/api/v1/users/${id}`, sent), 'forbidden')
      }
    })

    for (const [title, body, headers, code] of [
      ['415 before 413, 400 and 422', HUGE, TEXT, 'unsupported_media_type'],
      ['413 before 400 and 422', HUGE, JSON_TYPE, 'body_too_large'],
      ['400 before 422', '{', JSON_TYPE, 'malformed_request'],
    ] as const) {
      test(title, async () => {
        const sent = { headers, token: admin.access }
        assertProblem(await service.patch('/api/v1/users/x', body, sent), code)
      })
    }

    test('422 before 404 for the row, 403 by field and 409', async () => {
      const token = admin.access
      const wrong = { role: 'user', full_name: 'line\nbreak' }

      const unknown = await service.patch('/api/v1/users/999999', { role: 1 }, { token })
      const own = await service.patch(`/api/v1/users/${admin.id}`, wrong, { token })

      assertProblem(unknown, 'validation_failed')
      assertProblem(own, 'validation_failed')
    })

    test('404 for the row before 409', async () => {
      const body = { role: 'admin', disabled: true }
      const answer = await service.patch('/api/v1/users/999999', body, { token: admin.access })
      assertProblem(answer, 'not_found')
    })

    test('403 by field before 409: the last admin may not end their own rights', async () => {
      const token = admin.access
      const url = `/api/v1/users/${admin.id}`
      assertProblem(await service.patch(url, { role: 'user' }, { token }), 'own_role')
      assertProblem(await service.patch(url, { disabled: true }, { token }), 'own_role')
    })
  })

  describe('methods', () => {
    const ALLOWED = {
      '/health': 'GET, HEAD',
      '/openapi.json': 'GET, HEAD',
      '/api/v1/auth/signup': 'POST',
      '/api/v1/auth/verify': 'POST',
      '/auth/verify/resend': 'POST',
      '/auth/login': 'POST',
      '/api/v1/me': 'DELETE, GET, HEAD, PATCH',
      '/me': 'DELETE, GET, HEAD, PATCH',
      '/api/v1/users': 'GET, HEAD, POST',
      '/api/v1/users/1': 'DELETE, GET, HEAD, PATCH',
      '/users/x': 'DELETE, GET, HEAD, PATCH',
      '/api/v1/users/1/login-lock': 'DELETE',
    }
    const METHODS = ['OPTIONS', 'PUT', 'TRACE', 'PROPFIND', 'QUERY', 'PURGE', 'M-SEARCH']

    for (const [url, allow] of Object.entries(ALLOWED)) {
      test(`405 with Allow: ${allow} for ${url} by ${METHODS.join(', ')}`, async () => {
        for (const method of METHODS) {
          const sent = { body: 'x', headers: TEXT, token: admin.access }
          const answer = await service.request(method, url, sent)

          assert.equal(answer.status, 405, method)
          assert.equal(answer.headers['allow'], allow, method)
          assertProblem(answer, 'method_not_allowed')
        }
      })
    }

    for (const method of ['GET', 'HEAD', ...METHODS]) {
      test(`404 for ${method} of an unknown path, without Allow`, async () => {
        const answer = await service.request(method, '/api/v1/nothing')
        assert.equal(answer.status, 404)
        assert.equal(answer.headers['allow'], undefined)
      })
    }

    test('200 and nothing else for what asks to be another method', async () => {
      const token = admin.access
      const url = `/api/v1/users/${bob.id}`
      const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override']

      for (const name of overrides) {
        const answer = await service.get(url, { token, headers: { [name]: 'DELETE' } })
        assert.equal(answer.status, 200)
      }
      const inQuery = await service.patch(`${url}?_method=DELETE`, {}, { token })
      const inBody = await service.patch(url, { _method: 'DELETE' }, { token })

      assert.equal(inQuery.status, 200)
      assertProblem(inBody, 'validation_failed')
      assert.equal((await service.get('/me', { token: bob.access })).status, 200)
    })

    test('405 for a code or a token that a mail scanner follows: nothing happens', async () => {
      await service.signUp('carl@example.com')
      const code = await service.codeFor('carl@example.com')

      for (const method of ['GET', 'HEAD']) {
        const verify = `/api/v1/auth/verify?email=carl%40example.com&code=${code}`
        const logout = `/api/v1/auth/logout?refresh_token=${bob.refresh}`
        assert.equal((await service.request(method, verify)).status, 405)
        assert.equal((await service.request(method, logout, { token: bob.access })).status, 405)
      }

      const credentials = { email: 'carl@example.com', password: PASSWORD }
      const carl = await service.post('/auth/login', credentials)
      assertProblem(carl, 'email_unverified')
      assert.equal((await service.get('/me', { token: bob.access })).status, 200)
    })
  })

  describe('paths', () => {
    for (const path of [
      '/api',
      '/api/v1',
      '/api/v1/',
      '/api/v2/me',
      '/api/v1/api/v1/me',
      '/api/v1/health',
      '/api/v1/ready',
      '/api/v1/docs',
      '/api/v1/openapi.json',
      '/api/v1/docs/json',
      '/docs/json',
      '/docs/yaml',
      '/health/',
      '/me/',
      '/users/',
      '/users//sessions',
      '//users',
      '/USERS',
      '/Api/V1/me',
      '/users;x',
      '/users;x=1',
      '/me.css',
      '/me/x.css',
      '/me.json',
      '/%6de',
      '/%75sers',
      '/users%2F1',
      '/users%00',
      '/users/%31',
      '/users/1%20',
      '/api%2fv1/me',
      '/metrics',
      '/.env',
      '/data/app.db',
      '/package.json',
      '/docs/static/..%2f..%2fpackage.json',
      '/docs/static/%2e%2e/%2e%2e/package.json',
    ]) {
      test(`404 not_found for ${path}, which does not come back in the answer`, async () => {
        const answer = await service.get(path, { token: admin.access })

        assertProblem(answer, 'not_found')
        if (path.length > 1) assert.ok(!answer.text.includes(path), answer.text)
      })
    }

    for (const path of ['/%zz', '/%', '/users/%ff', '/users/%c0%af']) {
      test(`400 or 404 for ${path}, which is no text`, async () => {
        const { status, headers } = await service.get(path, { token: admin.access })
        assert.ok(status === 400 || status === 404)
        assert.match(headers['content-type'] ?? '', /^application\/problem\+json/)
      })
    }

    for (const prefix of ['', '/api/v1']) {
      test(`Link stays under the prefix that was asked: ‹${prefix}›`, async () => {
        const first = await service.get(`${prefix}/users?limit=1`, { token: admin.access })
        const next = nextOf(first) ?? ''

        assert.ok(next.startsWith(`${prefix}/users?`), next)
        const second = await service.get(next, { token: admin.access })
        assert.equal(second.status, 200)
        assert.notEqual(second.body[0].id, first.body[0].id)
      })
    }

    for (const size of [2048, 2049]) {
      test(`${size > 2048 ? 414 : 422} for a URL of ${size} bytes`, async () => {
        const path = '/api/v1/users?q='
        const answer = await service.get(path.padEnd(size, 'x'), { token: admin.access })
        assertProblem(answer, size > 2048 ? 'uri_too_long' : 'validation_failed')
      })
    }

    test('414 for a parameter that is longer than the URL may be, 405 before', async () => {
      for (const path of ['/api/v1/users/', '/console/users/', '/assets/']) {
        const url = path + '9'.repeat(2049)
        assertProblem(await service.get(url), 'uri_too_long')
        assertProblem(await service.post(url), 'method_not_allowed')
      }
    })

    test('401, 403 and 422, by who asks, for a parameter as long as the URL may be', async () => {
      const url = `/api/v1/users/${'9'.repeat(2000)}`
      assertProblem(await service.get(url), 'authentication_required')
      assertProblem(await service.get(url, { token: ann.access }), 'forbidden')
      assertProblem(await service.get(url, { token: admin.access }), 'validation_failed')
    })
  })
})
