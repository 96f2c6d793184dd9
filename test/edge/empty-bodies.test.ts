import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { assertProblem } from '../support/problem.ts'
import { turns } from '../support/races.ts'
import { openRaw, requestText, sendRaw, untilNoneIsConnected } from '../support/raw.ts'
import { type Answer, type Service, startService } from '../support/service.ts'

const END = '0\r\n\r\n'
const CHUNKED = { 'Transfer-Encoding': 'chunked' }

/** How proxies and clients send a request without a body. */
const SPELLINGS: readonly (readonly [string, Record<string, string>, string])[] = [
  ['in chunks', CHUNKED, END],
  ['in chunks, as JSON', { ...CHUNKED, 'Content-Type': 'application/json' }, END],
  [
    'in chunks, as a form',
    { ...CHUNKED, 'Content-Type': 'application/x-www-form-urlencoded' },
    END,
  ],
  ['in chunks, as text', { ...CHUNKED, 'Content-Type': 'text/plain;charset=UTF-8' }, END],
  ['in chunks, of no type', { ...CHUNKED, 'Content-Type': '' }, END],
  ['in chunks, packed', { ...CHUNKED, 'Content-Encoding': 'gzip' }, END],
  ['of length 0', { 'Content-Length': '0' }, ''],
  ['of length 0, as JSON', { 'Content-Length': '0', 'Content-Type': 'application/json' }, ''],
  [
    'of length 0, as a stream',
    { 'Content-Length': '0', 'Content-Type': 'binary/octet-stream' },
    '',
  ],
]

describe('an empty body, on every route', () => {
  let service: Service
  let base: string
  const withoutBody = new Map<string, object>()
  before(async () => {
    service = await startService({ RATE_LIMIT: 'off' })
    base = await service.listen()
    const routes = service.app.routes.map(({ method, url }) => `${String(method)} ${url}`)
    // The answers to HEAD have a length without a body, which `sendRaw` would wait for.
    for (const route of routes.filter((one) => !one.startsWith('HEAD')))
      withoutBody.set(route, outcomeOf(await ask(route)))
  })
  after(() => service[Symbol.asyncDispose]())

  /** Asked by an admin who has done nothing yet, about a user to whom nothing has been done. */
  async function ask(route: string, sent: Record<string, string> = {}, body = ''): Promise<Answer> {
    // A run that was requested before, by another spelling, has lapsed by then.
    if (route.endsWith('/jobs/clean-up/run')) service.advance(6 * MINUTE_MS)
    const [admin, user] = [await service.addAdmin(), await service.addUser()]
    const id = route.includes('/users/') ? String(user.id) : '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'
    const headers = { Authorization: `Bearer ${admin.access}`, ...sent }
    const { answers } = await sendRaw(base, requestText(route.replace(':id', id), headers, body))
    return answers[0] ?? assert.fail(`no answer to ${route}`)
  }
  const outcomeOf = ({ status, body, headers }: Answer) => ({
    status,
    code: status < 400 ? undefined : body.code,
    errors: body?.errors,
    closes: headers['connection'] === 'close',
  })

  for (const [spelling, headers, body] of SPELLINGS) {
    test(`is as none: ${spelling}`, async () => {
      assert.ok(withoutBody.size > 80)
      for (const [route, expected] of withoutBody)
        assert.deepEqual(outcomeOf(await ask(route, headers, body)), expected, route)
    })
  }

  test('204 when its end comes later than its head', async () => {
    const { access } = await service.addUser()
    const headers = { ...CHUNKED, Authorization: `Bearer ${access}` }
    const connection = openRaw(base, requestText('DELETE /api/v1/me/sessions', headers))
    await turns(20)

    connection.send(END)

    const { answers } = await connection.answered
    assert.equal(answers[0]?.status, 204)
  })

  test('nothing is done when the connection closes before its end', async () => {
    const ann = await service.addUser()
    const headers = { ...CHUNKED, Authorization: `Bearer ${ann.access}` }
    const connection = openRaw(base, requestText('POST /api/v1/auth/logout', headers))
    await turns(20)

    connection.reset()

    await untilNoneIsConnected(service)
    assert.equal((await service.get('/me', { token: ann.access })).status, 200)
    assert.ok(service.logged.every((line) => !line.includes('unexpected error')))
  })

  for (const [type, headers] of [
    ['none', {}],
    ['text', { 'Content-Type': 'text/plain' }],
  ] as const) {
    test(`415 at the first byte of another type: ${type}`, async () => {
      const { access } = await service.addUser()
      const sent = { ...CHUNKED, ...headers, Authorization: `Bearer ${access}` }
      for (const line of ['GET /me', 'DELETE /me/sessions', 'POST /auth/logout']) {
        const { answers } = await sendRaw(base, requestText(line, sent, '1\r\nx\r\n'))

        assert.ok(answers[0], line)
        assertProblem(answers[0], 'unsupported_media_type')
      }
    })
  }

  test('the connection goes on after a long body that nobody reads', async () => {
    const { access } = await service.addUser()
    const size = 2 * 64 * 1024
    const body = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n${END}`
    const next = requestText('GET /health')
    for (const [line, type] of [
      ['GET /me', 'application/json'],
      ['DELETE /me/sessions', 'text/plain'],
    ] as const) {
      const headers = { ...CHUNKED, 'Content-Type': type, Authorization: `Bearer ${access}` }
      const connection = openRaw(base, requestText(line, headers), 2)
      await turns(20)

      connection.send(body + next)

      const { answers } = await connection.answered
      assert.deepEqual([answers[1]?.status, answers[1]?.text], [200, '{"status":"healthy"}'], line)
    }
  })
})
