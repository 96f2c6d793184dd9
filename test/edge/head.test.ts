import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { eventsOf } from '../support/events.ts'
import { assertProblem } from '../support/problem.ts'
import { requestText } from '../support/raw.ts'
import { type Answer, type Service, startService, type TestUser } from '../support/service.ts'

const EXPORT = '/api/v1/me/export'

describe('HEAD', () => {
  let service: Service
  let base: string
  let admin: TestUser
  let started = false
  before(async () => {
    service = await startService({ CORS_ORIGINS: 'https://app.example.com' })
    service.app.get('/stream', (_, reply) => reply.send(Readable.from(rows())))
    base = await service.listen()
    admin = await service.addAdmin()
  })
  after(() => service[Symbol.asyncDispose]())

  async function* rows() {
    started = true
    yield 'row'
  }
  /** What is the same for every request to one route. */
  const headersOf = ({ headers }: Answer) => {
    const { date: _date, 'x-request-id': _id, 'content-security-policy': policy, ...rest } = headers
    return { ...rest, policy: policy?.replace(/'nonce-[^']+'/, '') }
  }

  test('is as GET without the body, with its headers and its length, on every route', async () => {
    const gets = service.app.routes.filter(({ method }) => method === 'GET')
    // Of whom reading leaves no event: an admin's own reads are in the admin's audit log.
    const ann = await service.addUser()
    for (const { url } of gets) {
      const path = url.replace(':id', String(ann.id))
      const sent = { token: admin.access }
      const get = await service.get(path, sent)

      const head = await service.request('HEAD', path, sent)

      assert.equal(head.status, get.status, url)
      assert.equal(head.text, '', url)
      if (get.headers['transfer-encoding'] === undefined)
        assert.deepEqual(headersOf(head), headersOf(get), url)
    }
    assert.ok(gets.length > 25, String(gets.length))
  })

  test('sends no byte of a body, and the connection goes on', async () => {
    const token = { Authorization: `Bearer ${admin.access}` }
    const heads = ['/docs/static/docs.js', EXPORT, '/api/v1/users', '/nothing'].map((path) =>
      requestText(`HEAD ${path}`, { ...token, Connection: path === '/nothing' ? 'close' : 'x' }),
    )

    const socket = connect(Number(new URL(base).port), '127.0.0.1')
    socket.write(heads.join(''))
    const received = await readAll(socket)

    const answers = received.split(/(?=HTTP\/1\.1 )/)
    assert.deepEqual(
      answers.map((text) => text.slice(9, 12)),
      ['200', '200', '200', '404'],
    )
    for (const answer of answers) assert.match(answer, /\r\n\r\n$/)
  })

  test('starts no stream', async () => {
    started = false

    const { status, text } = await service.request('HEAD', '/stream')

    assert.deepEqual([status, text, started], [200, '', false])
    await service.get('/stream')
    assert.ok(started)
  })

  test('has the limits and the records of GET', async () => {
    const ann = await service.addUser()
    const ask = () => service.request('HEAD', EXPORT, { token: ann.access })

    const answer = await ask()
    for (let count = 1; count < 10; count++) await ask()

    assert.equal(
      answer.headers['content-disposition'],
      'attachment; filename="coffee-shop-export.json"',
    )
    assert.equal((await ask()).status, 429)
    assertProblem(await service.get(EXPORT, { token: ann.access }), 'too_many_requests')
    const events = await eventsOf(service, 'data.exported')
    assert.equal(events.filter(({ subject_id }) => subject_id === ann.id).length, 10)
  })

  test('304 for what the client has', async () => {
    const { headers } = await service.request('HEAD', '/openapi.json')
    const known = { 'if-none-match': headers['etag'] ?? '' }

    const answer = await service.request('HEAD', '/openapi.json', { headers: known })

    assert.equal(answer.status, 304)
  })

  test('404 without a body for an unknown path, 405 where there is no GET', async () => {
    for (const [path, status, allow] of [
      ['/api/v1/nothing', 404, undefined],
      ['/api/v1/auth/login', 405, 'POST'],
      ['/api/v1/users/1/login-lock', 405, 'DELETE'],
    ] as const) {
      const answer = await service.request('HEAD', path)
      assert.deepEqual([answer.status, answer.headers['allow'], answer.text], [status, allow, ''])
    }
  })
})
