import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { assertProblem } from './support/problem.ts'
import { times } from './support/races.ts'
import { openRaw, requestText, sendRaw } from './support/raw.ts'
import { type Answer, type Service, startService, type TestUser } from './support/service.ts'

// Bodies that are too long, too slow or misleading, over a real socket.

const LOGIN = 'POST /api/v1/auth/login'
const JSON_TYPE = { 'Content-Type': 'application/json' }
const CHUNKED = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
const KIB = 1024

describe('bodies and pipelines over a socket', () => {
  let service: Service
  let base: string
  let admin: TestUser

  before(async () => {
    service = await startService()
    admin = await service.addAdmin()
    base = await service.listen()
  })
  after(() => service[Symbol.asyncDispose]())

  async function assertAlive(): Promise<void> {
    const { answers } = await sendRaw(base, requestText('GET /health'))
    assert.equal(answers[0]?.status, 200)
  }

  function firstOf(answers: readonly Answer[]): Answer {
    assert.ok(answers[0], 'no answer')
    return answers[0]
  }

  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

  describe('bodies', () => {
    for (const [line, limit] of [
      [LOGIN, 16 * KIB],
      ['POST /auth/signup', 16 * KIB],
      ['PATCH /api/v1/me', 64 * KIB],
    ] as const) {
      const token = () => ({ Authorization: `Bearer ${admin.access}` })

      test(`413 for ${line} by its length, before a byte of the body came`, async () => {
        const headers = { ...JSON_TYPE, ...token(), 'Content-Length': String(limit + 1) }
        const { answers, closed } = await sendRaw(base, requestText(line, headers))

        assertProblem(firstOf(answers), 'body_too_large')
        assert.ok(closed)
      })

      test(`413 for ${line} in chunks, as soon as they are more than ${limit} bytes`, async () => {
        const head = requestText(line, { ...CHUNKED, ...token() })
        // Not finished: who waited for the end would wait for ever.
        const { answers, closed } = await sendRaw(
          base,
          head + chunk('x'.repeat(KIB)).repeat(limit / KIB) + chunk('x'),
        )

        assertProblem(firstOf(answers), 'body_too_large')
        assert.ok(closed)
      })
    }

    test('422 for chunks that are just within the limit', async () => {
      const text = `{"x":"${'x'.repeat(16 * KIB - 8)}"}`
      const bytes = requestText(LOGIN, CHUNKED) + chunk(text.slice(0, 99)) + chunk(text.slice(99))
      const { answers } = await sendRaw(base, `${bytes}0\r\n\r\n`)
      assertProblem(firstOf(answers), 'validation_failed')
    })

    test('413 or a closed connection for 10 MB, in one piece or in chunks', async () => {
      const huge = 'x'.repeat(10_000_000)
      const length = { ...JSON_TYPE, 'Content-Length': String(huge.length) }
      for (const bytes of [
        requestText(LOGIN, length, huge),
        requestText(LOGIN, CHUNKED, chunk(huge)),
      ]) {
        const { answers, closed } = await sendRaw(base, bytes)

        assert.ok(closed)
        // What the kernel throws away with the unread rest may include the answer.
        if (answers[0] !== undefined) assertProblem(answers[0], 'body_too_large')
        await assertAlive()
      }
    })

    test('404 for 10 MB to nowhere', async () => {
      const headers = { ...JSON_TYPE, 'Content-Length': '10000000' }
      const { answers } = await sendRaw(base, requestText('POST /nowhere', headers))
      assertProblem(firstOf(answers), 'not_found')
    })

    test('a body on a GET is another request’s by no reading', async () => {
      const inner = requestText('GET /api/v1/nothing')
      const headers = { ...JSON_TYPE, 'Content-Length': String(inner.length) }
      const bytes = requestText('GET /health', headers, inner) + requestText('GET /ready')

      const { answers } = await sendRaw(base, bytes, 2)

      const [first, second] = answers
      assert.equal(first?.status, 200)
      assert.equal(second?.body.status, 'ready')
    })
  })

  describe('pipelining', () => {
    test('answers come in the order of the requests, each with its own id', async () => {
      const token = { Authorization: `Bearer ${admin.access}` }
      const bytes =
        requestText('GET /me', token) +
        requestText('GET /nothing') +
        requestText('GET /health') +
        requestText(LOGIN, { ...JSON_TYPE, 'Content-Length': '2' }, '{}')

      const { answers } = await sendRaw(base, bytes, 4)

      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 404, 200, 422],
      )
      assert.equal(new Set(answers.map(({ headers }) => headers['x-request-id'])).size, 4)
    })

    test('sixteen requests at once are answered; one more ends their connection, and no other', async () => {
      const request = requestText('GET /me', { Authorization: `Bearer ${admin.access}` })
      const other = openRaw(base, request.slice(0, -1))

      const sixteen = await sendRaw(base, request.repeat(16), 16)
      const seventeen = await sendRaw(base, request.repeat(17), 17)
      other.send(request.slice(-1))
      const bystander = await other.answered

      assert.deepEqual(
        sixteen.answers.map(({ status }) => status),
        times(16).map(() => 200),
      )
      assert.ok(seventeen.closed)
      assert.ok(seventeen.answers.length < 17)
      assert.equal(firstOf(bystander.answers).status, 200)
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

    test('nothing after a broken request is read', async () => {
      const token = { Authorization: `Bearer ${admin.access}` }
      const end = requestText(`DELETE /api/v1/users/${admin.id}/sessions`, token)

      const { answers } = await sendRaw(base, `GET /health HTTP/1.1\r\n\r\n${end}`, 2)

      assertProblem(firstOf(answers), 'malformed_request')
      assert.equal(answers.length, 1)
      assert.equal((await service.get('/me', { token: admin.access })).status, 200)
    })
  })

  describe('slow clients', () => {
    test('408 and the end of the connection, within the ten seconds that are set', async () => {
      await using slow = await startService()
      const url = await slow.listen()
      const { server } = slow.app
      assert.equal(server.requestTimeout, 10_000)
      assert.equal(server.headersTimeout, 10_000)
      // Shortened for this test; they are read each second.
      Object.assign(server, { requestTimeout: 300, headersTimeout: 300 })
      const headers = { ...JSON_TYPE, 'Content-Length': '100' }

      const connections = await Promise.all([
        sendRaw(url, requestText(LOGIN, headers, '{"email":')),
        sendRaw(url, requestText(LOGIN, CHUNKED, chunk('{'))),
        sendRaw(url, 'GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: '),
        sendRaw(url, 'GE'),
      ])

      for (const { answers, closed } of connections) {
        assert.ok(closed)
        assert.equal(answers.length, 1)
        assertProblem(firstOf(answers), 'request_timeout')
      }
      const { answers } = await sendRaw(url, requestText('GET /health'))
      assert.equal(answers[0]?.status, 200)
    })

    test('one answer and no more for a request that is answered before its body came', async () => {
      await using slow = await startService()
      const url = await slow.listen()
      Object.assign(slow.app.server, { requestTimeout: 300, headersTimeout: 300 })
      const headers = { ...JSON_TYPE, 'Content-Length': '100' }

      const { answers, closed } = await sendRaw(url, requestText('PATCH /me', headers, '{'), 2)

      assert.ok(closed)
      assert.equal(answers.length, 1)
      assertProblem(firstOf(answers), 'authentication_required')
    })
  })
})
