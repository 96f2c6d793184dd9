import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { operations } from '../support/openapi.ts'
import { assertProblem } from '../support/problem.ts'
import { times } from '../support/races.ts'
import { requestText, sendRaw } from '../support/raw.ts'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const LOGIN = '/api/v1/auth/login'
const SIGN_UP = '/api/v1/auth/signup'
const APP = 'https://app.example.com'
const WEB_VIEW = 'capacitor://localhost'
const EVIL = 'https://evil.example'
const WRONG = { username: 'ann@example.com', password: 'not the password' }

// What browsers send for the pages that they show.

describe('POST /auth/… from a browser', () => {
  let service: Service
  before(async () => {
    service = await startService({
      PUBLIC_URL: 'https://shop.example.com/users',
      CORS_ORIGINS: `${APP},${WEB_VIEW}`,
      TRUSTED_PROXIES: '10.0.0.0/8',
    })
  })
  after(() => service[Symbol.asyncDispose]())

  const send = (url: string, headers: Record<string, string>) =>
    service.request('POST', url, {
      form: WRONG,
      headers: { host: 'shop.internal:8000', ...headers },
    })

  for (const [why, headers] of [
    ['another site', { 'sec-fetch-site': 'cross-site', origin: EVIL }],
    ['another site, without an Origin', { 'sec-fetch-site': 'cross-site' }],
    [
      'another site that claims our Origin',
      { 'sec-fetch-site': 'cross-site', origin: 'https://shop.example.com' },
    ],
    [
      'a sibling of our host',
      { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' },
    ],
    ['two sites', { 'sec-fetch-site': 'same-origin, cross-site', origin: EVIL }],
    ['what no browser sends', { 'sec-fetch-site': '', origin: EVIL }],
    ['another site, in an old browser or over http', { origin: EVIL }],
    ['a frame without an origin', { origin: 'null' }],
    ['our host at another port', { origin: 'http://shop.internal:8001' }],
    ['a host that begins with ours', { origin: 'http://shop.internal:8000.evil.example' }],
    ['a host that ends with an allowed one', { origin: 'https://evil-app.example.com' }],
    ['two origins, one of them allowed', { origin: `${APP}, ${EVIL}` }],
    ['an allowed host by http', { origin: 'http://app.example.com' }],
    [
      'a web view that is not allowed',
      { 'sec-fetch-site': 'cross-site', origin: 'ionic://localhost' },
    ],
  ] as const) {
    test(`403 cross_site_request for a page of ${why}`, async () => {
      for (const url of [LOGIN, '/auth/login']) {
        const answer = await send(url, headers)

        assertProblem(answer, 'cross_site_request')
        assert.equal(answer.headers['access-control-allow-origin'], undefined)
      }
    })
  }

  for (const [why, headers] of [
    ['no browser', {}],
    ['a page of ours', { 'sec-fetch-site': 'same-origin', origin: 'https://127.0.0.1' }],
    ['a page of ours under no-referrer', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    ['no page', { 'sec-fetch-site': 'none' }],
    ['an allowed origin', { 'sec-fetch-site': 'cross-site', origin: APP }],
    ['an allowed sibling', { 'sec-fetch-site': 'same-site', origin: APP }],
    ['an allowed web view', { 'sec-fetch-site': 'cross-site', origin: WEB_VIEW }],
    ['an allowed origin, in an old browser', { origin: APP }],
    ['PUBLIC_URL, behind a proxy that changes the Host', { origin: 'https://shop.example.com' }],
    ['the host that it asks', { origin: 'http://shop.internal:8000' }],
    ['the host that it asks, behind a proxy with TLS', { origin: 'https://shop.internal:8000' }],
    [
      'the host that a trusted proxy was asked for',
      { 'x-forwarded-host': 'www.example.com', origin: 'https://www.example.com' },
    ],
  ] as const) {
    test(`401 as ever from ${why}`, async () => {
      assertProblem(await send(LOGIN, headers), 'invalid_credentials')
    })
  }

  test('403 at every endpoint below /auth, also for a beacon, and 401 elsewhere, where a token is needed', async () => {
    const urls = operations.map(({ path }) => path).filter((path) => path.includes('/auth/'))
    const headers = { origin: EVIL, 'content-type': 'text/plain' }

    assert.ok(urls.length >= 9)
    for (const url of urls.flatMap((path) => [path, path.replace('/api/v1', '')]))
      assertProblem(await service.post(url, '{}', { headers }), 'cross_site_request')
    assertProblem(
      await service.post('/api/v1/me/password', '{}', { headers }),
      'authentication_required',
    )
    assertProblem(await service.get(LOGIN, { headers }), 'method_not_allowed')
  })
})

describe('the log of what is refused to a foreign page', () => {
  const linesOf = ({ logged }: Service) =>
    logged.map((line) => JSON.parse(line)).filter(({ msg }) => /CORS_ORIGINS/.test(msg))
  const preflight = { 'access-control-request-method': 'POST' }

  for (const [why, method, url, headers] of [
    ['a preflight', 'OPTIONS', '/api/v1/me', preflight],
    ['a preflight for nothing', 'OPTIONS', '/api/v1/nothing', preflight],
    ['a form', 'POST', LOGIN, { 'sec-fetch-site': 'cross-site' }],
    ['a form in an old browser', 'POST', '/auth/login', {}],
    ['a response that the page may not read', 'GET', '/health', { 'sec-fetch-site': 'same-site' }],
  ] as const) {
    for (const [origins, CORS_ORIGINS] of [
      ['none', ''],
      ['another', APP],
    ] as const) {
      test(`names the origin and the setting: ${why}, with ${origins} allowed`, async () => {
        await using service = await startService({ CORS_ORIGINS })

        await service.request(method, url, { headers: { ...headers, origin: EVIL } })

        const [line, ...more] = linesOf(service)
        assert.deepEqual([line.level, line.origin, more], ['warn', EVIL, []])
      })
    }
  }

  test('has one line a minute for each origin, twenty in all, and not one of 5 kB', async () => {
    await using service = await startService({ RATE_LIMIT: 'off' })
    const ask = (origin: string) => service.get('/health', { headers: { origin } })

    for (const _ of times(5)) await ask(EVIL)
    await ask(WEB_VIEW)
    const first = linesOf(service).map(({ origin }) => origin)
    for (const n of times(40)) await ask(`https://${n}.example/${'x'.repeat(5000)}`)
    const within = linesOf(service)
    service.advance(MINUTE_MS)
    await ask(EVIL)

    assert.deepEqual(first, [EVIL, WEB_VIEW])
    assert.equal(within.length, 20)
    assert.ok(within.every(({ origin }) => origin.length <= 200))
    assert.equal(linesOf(service).length, 21)
  })

  for (const [why, method, url, headers] of [
    ['an allowed origin', 'OPTIONS', '/api/v1/me', { ...preflight, origin: APP }],
    ['our own page', 'POST', LOGIN, { origin: 'https://shop.example.com' }],
    ['our own page', 'POST', LOGIN, { origin: EVIL, 'sec-fetch-site': 'same-origin' }],
    ['a link on a foreign page', 'GET', '/reset', { 'sec-fetch-site': 'cross-site' }],
    ['no browser', 'POST', LOGIN, {}],
  ] as const) {
    test(`has no line for ${why}: ${JSON.stringify(headers)}`, async () => {
      await using service = await startService({
        PUBLIC_URL: 'https://shop.example.com',
        CORS_ORIGINS: APP,
      })

      await service.request(method, url, { headers })

      assert.deepEqual(linesOf(service), [])
    })
  }
})

describe('what a foreign page sends', () => {
  const headers = { 'sec-fetch-site': 'cross-site', origin: EVIL }

  test('locks nobody: wrong passwords from 60 visitors do not count', async () => {
    await using service = await startService()
    const ann = await service.addUser(WRONG.username)

    for (const _ of times(60))
      assertProblem(
        await service.request('POST', LOGIN, { form: WRONG, headers }),
        'cross_site_request',
      )

    await service.logIn(ann.email)
  })

  test('takes nothing from its visitor: not a place of ten sign-ups, not a mail', async () => {
    await using service = await startService()
    const ip = '192.0.2.7'
    const body = { email: 'ann@example.com', password: PASSWORD }

    for (const _ of times(20))
      assertProblem(await service.post(SIGN_UP, body, { ip, headers }), 'cross_site_request')

    assert.equal((await service.post(SIGN_UP, body, { ip })).status, 201)
    assert.equal(await service.deliverMail(), 1)
  })

  test('is refused before its body comes', async () => {
    await using service = await startService()
    const base = await service.listen()
    const form = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '999' }

    const { answers } = await sendRaw(base, requestText(`POST ${LOGIN}`, { ...form, Origin: EVIL }))

    assert.ok(answers[0])
    assertProblem(answers[0], 'cross_site_request')
  })
})
