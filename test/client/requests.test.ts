import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createClient, ShopError } from '../../client/index.ts'
import { answer, startHttpServer } from '../support/http-server.ts'
import { signIn, startShop, storeOf, tokensOf } from '../support/shop.ts'
import { until } from '../support/until.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const passing = (status: number, retryAfter: string) =>
  answer(status, '', { 'retry-after': retryAfter })

describe('a request of the client', () => {
  test('returns a refusal as a value with its code, fields and request id', async () => {
    await using shop = await startShop()
    const { client } = await signIn(shop)

    const { data, error, response } = await client.PATCH('/me', { body: { full_name: '' } })

    assert.equal(data, undefined)
    assert.ok(error instanceof ShopError)
    assert.equal(error.code, 'validation_failed')
    assert.equal(error.status, 422)
    assert.equal(error.errors[0]?.pointer, '/full_name')
    assert.equal(error.message, 'The request is invalid; see errors for details.')
    assert.equal(error.requestId, response?.headers.get('x-request-id'))
  })

  test('returns no data for 204, and the response itself', async () => {
    await using shop = await startShop()
    const { client } = await signIn(shop)

    const { data, error, response } = await client.DELETE('/me/sessions')

    assert.equal(data, undefined)
    assert.equal(error, undefined)
    assert.equal(response?.status, 204)
  })

  test('sends the access token to the service and no cookies anywhere', async () => {
    await using server = await startHttpServer(answer(200, '{}', JSON_TYPE))
    const fake = { role: 'user' }
    const token = `e30.${Buffer.from(JSON.stringify({ sid: 'x', ...fake })).toString('base64url')}.`
    const tokens = { accessToken: token, refreshToken: 'r', expiresAtMs: Date.now() + 60_000 }
    const sent: Request[] = []
    const client = createClient({
      baseUrl: server.url,
      tokens: storeOf(tokens),
      fetch: (request) => {
        sent.push(request)
        return fetch(request)
      },
    })

    await client.GET('/me')

    assert.equal(server.asked[0]?.url, '/api/v1/me')
    assert.equal(server.asked[0]?.headers.authorization, `Bearer ${token}`)
    assert.equal(sent[0]?.credentials, 'same-origin')
  })

  for (const status of [429, 503]) {
    test(`is repeated on ${status} as Retry-After says, if it is idempotent`, async () => {
      await using server = await startHttpServer(
        passing(status, '1'),
        passing(status, '0'),
        answer(200, '{"id":1}', JSON_TYPE),
      )
      const client = createClient({ baseUrl: server.url })
      const startedAt = performance.now()

      const { data } = await client.GET('/me')

      assert.equal(data?.id, 1)
      assert.equal(server.asked.length, 3)
      assert.ok(performance.now() - startedAt >= 990)
    })

    test(`is not repeated on ${status} if it is not idempotent`, async () => {
      await using server = await startHttpServer(passing(status, '0'))
      const client = createClient({ baseUrl: server.url })

      const { error } = await client.POST('/auth/password/forgot', {
        body: { email: 'ann@example.com' },
      })
      await client.PATCH('/me', { body: { full_name: 'Ann' } })

      assert.equal(error?.status, status)
      assert.equal(error?.retryAfterS, 0)
      assert.equal(server.asked.length, 2)
    })
  }

  test('is repeated twice, not forever', async () => {
    await using server = await startHttpServer(passing(503, '0'))
    const client = createClient({ baseUrl: server.url })

    const { error } = await client.DELETE('/users/{id}', { params: { path: { id: 1 } } })

    assert.equal(error?.status, 503)
    assert.equal(server.asked.length, 3)
  })

  for (const [why, reply] of [
    ['the wait is long', passing(429, '11')],
    ['no wait is named', answer(503)],
    ['the wait is a date', passing(503, 'Fri, 01 Jan 2038 00:00:00 GMT')],
    ['the refusal is final', passing(500, '0')],
  ] as const) {
    test(`is not repeated if ${why}`, async () => {
      await using server = await startHttpServer(reply)
      const client = createClient({ baseUrl: server.url })

      const { error } = await client.GET('/me')

      assert.equal(error?.code, 'unreachable')
      assert.equal(server.asked.length, 1)
    })
  }

  test('rejects with the reason of its AbortSignal, while it waits to be repeated, too', async () => {
    await using server = await startHttpServer(passing(503, '10'))
    const client = createClient({ baseUrl: server.url })
    const leaving = new AbortController()

    const asking = client.GET('/me', { signal: leaving.signal })
    await until('the first answer', () => server.asked.length === 1)
    const reason = new Error('the page was left')
    const abortedAt = performance.now()
    leaving.abort(reason)

    await assert.rejects(asking, reason)
    assert.ok(performance.now() - abortedAt < 9_000, 'before the wait is over')
    await assert.rejects(client.GET('/me', { signal: AbortSignal.abort(reason) }), reason)
    assert.equal(server.asked.length, 1)
  })

  test('rejects with the reason, though it is an error that fetch throws, too', async () => {
    await using server = await startHttpServer((response) => response.writeHead(200).write('{'))
    const client = createClient({ baseUrl: server.url })
    const [reason, later] = [new TypeError('the page was left'), new AbortController()]

    const reading = client.GET('/me', { signal: later.signal })
    await until('the first answer', () => server.asked.length === 1)
    later.abort(reason)

    await assert.rejects(reading, reason)
    await assert.rejects(client.GET('/me', { signal: AbortSignal.abort(reason) }), reason)
  })

  test('is unreachable if the answer is cut off', async () => {
    await using server = await startHttpServer((response) => {
      response.writeHead(200, { 'content-length': '9' }).write('{', () => response.destroy())
    })
    const client = createClient({ baseUrl: server.url })

    assert.equal((await client.GET('/me')).error?.code, 'unreachable')
  })

  test('is repeated although the answer before was cut off', async () => {
    const body = () => new ReadableStream({ start: (cut) => cut.error(new TypeError('cut off')) })
    const replies = [
      () => new Response(body(), { status: 503, headers: { 'retry-after': '0' } }),
      () => Response.json({ id: 1 }),
    ]
    const client = createClient({
      baseUrl: 'http://127.0.0.1:1',
      fetch: async () => replies.shift()?.() ?? Response.error(),
    })

    assert.equal((await client.GET('/me')).data?.id, 1)
  })

  for (const path of ['', '/', '//', '/api/v1', '//api/v1/'])
    test(`goes to the service, whose URL may end in “${path}”`, async () => {
      await using server = await startHttpServer(answer(200, '{"id":1}', JSON_TYPE))
      const client = createClient({ baseUrl: `http://${server.host}${path}` })

      await client.GET('/me')

      assert.equal(server.asked[0]?.url, '/api/v1/me')
    })

  test('is of no client without a scheme in its URL, unless that is a path', () => {
    for (const baseUrl of ['shop.example', 'shop.example:8080', 'ftp://shop.example'])
      assert.throws(() => createClient({ baseUrl }), /baseUrl must begin with https/)
    for (const baseUrl of ['', '/', '/shop', 'HTTPS://shop.example']) createClient({ baseUrl })
  })

  test('leaves the refresh to the others when it is aborted', async () => {
    await using shop = await startShop()
    const store = storeOf(tokensOf(await shop.addUser(), 0))
    const { promise: held, resolve: pass } = Promise.withResolvers<void>()
    const client = createClient({
      baseUrl: shop.baseUrl,
      tokens: store,
      fetch: async (request) => {
        await held
        return fetch(request)
      },
    })
    const leaving = new AbortController()
    const [left, stays] = [client.GET('/me', { signal: leaving.signal }), client.GET('/me')]

    leaving.abort()
    await assert.rejects(left, { name: 'AbortError' })
    pass()

    assert.equal((await stays).response?.status, 200)
    assert.deepEqual(shop.asked, ['POST /auth/refresh', 'GET /me'])
  })

  test('is unreachable if something in between answers, whatever that says', async () => {
    await using server = await startHttpServer(
      answer(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' }),
      answer(404, '{"code":"other"}', JSON_TYPE),
      answer(503, ''),
      answer(200, '<html>Log in to the Wi-Fi</html>', { 'content-type': 'text/html' }),
    )
    const client = createClient({ baseUrl: server.url })

    for (const status of [502, 404, 503, undefined]) {
      const { error } = await client.GET('/me')
      assert.equal(error?.code, 'unreachable')
      assert.equal(error.status, status)
    }
  })

  test('rejects with what the store throws, which is no error of the service', async () => {
    const broken = new TypeError('the keychain is locked')
    const client = createClient({
      baseUrl: 'http://127.0.0.1:1',
      tokens: { ...storeOf(), get: () => Promise.reject(broken) },
    })

    await assert.rejects(client.GET('/me'), broken)
    await assert.rejects(client.restore(), broken)
  })
})

describe('users()', () => {
  test('walks all pages, in order, each once', async () => {
    await using shop = await startShop()
    const { client } = await signIn(shop, await shop.addAdmin())
    for (const at of Array.from({ length: 7 }).keys()) await shop.addUser(`ann${at}@example.com`)

    const found: string[] = []
    for await (const { email } of client.users({ q: 'ann', limit: 3, sort: '-email' }))
      found.push(email)

    assert.deepEqual(
      found,
      [6, 5, 4, 3, 2, 1, 0].map((at) => `ann${at}@example.com`),
    )
    assert.equal(shop.asked.filter((one) => one.startsWith('GET /users')).length, 3)
  })

  test('walks those of any list, as each() does', async () => {
    await using shop = await startShop()
    const admin = await shop.addAdmin()
    const { client } = await signIn(shop, admin)
    for (let times = 0; times < 2; times++) await shop.logIn(admin.email)
    const init = { params: { path: { id: admin.id }, query: { limit: 1 } } }

    const found: string[] = []
    for await (const { id } of client.each('/users/{id}/audit', init)) found.push(String(id))

    assert.ok(found.length >= 3)
    assert.equal(new Set(found).size, found.length)
    const pages = shop.asked.filter((one) => one.startsWith(`GET /users/${admin.id}/audit`))
    assert.ok(pages.length >= found.length)
  })

  test('asks for a page only when it is needed', async () => {
    await using shop = await startShop()
    const { client } = await signIn(shop, await shop.addAdmin())
    await shop.addUser()
    await shop.addUser()

    for await (const _ of client.users({ limit: 1 })) break

    assert.equal(shop.asked.filter((one) => one.startsWith('GET /users')).length, 1)
  })

  test('throws the refusal, because a loop has no place for a value', async () => {
    await using shop = await startShop()
    const { client } = await signIn(shop)

    await assert.rejects(client.users().next(), { name: 'ShopError', code: 'forbidden' })
  })

  test('never follows a link to another service', async () => {
    await using other = await startHttpServer(answer(200, '[]', JSON_TYPE))
    await using server = await startHttpServer(
      answer(200, '[{"id":1}]', { ...JSON_TYPE, link: `<${other.url}users?after=x>; rel="next"` }),
      answer(200, '[{"id":2}]', JSON_TYPE),
    )
    const client = createClient({ baseUrl: server.url })

    const found = await Array.fromAsync(client.users())

    assert.deepEqual(
      found.map(({ id }) => id),
      [1, 2],
    )
    assert.equal(server.asked[1]?.url, '/api/v1/users?after=x')
    assert.equal(other.asked.length, 0)
  })
})
