import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { ErrorCode } from '../../server/errors.ts'
import { assertProblem } from '../support/problem.ts'
import { times } from '../support/races.ts'
import { openRaw, requestText, sendRaw, untilNoneIsConnected } from '../support/raw.ts'
import { type Answer, type Service, startService, type TestUser } from '../support/service.ts'
import { until } from '../support/until.ts'

const LOGIN = 'POST /api/v1/auth/login'
const JSON_TYPE = { 'Content-Type': 'application/json' }
const CHUNKED = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
const KIB = 1024

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const jsonOf = (length: number) => ({ ...JSON_TYPE, 'Content-Length': String(length) })

describe('what no HTTP client sends, over a real socket', () => {
  let service: Service
  let base: string
  let admin: TestUser
  let token: { Authorization: string }

  before(async () => {
    service = await startService({ PUBLIC_URL: 'https://shop.example.com' })
    admin = await service.addAdmin()
    token = { Authorization: `Bearer ${admin.access}` }
    base = await service.listen()
  })
  after(() => service[Symbol.asyncDispose]())

  const send = (bytes: string | Buffer, expected = 1) => sendRaw(base, bytes, expected)

  async function assertAlive(): Promise<void> {
    const { answers } = await send(requestText('GET /health'))
    assert.equal(answers[0]?.status, 200)
  }
  const assertSignedIn = async () =>
    assert.equal((await service.get('/me', { token: admin.access })).status, 200)

  /** The refusal is whole, has the common headers, and the service goes on. */
  async function assertRefused(answer: Answer | undefined, code: ErrorCode): Promise<void> {
    assert.ok(answer, 'no answer')
    assertProblem(answer, code)
    assert.match(answer.headers['content-security-policy'] ?? '', /default-src 'none'/)
    assert.match(answer.headers['strict-transport-security'] ?? '', /^max-age=/)
    assert.equal(answer.headers['referrer-policy'], 'no-referrer')
    assert.equal(answer.headers['server'], undefined)
    await assertAlive()
  }

  describe('broken or ambiguous HTTP', () => {
    const good = 'GET /health HTTP/1.1\r\nHost: a\r\n'
    const body = '\r\n0\r\n\r\n'

    for (const [why, bytes] of [
      ['no Host', 'GET /health HTTP/1.1\r\n\r\n'],
      ['two Hosts', `${good}Host: b\r\n\r\n`],
      ['two equal Hosts in other case', `${good}HOST: a\r\n\r\n`],
      ['two tokens', `${good}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`],
      ['a token twice', `${good}Authorization: Bearer a\r\nAUTHORIZATION: Bearer a\r\n\r\n`],
      ['a scheme and a token', `${good}Authorization: Basic a\r\nAuthorization: Bearer b\r\n\r\n`],
      [
        'two media types',
        `${good}Content-Type: application/json\r\nContent-Type: text/plain\r\n\r\n`,
      ],
      ['two Hosts in HTTP/1.0', 'GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'],
      ['HTTP/0.9', 'GET /health\r\n\r\n'],
      ['HTTP/2 on the same port', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['HTTP/3.0', 'GET /health HTTP/3.0\r\nHost: a\r\n\r\n'],
      ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
      ['a method in lower case', 'get /health HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a bare line feed', 'GET /health HTTP/1.1\nHost: a\n\n'],
      ['a folded header', `${good}X: a\r\n b\r\n\r\n`],
      ['a space before the colon', `${good}X : a\r\n\r\n`],
      ['NUL in a header', `${good}X: a\0b\r\n\r\n`],
      ['NUL in the media type', `${good}Content-Type: application/json\0\r\n\r\n`],
      ['a raw byte in the path', 'GET /\x80\xff HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['length and chunks', `${good}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n${body}`],
      ['two lengths', `${good}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
      ['a list of lengths', `${good}Content-Length: 2, 2\r\n\r\n{}`],
      ['a length with a sign', `${good}Content-Length: +2\r\n\r\n{}`],
      ['a negative length', `${good}Content-Length: -2\r\n\r\n{}`],
      ['a hexadecimal length', `${good}Content-Length: 0x2\r\n\r\n{}`],
      ['an unknown coding', `${good}Transfer-Encoding: xchunked\r\n${body}`],
      ['a coding after chunked', `${good}Transfer-Encoding: chunked, gzip\r\n${body}`],
      ['a coding before chunked', `${good}Transfer-Encoding: gzip, chunked\r\n${body}`],
      ['chunked twice', `${good}Transfer-Encoding: chunked, chunked\r\n${body}`],
      ['two codings', `${good}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n${body}`],
      ['a chunk size that is none', `${requestText(LOGIN, CHUNKED)}zz\r\n`],
      ['a negative chunk size', `${requestText(LOGIN, CHUNKED)}-1\r\n`],
      ['a chunk longer than it says', `${requestText(LOGIN, CHUNKED)}1\r\n{}\r\n0\r\n\r\n`],
    ] as const) {
      test(`400 malformed_request and the end of the connection for ${why}`, async () => {
        const { answers, closed } = await send(bytes)

        await assertRefused(answers[0], 'malformed_request')
        assert.ok(closed)
        assert.equal(answers.length, 1)
      })
    }

    test('400 for no Host before anything is done', async () => {
      const head = `DELETE /api/v1/users/${admin.id}/sessions HTTP/1.1\r\n`
      const { answers } = await send(`${head}Authorization: ${token.Authorization}\r\n\r\n`)

      await assertRefused(answers[0], 'malformed_request')
      await assertSignedIn()
    })

    for (const [why, lines] of [
      ['first', ['good', 'bad']],
      ['second', ['bad', 'good']],
    ] as const) {
      test(`400 for two tokens of which the ${why} is right: it does nothing`, async () => {
        const tokens = lines.map((which) => (which === 'good' ? token.Authorization : 'Bearer x'))
        const headers = tokens.map((value) => `Authorization: ${value}\r\n`).join('')
        const head = `DELETE /api/v1/users/${admin.id}/sessions HTTP/1.1\r\nHost: a\r\n`

        const { answers } = await send(`${head}${headers}\r\n`)

        await assertRefused(answers[0], 'malformed_request')
        await assertSignedIn()
      })
    }

    test('401 for two tokens in one list', async () => {
      const list = { Authorization: `${token.Authorization}, ${token.Authorization}` }
      const { answers } = await send(requestText('GET /me', list))

      await assertRefused(answers[0], 'invalid_token')
    })

    test('nothing after a broken request is read', async () => {
      const end = requestText(`DELETE /api/v1/users/${admin.id}/sessions`, token)

      const { answers } = await send(`GET /health HTTP/1.1\r\n\r\n${end}`, 2)

      await assertRefused(answers[0], 'malformed_request')
      assert.equal(answers.length, 1)
      await assertSignedIn()
    })

    test('200 for HTTP/1.0 without a Host', async () => {
      const { answers, closed } = await send('GET /health HTTP/1.0\r\n\r\n')
      assert.equal(answers[0]?.status, 200)
      assert.ok(closed)
    })

    for (const [why, bytes] of [
      ['one long header', `${good}X: ${'x'.repeat(17 * KIB)}\r\n\r\n`],
      ['a long token', `${good}Authorization: Bearer ${'x'.repeat(17 * KIB)}\r\n\r\n`],
      ['many headers', `${good}${'X: y\r\n'.repeat(3000)}\r\n`],
      ['a URL that is longer than all headers may be', requestText(`GET /${'x'.repeat(17 * KIB)}`)],
    ] as const) {
      test(`431 headers_too_large for ${why}`, async () => {
        const { answers, closed } = await send(bytes)
        await assertRefused(answers[0], 'headers_too_large')
        assert.ok(closed)
      })
    }

    test('401 for a token of 15 kB, 200 for 500 small headers', async () => {
      const long = { Authorization: `Bearer ${'x'.repeat(15_000)}` }
      const withLong = await send(requestText('GET /me', long))
      const withMany = await send(`${good}${'X: y\r\n'.repeat(500)}\r\n`)

      await assertRefused(withLong.answers[0], 'invalid_token')
      assert.equal(withMany.answers[0]?.status, 200)
    })
  })

  describe('methods and targets', () => {
    for (const [line, allow] of [
      // Node does not know the method, and gives no path: all that the service has.
      ['FOO /health', 'DELETE, GET, HEAD, PATCH, POST'],
      ['TRACE /health', 'GET, HEAD'],
      ['TRACE /api/v1/me', 'DELETE, GET, HEAD, PATCH'],
      ['QUERY /api/v1/users', 'GET, HEAD, POST'],
      ['PUT http://evil.example/api/v1/me', 'DELETE, GET, HEAD, PATCH'],
      ['PUT /api/v1/me#fragment', 'DELETE, GET, HEAD, PATCH'],
      ['CONNECT evil.example:80', ''],
      ['CONNECT /api/v1/me', ''],
    ] as const) {
      test(`405 with Allow: ‹${allow}› for ${line}`, async () => {
        const { answers } = await send(requestText(line, { 'X-Canary': 'kanarienvogel' }))

        await assertRefused(answers[0], 'method_not_allowed')
        assert.equal(answers[0]?.headers['allow'], allow)
        assert.ok(!answers[0].text.includes('kanarienvogel'))
      })
    }

    for (const line of [
      'OPTIONS *',
      'GET *',
      'GET /users/../me',
      'GET /./me',
      'GET //me',
      'GET /users/%2e%2e/me',
      'GET \\me',
      'GET http://localhost/api/v1/../../me',
    ]) {
      test(`404 or 400 for ${line}: nothing is resolved or guessed`, async () => {
        const { answers } = await send(requestText(line, token))
        const code = answers[0]?.status === 404 ? 'not_found' : 'malformed_request'
        await assertRefused(answers[0], code)
      })
    }

    test('a CONNECT that never ends its side holds no connection', async () => {
      const { port } = new URL(base)
      const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
      socket.write(requestText('CONNECT evil.example:80'))
      await once(socket.resume(), 'end')

      await untilNoneIsConnected(service)
      socket.destroy()
    })

    for (const [name, value] of [
      ['Expect', '200-ok'],
      ['Expect', '100-continue'],
      ['Upgrade', 'websocket'],
      ['Upgrade', 'h2c'],
    ] as const) {
      test(`422 as ever when a request has ${name}: ${value}`, async () => {
        const upgrade = name === 'Upgrade' ? { Connection: 'Upgrade' } : {}
        const headers = { [name]: value, ...jsonOf(2), ...upgrade }
        const { answers } = await send(requestText(LOGIN, headers, '{}'))

        await assertRefused(answers[0], 'validation_failed')
      })
    }
  })

  describe('bodies', () => {
    for (const [line, limit] of [
      [LOGIN, 16 * KIB],
      ['POST /auth/signup', 16 * KIB],
      ['PATCH /api/v1/me', 64 * KIB],
    ] as const) {
      test(`413 for ${line} by its length, before a byte of the body came`, async () => {
        const { answers, closed } = await send(
          requestText(line, { ...jsonOf(limit + 1), ...token }),
        )

        await assertRefused(answers[0], 'body_too_large')
        assert.ok(closed)
      })

      test(`413 for ${line} in chunks, as soon as they are more than ${limit} bytes`, async () => {
        const full = chunk('x'.repeat(KIB)).repeat(limit / KIB)
        // Not finished: who waited for the end would wait for ever.
        const { answers, closed } = await send(
          requestText(line, { ...CHUNKED, ...token }, full + chunk('x')),
        )

        await assertRefused(answers[0], 'body_too_large')
        assert.ok(closed)
      })
    }

    test('422 for chunks that are just within the limit', async () => {
      const text = `{"x":"${'x'.repeat(16 * KIB - 8)}"}`
      const body = `${chunk(text.slice(0, 99))}${chunk(text.slice(99))}0\r\n\r\n`
      const { answers } = await send(requestText(LOGIN, CHUNKED, body))
      await assertRefused(answers[0], 'validation_failed')
    })

    test('413 or a closed connection for 10 MB, in one piece or in chunks', async () => {
      const huge = 'x'.repeat(10_000_000)
      for (const bytes of [
        requestText(LOGIN, jsonOf(huge.length), huge),
        requestText(LOGIN, CHUNKED, chunk(huge)),
      ]) {
        const { answers, closed } = await send(bytes)

        assert.ok(closed)
        // What the kernel throws away with the unread rest may include the answer.
        if (answers[0] !== undefined) assertProblem(answers[0], 'body_too_large')
        await assertAlive()
      }
    })

    test('404 for 10 MB to nowhere', async () => {
      const { answers } = await send(requestText('POST /nowhere', jsonOf(10_000_000)))
      await assertRefused(answers[0], 'not_found')
    })

    test('a body on a GET is another request’s by no reading', async () => {
      const inner = requestText('GET /api/v1/nothing')
      const outer = requestText('GET /health', jsonOf(inner.length), inner)

      const { answers } = await send(outer + requestText('GET /ready'), 2)

      const [first, second] = answers
      assert.equal(first?.status, 200)
      assert.equal(second?.body.status, 'ready')
    })
  })

  describe('pipelining', () => {
    test('answers come in the order of the requests, each with its own id', async () => {
      const bytes =
        requestText('GET /me', token) +
        requestText('GET /nothing') +
        requestText('GET /health') +
        requestText(LOGIN, jsonOf(2), '{}')

      const { answers } = await send(bytes, 4)

      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 404, 200, 422],
      )
      assert.equal(new Set(answers.map(({ headers }) => headers['x-request-id'])).size, 4)
    })

    test('sixteen requests at once are answered; one more ends their connection, and no other', async () => {
      const request = requestText('GET /me', token)
      const other = openRaw(base, request.slice(0, -1))

      const sixteen = await send(request.repeat(16), 16)
      const seventeen = await send(request.repeat(17), 17)
      other.send(request.slice(-1))
      const bystander = await other.answered

      assert.deepEqual(
        sixteen.answers.map(({ status }) => status),
        times(16).map(() => 200),
      )
      assert.ok(seventeen.closed)
      assert.ok(seventeen.answers.length < 17)
      assert.equal(bystander.answers[0]?.status, 200)
    })

    test('one connection serves any number of requests, one after the other', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const ask = async () => {
        const request = get(`${base}/health`, { agent })
        const [answer] = (await once(request, 'response')) as [IncomingMessage]
        await once(answer.resume(), 'end')
        return { status: answer.statusCode, again: request.reusedSocket }
      }

      await ask()
      for (let count = 0; count < 40; count++) {
        assert.deepEqual(await ask(), { status: 200, again: true })
      }
      agent.destroy()
    })
  })
})

describe('slow clients', () => {
  test('408 and the end of the connection, within the ten seconds that are set', async () => {
    await using service = await startService()
    const { server } = service.app
    const set = [server.requestTimeout, server.headersTimeout]
    const url = await listenImpatiently(service)

    const connections = await Promise.all([
      sendRaw(url, requestText(LOGIN, jsonOf(100), '{"email":')),
      sendRaw(url, requestText(LOGIN, CHUNKED, chunk('{'))),
      sendRaw(url, 'GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: '),
      sendRaw(url, 'GE'),
    ])
    const next = await sendRaw(url, requestText('GET /health'))

    assert.deepEqual(set, [10_000, 10_000])
    for (const { answers, closed } of connections) {
      assert.ok(closed)
      assert.equal(answers.length, 1)
      assertProblem(answers[0]!, 'request_timeout')
    }
    assert.equal(next.answers[0]?.status, 200)
  })

  test('an idle connection is kept for KEEP_ALIVE_SECONDS, longer than a request may take', async () => {
    await using service = await startService()
    const set = service.app.server.keepAliveTimeout
    const url = await listenImpatiently(service)
    const kept = openRaw(url, requestText('GET /health'), 2)

    // Begun later and looked at by the same timer.
    await sendRaw(url, 'GE')
    kept.send(requestText('GET /health'))

    const { answers } = await kept.answered
    assert.equal(set, 130_000)
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['keep-alive']]),
      times(2).map(() => [200, 'timeout=130']),
    )
  })

  test('an idle connection is closed after KEEP_ALIVE_SECONDS', async () => {
    await using service = await startService({ KEEP_ALIVE_SECONDS: '1' })

    const kept = openRaw(await service.listen(), requestText('GET /health'), 2)

    const { answers, closed } = await kept.answered
    assert.ok(closed)
    assert.equal(answers.length, 1)
  })

  test('a stop accepts and answers what was sent before it', async () => {
    await using service = await startService()
    const url = await service.listen()
    const sent = new Int32Array(new SharedArrayBuffer(4))
    const clients = new Worker(CLIENTS, { eval: true, workerData: { url, sent, count: 50 } })
    const answered = once(clients, 'message')
    await once(clients, 'online')
    // This thread accepts none meanwhile.
    for (let count = 0; count < 50; count = Atomics.load(sent, 0)) Atomics.wait(sent, 0, count)

    await service.app.close()

    assert.deepEqual(
      (await answered)[0],
      times(50).map(() => 'HTTP/1.1 200 OK'),
    )
  })

  test('a stop does not wait for the client of an answer that began before it', async () => {
    await using service = await startService({ KEEP_ALIVE_SECONDS: '3600' })
    const body = new PassThrough()
    service.app.get('/long', (_request, reply) => reply.send(body))
    const url = await service.listen()
    const agent = new Agent({ keepAlive: true })
    body.write('begun, ')
    const [answer] = (await once(get(`${url}/long`, { agent }), 'response')) as [IncomingMessage]
    const { socket } = answer

    const stopped = service.app.close()
    await until('the end of listening', () => !service.app.server.listening)
    body.end('finished')

    assert.equal(await text(answer), 'begun, finished')
    await until('the end of the connection', () => socket.destroyed)
    await stopped
  })

  test('one answer and no more for a request that is answered before its body came', async () => {
    await using service = await startService()
    const url = await listenImpatiently(service)

    const { answers, closed } = await sendRaw(url, requestText('PATCH /me', jsonOf(100), '{'), 2)

    assert.ok(closed)
    assert.equal(answers.length, 1)
    assertProblem(answers[0]!, 'authentication_required')
  })
})

/** In a thread of their own: counts the requests that were sent, and posts the first line of each answer. */
const CLIENTS = `
  const { connect } = require('node:net')
  const { text } = require('node:stream/consumers')
  const { parentPort, workerData: { url, sent, count } } = require('node:worker_threads')
  const { port } = new URL(url)
  const answers = Array.from({ length: count }, () => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write('GET /health HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n', () => {
      Atomics.add(sent, 0, 1)
      Atomics.notify(sent, 0)
    })
    return text(socket).then((all) => all.split('\\r\\n')[0], (error) => error.code)
  })
  void Promise.all(answers).then((all) => parentPort.postMessage(all))`

/** With time-outs that a test can wait for; they are looked at each second. */
async function listenImpatiently({ app, listen }: Service): Promise<string> {
  const url = await listen()
  Object.assign(app.server, { requestTimeout: 300, headersTimeout: 300 })
  return url
}
