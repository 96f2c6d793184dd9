import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AppError } from '../../server/errors.ts'
import { assertProblem } from '../support/problem.ts'
import { type Answer, PASSWORD, type Service, startService } from '../support/service.ts'

// What stands at the head of every answer, good or bad, and what never does.

const APP = 'https://app.example.com'
const JSON_TYPE = { 'content-type': 'application/json' }
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const SECRET = 'postgresql://user:kanarienvogel@db.internal/name'

/** One answer of each class, by its status; the headers go with each request. */
async function answersOfAllClasses(
  service: Service,
  headers: Record<string, string>,
): Promise<Answer[]> {
  // No route of ours has a bug to order, and the time-outs of a real outage are tested elsewhere.
  service.app.get('/bug', () => {
    throw new Error(`cannot connect to ${SECRET}`)
  })
  service.app.get('/busy', () => {
    throw new AppError('overloaded', { retryAfterS: 1 })
  })
  const ann = await service.addUser('ann@example.com')
  const admin = await service.addAdmin()
  const email = 'new@example.com'
  const signUp = () =>
    service.post('/api/v1/auth/signup', { email, password: PASSWORD }, { headers })
  const get = (url: string, token?: string) => service.get(url, { token, headers })
  const post = (url: string, body: unknown) => service.post(url, body, { headers })
  const text = { ...headers, 'content-type': 'text/plain' }
  const answers = [
    await get('/health'),
    await signUp(),
    await post('/api/v1/auth/verify/resend', { email }),
    await post('/api/v1/auth/logout', { refresh_token: ann.refresh }),
    await service.post('/auth/login', '{', { headers: { ...headers, ...JSON_TYPE } }),
    await get('/api/v1/me'),
    await get('/api/v1/me', 'x'),
    await post('/api/v1/auth/login', { email, password: PASSWORD }),
    await get('/api/v1/nothing'),
    await service.request('PUT', '/api/v1/me', { headers }),
    await service.request('OPTIONS', '/api/v1/me', { headers }),
    await service.delete(`/api/v1/users/${admin.id}`, { token: admin.access, headers }),
    await service.post('/auth/login', '{'.repeat(70_000), {
      headers: { ...headers, ...JSON_TYPE },
    }),
    await get(`/api/v1/me?${'x'.repeat(2048)}`),
    await service.post('/api/v1/auth/login', 'x', { headers: text }),
    await post('/api/v1/auth/login', {}),
    await get('/bug'),
    await get('/busy'),
  ]
  for (let count = 0; count < 4; count++) await signUp()
  return [...answers, await signUp()]
}
const CLASSES = [
  200, 201, 202, 204, 400, 401, 401, 403, 404, 405, 405, 409, 413, 414, 415, 422, 500, 503, 429,
]

