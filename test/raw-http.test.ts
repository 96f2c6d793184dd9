import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { ErrorCode } from '../server/errors.ts'
import { assertProblem } from './support/problem.ts'
import { requestText, sendRaw } from './support/raw.ts'
import { type Answer, type Service, startService, type TestUser } from './support/service.ts'

// What no HTTP client sends, over a real socket.

const LOGIN = 'POST /api/v1/auth/login'
const JSON_TYPE = { 'Content-Type': 'application/json' }
const CHUNKED = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
const KIB = 1024

describe('what no HTTP client sends', () => {
  let service: Service
  let base: string
  let admin: TestUser

  before(async () => {
    service = await startService({ PUBLIC_URL: 'https://shop.example.com' })
    admin = await service.addAdmin()
    base = await service.listen()
  })
  after(() => service[Symbol.asyncDispose]())

  async function assertAlive(): Promise<void> {
    const { answers } = await sendRaw(base, requestText('GET /health'))
    assert.equal(answers[0]?.status, 200)
  }

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

  test('405 with the service’s methods for a method that Node does not know', async () => {
    const { answers } = await sendRaw(base, 'FOO /health HTTP/1.1\r\nHost: a\r\n\r\n')

    await assertRefused(answers[0], 'method_not_allowed')
    assert.equal(answers[0]?.headers['allow'], 'DELETE, GET, PATCH, POST')
  })

  describe('broken or ambiguous HTTP', () => {
    const good = 'GET /health HTTP/1.1\r\nHost: a\r\n'
    const body = '\r\n0\r\n\r\n'

    for (const [why, bytes] of [
      ['no Host', 'GET /health HTTP/1.1\r\n\r\n'],
      ['two Hosts', `${good}Host: b\r\n\r\n`],
      ['two equal Hosts in other case', `${good}HOST: a\r\n\r\n`],
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
        const { answers, closed } = await sendRaw(base, bytes)

        await assertRefused(answers[0], 'malformed_request')
        assert.ok(closed)
        assert.equal(answers.length, 1)
      })
    }

    test('400 for no Host before anything is done', async () => {
      const head = `DELETE /api/v1/users/${admin.id}/sessions HTTP/1.1\r\n`
      const { answers } = await sendRaw(
        base,
        `${head}Authorization: Bearer ${admin.access}\r\n\r\n`,
      )

      await assertRefused(answers[0], 'malformed_request')
      assert.equal((await service.get('/me', { token: admin.access })).status, 200)
    })

    test('200 for HTTP/1.0 without a Host', async () => {
      const { answers, closed } = await sendRaw(base, 'GET /health HTTP/1.0\r\n\r\n')
      assert.equal(answers[0]?.status, 200)
      assert.ok(closed)
    })

    for (const [why, header] of [
      ['one long header', `X: ${'x'.repeat(17 * KIB)}\r\n`],
      ['a long token', `Authorization: Bearer ${'x'.repeat(17 * KIB)}\r\n`],
      ['many headers', 'X: y\r\n'.repeat(3000)],
    ] as const) {
      test(`431 headers_too_large for ${why}`, async () => {
        const { answers, closed } = await sendRaw(base, `${good}${header}\r\n`)
        await assertRefused(answers[0], 'headers_too_large')
        assert.ok(closed)
      })
    }

    test('431 headers_too_large for a URL that is longer than all headers may be', async () => {
      const { answers } = await sendRaw(base, requestText(`GET /${'x'.repeat(17 * KIB)}`))
      await assertRefused(answers[0], 'headers_too_large')
    })

    test('401 for a token of 15 kB, 200 for 500 small headers', async () => {
      const token = { Authorization: `Bearer ${'x'.repeat(15_000)}` }
      const long = await sendRaw(base, requestText('GET /me', token))
      const many = await sendRaw(base, `${good}${'X: y\r\n'.repeat(500)}\r\n`)

      await assertRefused(long.answers[0], 'invalid_token')
      assert.equal(many.answers[0]?.status, 200)
    })
  })

  describe('methods and targets', () => {
    for (const [line, allow] of [
      ['TRACE /health', 'GET'],
      ['TRACE /api/v1/me', 'DELETE, GET, PATCH'],
      ['QUERY /api/v1/users', 'GET'],
      ['PUT http://evil.example/api/v1/me', 'DELETE, GET, PATCH'],
      ['PUT /api/v1/me#fragment', 'DELETE, GET, PATCH'],
      ['CONNECT evil.example:80', ''],
      ['CONNECT /api/v1/me', ''],
    ] as const) {
      test(`405 with Allow: ‹${allow}› for ${line}`, async () => {
        const canary = { 'X-Canary': 'kanarienvogel' }
        const { answers } = await sendRaw(base, requestText(line, canary))

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
        const token = { Authorization: `Bearer ${admin.access}` }
        const { answers } = await sendRaw(base, requestText(line, token))
        const status = answers[0]?.status ?? 0

        await assertRefused(answers[0], status === 404 ? 'not_found' : 'malformed_request')
      })
    }

    test('a CONNECT that never ends its side holds no connection', async () => {
      const socket = connect({
        port: Number(new URL(base).port),
        host: '127.0.0.1',
        allowHalfOpen: true,
      })
      socket.write(requestText('CONNECT evil.example:80'))
      await new Promise((resolve) => socket.resume().once('end', resolve))

      const open = await new Promise((resolve) =>
        service.app.server.getConnections((_, count) => resolve(count)),
      )
      socket.destroy()

      assert.equal(open, 0)
    })

    for (const [name, value] of [
      ['Expect', '200-ok'],
      ['Expect', '100-continue'],
      ['Upgrade', 'websocket'],
      ['Upgrade', 'h2c'],
    ] as const) {
      test(`422 as ever when a request has ${name}: ${value}`, async () => {
        const headers = { [name]: value, ...JSON_TYPE, 'Content-Length': '2' }
        const upgrade = name === 'Upgrade' ? { Connection: 'Upgrade' } : {}
        const { answers } = await sendRaw(
          base,
          requestText(LOGIN, { ...headers, ...upgrade }, '{}'),
        )

        await assertRefused(answers[0], 'validation_failed')
      })
    }
  })
})
