import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  assertCleared,
  assertNoCookie,
  fromBrowser,
  keptBy,
  logInToCookie,
  OWN_PAGE,
  PLAIN_COOKIE,
  refreshInBrowser,
  SHOP,
  SHOP_COOKIE,
} from '../support/cookies.ts'
import { deleteMe } from '../support/deletions.ts'
import { assertProblem } from '../support/problem.ts'
import { requestText, sendRaw } from '../support/raw.ts'
import { NEW_PASSWORD, reset, tokenFor } from '../support/resets.ts'
import { type Answer, PASSWORD, type Service, startService } from '../support/service.ts'
import { isLive, LOGIN, LOGOUT, REFRESH, SESSIONS, type Tokens } from '../support/sessions.ts'

// Refresh tokens in cookies, as an attacker sees them: a browser adds a cookie to requests of any page
// of the site, whoever wrote the page.

const SIBLING = 'https://app.example.com'
const OTHER_SITE = 'https://partner.example'
const EVIL = 'https://evil.example'
const JSON_TYPE = { 'content-type': 'application/json' }
const WITH_COOKIE = [LOGIN, REFRESH, LOGOUT]

const unprefixed = (url: string) => url.replace('/api/v1', '')

describe('a request with the cookie', () => {
  let service: Service
  let ann: Tokens & { email: string }
  before(async () => {
    service = await startService({
      ...SHOP,
      CORS_ORIGINS: `${SIBLING},${OTHER_SITE}`,
      TRUSTED_PROXIES: '10.0.0.0/8',
    })
  })
  beforeEach(async () => void (ann = await service.addUser()))
  after(() => service[Symbol.asyncDispose]())

  /** What a page can have sent to each route, in both spellings of the URL, with the cookie of its visitor. */
  async function* requestsOf(page: Record<string, string>): AsyncGenerator<Answer> {
    const headers = { host: 'shop.internal:8000', ...page }
    for (const [url, body] of [
      [REFRESH, undefined],
      [REFRESH, '{"cookie":true}'],
      [REFRESH, JSON.stringify({ refresh_token: ann.refresh, cookie: true })],
      [LOGOUT, undefined],
      [LOGIN, JSON.stringify({ email: ann.email, password: PASSWORD, cookie: true })],
    ] as const) {
      const type = body === undefined ? {} : JSON_TYPE
      for (const spelling of [url, unprefixed(url)])
        yield fromBrowser(service, spelling, ann.refresh, {
          body,
          headers: { ...type, ...headers },
        })
    }
  }

  for (const [why, page] of [
    ['another site', { 'sec-fetch-site': 'cross-site', origin: EVIL }],
    ['another site, without an Origin', { 'sec-fetch-site': 'cross-site' }],
    [
      'another site that claims our Origin',
      { 'sec-fetch-site': 'cross-site', origin: SHOP.PUBLIC_URL },
    ],
    ['a sibling host', { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' }],
    ['a sibling host, without an Origin', { 'sec-fetch-site': 'same-site' }],
    [
      'a sibling host that claims our Origin',
      { 'sec-fetch-site': 'same-site', origin: SHOP.PUBLIC_URL },
    ],
    ['a sandboxed frame', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
    ['a sandboxed frame, in an old browser', { origin: 'null' }],
    ['no page', { 'sec-fetch-site': 'none' }],
    ['no page, but our Origin', { 'sec-fetch-site': 'none', origin: SHOP.PUBLIC_URL }],
    ['no page, but an allowed Origin', { 'sec-fetch-site': 'none', origin: SIBLING }],
    ['no browser', {}],
    ['two sites', { 'sec-fetch-site': 'same-origin, cross-site', origin: SIBLING }],
    ['an allowed origin of another site', { 'sec-fetch-site': 'cross-site', origin: OTHER_SITE }],
    ['two origins, one of them allowed', { origin: `${SIBLING}, ${EVIL}` }],
    ['an allowed host by http', { origin: 'http://app.example.com' }],
    ['an allowed host at another port', { origin: `${SIBLING}:444` }],
    ['our host by http, which anybody on the way can write', { origin: 'http://shop.example.com' }],
    ['the asked host by http', { origin: 'http://shop.internal:8000' }],
    ['our host at another port', { origin: `${SHOP.PUBLIC_URL}:8443` }],
    ['a host that begins with ours', { origin: `${SHOP.PUBLIC_URL}.evil.example` }],
  ] as const) {
    test(`403 cross_site_request from ${why}: the session is neither renewed nor ended nor replaced`, async () => {
      for await (const answer of requestsOf(page)) {
        assertProblem(answer, 'cross_site_request')
        assertNoCookie(answer)
      }
      assert.match(keptBy(await refreshInBrowser(service, ann.refresh)).refresh, /\.1\./)
    })
  }

  for (const [why, page] of [
    ['our own page', { 'sec-fetch-site': 'same-origin', origin: SHOP.PUBLIC_URL }],
    ['our own page under no-referrer', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    [
      'our own page at another address',
      { 'sec-fetch-site': 'same-origin', origin: 'https://127.0.0.1' },
    ],
    ['our own page, in an old browser', { origin: SHOP.PUBLIC_URL }],
    ['the host that it asks, in an old browser', { origin: 'https://shop.internal:8000' }],
    [
      'the host that a trusted proxy was asked for, in an old browser',
      { 'x-forwarded-host': 'www.example.com', origin: 'https://www.example.com' },
    ],
    ['an allowed sibling', { 'sec-fetch-site': 'same-site', origin: SIBLING }],
    ['an allowed sibling, in an old browser', { origin: SIBLING }],
  ] as const) {
    test(`2xx from ${why}`, async () => {
      for await (const { status, text } of requestsOf(page)) assert.ok(status < 300, text)
    })
  }

  for (const [why, headers, body] of [
    ['text', { 'content-type': 'text/plain' }, '{"cookie":true}'],
    ['a form with files', { 'content-type': 'multipart/form-data; boundary=x' }, '--x--'],
    ['a blob of no type', { 'content-type': '' }, '{"cookie":true}'],
  ] as const) {
    test(`415 for ${why}, which needs no preflight, even from our own page`, async () => {
      for (const url of WITH_COOKIE) {
        const sent = { body, headers: { ...OWN_PAGE, ...headers } }
        const answer = await fromBrowser(service, url, ann.refresh, sent)
        assertProblem(answer, 'unsupported_media_type')
        assertNoCookie(answer)
      }
      assert.ok(await isLive(service, ann))
    })
  }

  test('405 for GET, which a link, an image or a prefetch sends', async () => {
    const headers = { cookie: `${SHOP_COOKIE}=${ann.refresh}`, ...OWN_PAGE }

    for (const url of WITH_COOKIE.flatMap((one) => [one, unprefixed(one)])) {
      for (const method of ['GET', 'HEAD'])
        assert.equal((await service.request(method, url, { headers })).status, 405)
    }

    assert.ok(await isLive(service, ann))
  })

  test('401 at every route that needs an access token: the cookie authorizes none', async () => {
    const headers = { cookie: `${SHOP_COOKIE}=${ann.refresh}`, ...OWN_PAGE }
    const guarded = service.app.routes.filter(({ config }) => config?.access !== undefined)

    assert.ok(guarded.length > 50)
    for (const { method, url } of guarded) {
      const answer = await service.request(String(method), url.replace(':id', '1'), { headers })
      assert.equal(answer.status, 401, url)
      assertNoCookie(answer)
    }
    assert.ok(await isLive(service, ann))
  })

  test('401 for two of a name in two headers, which is as bad as in one', async () => {
    const base = await service.listen()
    const cookie = `Cookie: ${SHOP_COOKIE}=${ann.refresh}`
    const head = { 'Sec-Fetch-Site': 'same-origin', 'Content-Length': '0' }

    const text = requestText(`POST ${REFRESH}`, head).replace(
      '\r\n\r\n',
      `\r\n${cookie}\r\n${cookie}\r\n\r\n`,
    )
    const { answers } = await sendRaw(base, text)

    assert.ok(answers[0])
    assertProblem(answers[0], 'invalid_token')
    assertCleared(answers[0])
    assert.ok(await isLive(service, ann))
  })

  test('is read under one name only, which no sibling host can set', async () => {
    for (const name of [
      PLAIN_COOKIE,
      `__Secure-${PLAIN_COOKIE}`,
      SHOP_COOKIE.toLowerCase(),
      `\u00A0${SHOP_COOKIE}`,
      `"${SHOP_COOKIE}"`,
      `$Version=1,${SHOP_COOKIE}`,
      `=${SHOP_COOKIE}`,
      'refresh_token',
    ]) {
      const body = { cookie: true }
      const answer = await fromBrowser(service, REFRESH, ann.refresh, { name, body })
      assertProblem(answer, 'authentication_required')
      const loggedOut = await fromBrowser(service, LOGOUT, ann.refresh, { name })
      assertProblem(loggedOut, 'authentication_required')
    }
    assert.ok(await isLive(service, ann))
  })
})

describe('the cookie behind a proxy and on a laptop', () => {
  for (const [why, settings, name, headers] of [
    ['https by PUBLIC_URL, http to the service', SHOP, SHOP_COOKIE, {}],
    [
      'https by PUBLIC_URL with a path',
      { PUBLIC_URL: 'https://example.com/shop' },
      SHOP_COOKIE,
      {},
    ],
    [
      'http by PUBLIC_URL, https by a header that anybody can send',
      { TRUSTED_PROXIES: '10.0.0.0/8' },
      PLAIN_COOKIE,
      { 'x-forwarded-proto': 'https' },
    ],
  ] as const) {
    test(`is named and secured by PUBLIC_URL, not by the connection: ${why}`, async () => {
      await using service = await startService(settings)
      const { email } = await service.addUser()
      const body = { email, password: PASSWORD, cookie: true }

      const answer = await service.post(LOGIN, body, { headers: { ...OWN_PAGE, ...headers } })

      keptBy(answer, name)
    })
  }

  for (const host of ['localhost:8000', '127.0.0.1:8000', '[::1]:8000', '192.168.1.20:8000']) {
    for (const [why, fetchSite] of [
      ['', { 'sec-fetch-site': 'same-origin' }],
      [', where the browser tells only the Origin', {}],
    ] as const) {
      test(`works without settings for a browser at ${host}${why}`, async () => {
        await using service = await startService()
        const { refresh } = await service.addUser()
        const headers = { host, origin: `http://${host}`, ...fetchSite }

        const answer = await fromBrowser(service, REFRESH, refresh, { name: PLAIN_COOKIE, headers })
        const next = keptBy(answer, PLAIN_COOKIE).refresh
        const other = { ...headers, origin: 'http://localhost:3000' }
        const refused = await fromBrowser(service, LOGOUT, next, {
          name: PLAIN_COOKIE,
          headers: { ...other, ...(why === '' ? { 'sec-fetch-site': 'same-site' } : {}) },
        })

        assertProblem(refused, 'cross_site_request')
      })
    }
  }
})

describe('CORS with credentials', () => {
  let service: Service
  before(async () => {
    service = await startService({ ...SHOP, CORS_ORIGINS: `${SIBLING},${OTHER_SITE}` })
    await service.app.ready()
  })
  after(() => service[Symbol.asyncDispose]())

  /** Whether a page may send cookies to a URL, and whether it may read the answer to that. */
  async function allows(url: string, headers: Record<string, string>): Promise<boolean[]> {
    const asked = { ...headers, 'access-control-request-method': 'POST' }
    const answers = [
      await service.request('OPTIONS', url, { headers: asked }),
      await service.request('POST', url, { headers }),
    ]
    return answers.map((answer) => {
      const value = answer.headers['access-control-allow-credentials']
      if (value !== undefined) assert.equal(value, 'true')
      if (value !== undefined)
        assert.equal(answer.headers['access-control-allow-origin'], headers['origin'])
      return value !== undefined
    })
  }

  test('is allowed on three routes in both spellings, and nowhere else', async () => {
    const urls = new Set(service.app.routes.map(({ url }) => url.replace(':id', '1')))
    const allowed: string[] = []

    for (const url of urls) {
      const [preflight, answer] = await allows(url, {
        origin: SIBLING,
        'sec-fetch-site': 'same-site',
      })
      assert.equal(preflight, answer, url)
      if (answer) allowed.push(url)
    }

    const expected = WITH_COOKIE.flatMap((url) => [url, unprefixed(url)])
    assert.deepEqual(allowed.toSorted(), expected.toSorted())
  })

  for (const [expected, why, headers] of [
    [true, 'an allowed sibling in an old browser', { origin: SIBLING }],
    [
      false,
      'an allowed origin of another site',
      { origin: OTHER_SITE, 'sec-fetch-site': 'cross-site' },
    ],
    [false, 'another site', { origin: EVIL, 'sec-fetch-site': 'cross-site' }],
    [false, 'another site in an old browser', { origin: EVIL }],
    [
      false,
      'a sibling that is not allowed',
      { origin: 'https://blog.example.com', 'sec-fetch-site': 'same-site' },
    ],
    [false, 'a frame without an origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    [false, 'no page', {}],
    [false, 'an allowed host in capitals', { origin: 'https://APP.example.com' }],
  ] as const) {
    test(`is ${expected ? '' : 'not '}allowed to ${why}`, async () => {
      for (const url of WITH_COOKIE.flatMap((one) => [one, unprefixed(one)]))
        assert.deepEqual(await allows(url, headers), [expected, expected], url)
    })
  }

  test('is not allowed at what only looks like one of these routes', async () => {
    const headers = { origin: SIBLING, 'sec-fetch-site': 'same-site' }
    for (const url of [
      `${REFRESH}/`,
      `${REFRESH}/x`,
      '/API/v1/auth/refresh',
      '/x/auth/refresh',
      '/auth//refresh',
      `/health?${REFRESH}`,
      `//evil.example${REFRESH}`,
    ])
      assert.deepEqual(await allows(url, headers), [false, false], url)
  })

  test('is nobody’s without CORS_ORIGINS', async () => {
    await using alone = await startService(SHOP)
    const answer = await fromBrowser(alone, REFRESH, 'garbage', {
      headers: { 'sec-fetch-site': 'same-origin', origin: SHOP.PUBLIC_URL },
    })

    assertProblem(answer, 'invalid_token')
    assert.equal(answer.headers['access-control-allow-credentials'], undefined)
  })
})

describe('401, and the cookie stays, since a login may have replaced it meanwhile, after', () => {
  for (const [why, end] of [
    ['a log-out elsewhere', (service, ann) => service.post(LOGOUT, { refresh_token: ann.refresh })],
    [
      'the end of the session in the list of another',
      async (service, ann) => {
        const { access: token } = await service.logIn(ann.email)
        return service.delete(SESSIONS, { token })
      },
    ],
    [
      'a reset of the password',
      async (service, ann) => reset(service, await tokenFor(service, ann.email)),
    ],
    [
      'a change of the password elsewhere',
      async (service, ann) => {
        const { access: token } = await service.logIn(ann.email)
        const body = { current_password: PASSWORD, new_password: NEW_PASSWORD }
        return service.post('/api/v1/me/password', body, { token })
      },
    ],
    ['the deletion of the account', (service, ann) => deleteMe(service, ann)],
    [
      'the end of the account by an admin',
      async (service, ann) => {
        const { access: token } = await service.addAdmin()
        return service.patch(`/api/v1/users/${ann.id}`, { disabled: true }, { token })
      },
    ],
  ] satisfies [
    string,
    (service: Service, ann: Awaited<ReturnType<Service['addUser']>>) => Promise<Answer>,
  ][]) {
    test(why, async () => {
      await using service = await startService(SHOP)
      const ann = await service.addUser()
      const { refresh } = await logInToCookie(service, ann.email)
      const ended = await end(service, { ...ann, refresh })
      assert.ok(ended.status < 300, ended.text)

      const answer = await refreshInBrowser(service, refresh)

      assertProblem(answer, 'invalid_token')
      assertNoCookie(answer)
    })
  }
})

test('a login beside a refresh of the session that it replaces leaves its own cookie', async () => {
  await using service = await startService(SHOP)
  const { email } = await service.addUser()
  const before = await logInToCookie(service, email)

  const after = await logInToCookie(service, email, before.refresh)
  const late = await refreshInBrowser(service, before.refresh)

  assertProblem(late, 'invalid_token')
  assertNoCookie(late)
  keptBy(await refreshInBrowser(service, after.refresh))
})

test('no other route gives out a refresh token, nor sets a cookie', async () => {
  await using service = await startService(SHOP)
  await service.app.ready()

  const marked = service.app.routes.filter(({ config }) => config?.refreshCookie === true)
  const giving = service.app.routes.filter(({ schema }) =>
    JSON.stringify(schema?.response ?? {}).includes('"refresh_token"'),
  )

  const urls = (routes: typeof marked) => new Set(routes.map(({ url }) => url))
  assert.deepEqual(urls(marked), new Set(WITH_COOKIE.flatMap((url) => [url, unprefixed(url)])))
  assert.deepEqual(urls(giving), new Set([LOGIN, REFRESH].flatMap((url) => [url, unprefixed(url)])))
})