describe('with an https address and two origins on the list', () => {
  let service: Service
  let answers: Answer[]
  before(async () => {
    const CORS_ORIGINS = `${APP},https://b.example.com`
    service = await startService({ PUBLIC_URL: 'https://shop.example.com', CORS_ORIGINS })
    answers = await answersOfAllClasses(service, { origin: APP, 'x-request-id': 'mine' })
  })
  after(() => service[Symbol.asyncDispose]())

  describe('every class of answers', () => {
    test('has the security headers, an id of its own, and no word about what runs here', () => {
      assert.deepEqual(
        answers.map(({ status }) => status),
        CLASSES,
      )
      for (const { status, headers } of answers) {
        const seen = JSON.stringify([status, headers])
        assert.equal(headers['x-content-type-options'], 'nosniff', seen)
        assert.equal(
          headers['content-security-policy'],
          "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
          seen,
        )
        assert.equal(headers['referrer-policy'], 'no-referrer', seen)
        assert.equal(headers['cross-origin-resource-policy'], 'same-origin', seen)
        assert.match(headers['strict-transport-security'] ?? '', /^max-age=31536000/, seen)
        assert.equal(headers['cache-control'], 'no-store', seen)
        assert.match(headers['x-request-id'] ?? '', UUID, seen)
        for (const name of ['server', 'x-powered-by', 'etag', 'set-cookie', 'last-modified'])
          assert.equal(headers[name], undefined, seen)
        assert.doesNotMatch(seen, /fastify|node|[0-9]+\.[0-9]+\.[0-9]+/i)
      }
      assert.equal(
        new Set(answers.map(({ headers }) => headers['x-request-id'])).size,
        CLASSES.length,
      )
    })

    test('has a whole problem document from 400 on, and Retry-After for 429 and 503', () => {
      for (const answer of answers.filter(({ status }) => status >= 400)) {
        assertProblem(answer, answer.body.code)
        const members = Object.keys(answer.body).filter((name) => name !== 'errors')
        assert.deepEqual(members, ['type', 'title', 'status', 'detail', 'code', 'request_id'])
        const retry = answer.status === 429 || answer.status === 503
        assert.equal(/^[1-9][0-9]*$/.test(answer.headers['retry-after'] ?? ''), retry)
        assert.equal('errors' in answer.body, answer.status === 422)
      }
    })

    test('ends the connection after 429, so that a flood does not keep others from connecting', () => {
      const connections = answers.map(({ status, headers }) => [status, headers['connection']])
      assert.deepEqual(connections.at(-1), [429, 'close'])
      assert.deepEqual(connections.at(0), [200, 'keep-alive'])
    })

    test('500 tells the id under which the log has the cause, and nothing of the cause', () => {
      const answer = answers.find(({ status }) => status === 500)
      assert.ok(answer)
      assert.doesNotMatch(answer.text, /connect|kanarienvogel|db\.internal|at .*\.ts|Error:/)
      const line = service.logged.find((text) => text.includes('unexpected error')) ?? ''
      assert.equal(JSON.parse(line).request_id, answer.body.request_id)
    })

    test('names the origin on the list, on errors too, and no other', () => {
      for (const { status, headers } of answers) {
        assert.equal(headers['access-control-allow-origin'], APP, String(status))
        assert.match(headers['vary'] ?? '', /\bOrigin\b/i)
      }
    })
  })

  describe('CORS', () => {
    for (const origin of [
      'https://evil.example',
      'null',
      '*',
      'http://app.example.com',
      'https://app.example.com.evil.example',
      'https://evil-app.example.com',
      'https://app.example.com:444',
      'https://app.example.com:443',
      'https://app.example.com/',
      'https://APP.example.com',
      'https://app.example.com,https://evil.example',
    ]) {
      test(`nothing is allowed to ${origin}`, async () => {
        const preflight = { origin, 'access-control-request-method': 'POST' }

        const answer = await service.get('/health', { headers: { origin } })
        const asked = await service.request('OPTIONS', '/api/v1/auth/login', { headers: preflight })

        assert.equal(answer.headers['access-control-allow-origin'], undefined)
        assert.equal(asked.headers['access-control-allow-origin'], undefined)
        assertProblem(asked, 'method_not_allowed')
      })
    }

    test('204 for a preflight of an origin on the list: exact headers, no credentials', async () => {
      const preflight = { origin: APP, 'access-control-request-method': 'PATCH' }

      const answer = await service.request('OPTIONS', '/api/v1/me', { headers: preflight })

      assert.equal(answer.status, 204)
      assert.equal(answer.headers['access-control-allow-origin'], APP)
      assert.equal(answer.headers['access-control-allow-methods'], 'GET, HEAD, POST, PATCH, DELETE')
      assert.equal(answer.headers['access-control-allow-credentials'], undefined)
      assert.equal(answer.headers['access-control-allow-private-network'], undefined)
      assert.equal(answer.headers['access-control-max-age'], '600')
      assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    })

    for (const name of [
      'authorization',
      'content-type',
      'accept-language',
      'x-requested-with',
      'x-request-id',
      'if-none-match',
      'traceparent',
      'tracestate',
      'baggage',
      'sentry-trace',
      'b3',
      'x-b3-traceid',
      'uber-trace-id',
      'x-datadog-trace-id',
      'newrelic',
      'x-cloud-trace-context',
    ]) {
      test(`204 with ${name} among the headers that a page may send`, async () => {
        const answer = await service.request('OPTIONS', '/api/v1/auth/login', {
          headers: {
            origin: APP,
            'access-control-request-method': 'POST',
            'access-control-request-headers': name,
          },
        })

        const allowed = answer.headers['access-control-allow-headers']?.toLowerCase().split(', ')
        assert.equal(answer.status, 204)
        assert.ok(allowed?.includes(name))
      })
    }

    test('204 for the preflight of a public page before a private address', async () => {
      const headers = {
        'access-control-request-method': 'GET',
        'access-control-request-private-network': 'true',
      }

      const allowed = await service.request('OPTIONS', '/api/v1/me', {
        headers: { ...headers, origin: APP },
      })
      const refused = await service.request('OPTIONS', '/api/v1/me', {
        headers: { ...headers, origin: 'https://evil.example' },
      })

      assert.deepEqual(
        [allowed, refused].map(({ status, headers: sent }) => [
          status,
          sent['access-control-allow-private-network'],
        ]),
        [
          [204, 'true'],
          [405, undefined],
        ],
      )
    })

    test('a page may read what a client needs: the next page, the time to wait, the id', async () => {
      const { headers } = await service.get('/api/v1/users', { headers: { origin: APP } })

      const exposed = headers['access-control-expose-headers']?.split(', ')
      for (const name of ['Link', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'])
        assert.ok(exposed?.includes(name), name)
      for (const name of ['WWW-Authenticate', 'Content-Disposition'])
        assert.ok(exposed?.includes(name), name)
    })
  })

  describe('what is personal', () => {
    let token: string
    before(async () => void (token = (await service.addUser()).access))

    for (const accept of [
      'text/html',
      'application/xml',
      '*/*;q=0',
      'image/png, */*;q=0.1',
      ';;;',
    ]) {
      test(`200 as JSON, never sniffed or kept, whatever is accepted: ${accept}`, async () => {
        const answer = await service.get('/me', { token, headers: { accept } })

        assert.equal(answer.status, 200)
        assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
        assert.equal(answer.headers['x-content-type-options'], 'nosniff')
        assert.equal(answer.headers['cache-control'], 'no-store')
      })
    }

    test('200 and never 304, whatever the client says it has', async () => {
      const headers = { 'if-none-match': '*', 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }

      const answer = await service.get('/me', { token, headers })

      assert.equal(answer.status, 200)
      assert.equal(answer.headers['etag'], undefined)
    })
  })

  describe('pages', () => {
    for (const url of ['/docs', '/docs/static/swagger-ui-bundle.js']) {
      test(`200 for ${url} under a policy without anything inline`, async () => {
        const { headers, status } = await service.get(url)

        assert.equal(status, 200)
        const policy = headers['content-security-policy'] ?? ''
        assert.match(policy, /default-src 'self'/)
        assert.doesNotMatch(policy, /unsafe|https?:|\*/)
        assert.equal(headers['x-content-type-options'], 'nosniff')
        assert.equal(headers['referrer-policy'], 'no-referrer')
        assert.match(headers['x-request-id'] ?? '', UUID)
      })
    }
  })
})

test('without a list nobody is allowed anything, and a preflight is 405', async () => {
  await using service = await startService()
  const preflight = { origin: APP, 'access-control-request-method': 'POST' }

  const answer = await service.request('OPTIONS', '/api/v1/auth/login', { headers: preflight })

  assertProblem(answer, 'method_not_allowed')
  assert.equal(answer.headers['access-control-allow-origin'], undefined)
})
