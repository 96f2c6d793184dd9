import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { LAUNCH, missingBrowser, PATIENCE_MS, tryListOfUsers, watch } from '../support/browser.ts'
import { type Caddy, reserveCaddy, startCaddy } from '../support/caddy.ts'
import { freePort } from '../support/cluster.ts'
import { answer, startHttpServer } from '../support/http-server.ts'
import { assertProblem } from '../support/problem.ts'
import { absent } from '../support/programs.ts'
import { turns } from '../support/races.ts'
import { seedEvents } from '../support/seed.ts'
import { PASSWORD, type Service, startService } from '../support/service.ts'
import { heading, signIn } from '../support/web-app.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const LOGIN = '/api/v1/auth/login'
const CLIENT = '127.0.0.2'
const skip = absent('caddy')

describe('behind deploy/caddy/Caddyfile', { skip }, () => {
  let service: Service
  let caddy: Caddy
  before(async () => {
    const place = await reserveCaddy()
    service = await startService({
      PUBLIC_URL: place.origin,
      TRUSTED_PROXIES: '127.0.0.1/32',
      RATE_LIMIT: 'off',
    })
    const upstream = new URL(await service.listen()).host
    caddy = await startCaddy('Caddyfile', place, { '127.0.0.1:8000': upstream })
  })
  after(async () => {
    await caddy[Symbol.asyncDispose]()
    await service[Symbol.asyncDispose]()
  })

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  for (const [protocol, name, open] of [
    ['HTTP/1.1', 'ask', { 'transfer-encoding': 'chunked' }],
    // Here each request is open until its last frame.
    ['HTTP/2', 'askHttp2', {}],
  ] as const) {
    const post = (path: string, body: object, headers = {}) =>
      caddy[name]('POST', `/api/v1/auth/${path}`, {
        body: JSON.stringify(body),
        headers: { ...JSON_TYPE, ...headers },
      })

    test(`a customer signs up, verifies, logs in from our page, and logs out: ${protocol}`, async () => {
      const ann = { email: `ann.${name}@example.com`, password: PASSWORD }

      const signedUp = await post('signup', ann)
      const code = await service.codeFor(ann.email)
      const verified = await post('verify', { email: ann.email, code })
      const loggedIn = await post('login', ann, { origin: caddy.origin })
      const headers = bearer(loggedIn.body.access_token)
      const me = await caddy[name]('GET', '/api/v1/me', { headers })
      const left = await caddy[name]('POST', '/api/v1/auth/logout', { headers })

      const answers = [signedUp, verified, loggedIn, me, left]
      assert.deepEqual(
        answers.map(({ status }) => status),
        [201, 200, 200, 200, 204],
      )
      assert.equal(me.body.email, ann.email)
      assert.match(me.headers['strict-transport-security'] ?? '', /^max-age=/)
    })

    test(`a request without a body is one, also where its end comes later: ${protocol}`, async () => {
      const { access } = await service.addUser()
      const headers = { ...bearer(access), ...open }
      for (const [method, path, status] of [
        ['GET', '/api/v1/me', 200],
        ['DELETE', '/api/v1/me/sessions', 204],
        ['DELETE', '/api/v1/me/phone', 204],
        ['POST', '/api/v1/auth/logout', 204],
      ] as const) {
        const { status: found, text } = await caddy[name](method, path, { headers })
        assert.equal(found, status, `${method} ${path}: ${text}`)
      }
    })

    test(`HEAD has the headers of GET: ${protocol}`, async () => {
      for (const path of ['/health', '/reset', '/openapi.json', '/docs/static/docs.js']) {
        const get = await caddy.ask('GET', path)
        const head = await caddy[name]('HEAD', path)

        assert.deepEqual([head.status, head.text], [200, ''])
        assert.equal(head.headers['content-length'], String(Buffer.byteLength(get.text)))
      }
    })

    test(`an export arrives whole, and in chunks: ${protocol}`, async () => {
      const ann = await service.addUser()
      await seedEvents(service.ctx, { userId: ann.id, count: 3000 })

      const { body, headers } = await caddy[name]('GET', '/api/v1/me/export', {
        headers: bearer(ann.access),
      })

      assert.ok(body.events.length >= 3000)
      assert.equal(headers['content-length'], undefined)
    })

    test(`15 kB of headers arrive, and 17 KiB are refused by the service: ${protocol}`, async () => {
      const fits = await caddy[name]('GET', '/api/v1/me', { headers: bearer('x'.repeat(15_000)) })
      const over = await caddy[name]('GET', '/api/v1/me', { headers: bearer('x'.repeat(17_408)) })

      assertProblem(fits, 'invalid_token')
      assertProblem(over, 'headers_too_large')
    })
  }

  test('the client has the address from which it came, whatever it claims', async () => {
    const { email } = await service.addUser()
    const spoofed = {
      'x-forwarded-for': '1.1.1.1',
      'x-real-ip': '1.1.1.1',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'for=1.1.1.1;host=evil.example;proto=http',
    }
    const logIn = (headers: Record<string, string>) =>
      caddy.ask('POST', LOGIN, {
        headers: { ...JSON_TYPE, ...headers },
        body: JSON.stringify({ email, password: PASSWORD }),
        from: CLIENT,
      })

    const loggedIn = await logIn(spoofed)
    const asForeignPage = await logIn({ ...spoofed, origin: 'https://evil.example' })

    const token = loggedIn.body.access_token
    const sessions = await service.get('/api/v1/me/sessions', { token })
    const session = sessions.body.find(({ current }: { current: boolean }) => current)
    assert.equal(session.ip, CLIENT)
    assertProblem(asForeignPage, 'cross_site_request')
    assert.ok(service.logged.every((line) => !line.includes('TRUSTED_PROXIES')))
    assert.ok(service.logged.every((line) => !line.includes('1.1.1.1')))
  })

  test('a body that is too large is refused by the service', async () => {
    const body = JSON.stringify({ email: 'x'.repeat(20_000), password: PASSWORD })

    assertProblem(await caddy.ask('POST', LOGIN, { headers: JSON_TYPE, body }), 'body_too_large')
  })
})

test('a request that comes while the service restarts waits for it', { skip }, async () => {
  const [place, port] = [await reserveCaddy(), await freePort()]
  await using service = await startService({ PUBLIC_URL: place.origin })
  const { access } = await service.addUser()
  await using caddy = await startCaddy('Caddyfile', place, {
    '127.0.0.1:8000': `127.0.0.1:${port}`,
  })
  let isAnswered = false
  const headers = { authorization: `Bearer ${access}` }
  const asked = caddy.ask('GET', '/api/v1/me', { headers })
  void asked.then(() => (isAnswered = true))
  await turns(100)
  const before = isAnswered

  await service.app.listen({ host: '127.0.0.1', port })

  assert.deepEqual([before, (await asked).status], [false, 200])
})

describe('behind deploy/caddy/below-a-path.Caddyfile', { skip: skip || missingBrowser }, () => {
  const ADMIN = 'boss@example.com'
  let service: Service
  let shop: Awaited<ReturnType<typeof startHttpServer>>
  let caddy: Caddy
  let url: string
  let browser: Browser
  before(async () => {
    const place = await reserveCaddy()
    url = `${place.origin}/accounts`
    // Without TRUSTED_PROXIES, which is to be noticed.
    service = await startService({ PUBLIC_URL: url })
    await service.addAdmin(ADMIN)
    shop = await startHttpServer(answer(200, 'The shop.'))
    caddy = await startCaddy('below-a-path.Caddyfile', place, {
      '127.0.0.1:8000': new URL(await service.listen()).host,
      '127.0.0.1:3000': shop.host,
    })
    browser = await chromium.launch(LAUNCH)
  })
  after(async () => {
    await browser.close()
    await caddy[Symbol.asyncDispose]()
    await shop[Symbol.asyncDispose]()
    await service[Symbol.asyncDispose]()
  })

  async function openPage(): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ ignoreHTTPSErrors: true, locale: 'en-GB' })
    page.setDefaultTimeout(PATIENCE_MS)
    return { page, complaints: watch(page, new URL(url).origin) }
  }

  for (const start of ['', '/']) {
    test(`a person finds the documentation from PUBLIC_URL${start}`, async () => {
      const { page, complaints } = await openPage()

      await page.goto(url + start)
      await page.getByRole('link', { name: 'API documentation' }).click()
      await page.waitForURL(`${url}/docs`)

      // The page asks whether somebody is signed in, and the browser reports the answer.
      const others = complaints.filter((text) => !/status of 401/.test(text))
      assert.deepEqual(others, [])
      await page.close()
    })
  }

  test('an admin authorizes in Swagger UI and lists the users', async () => {
    const { page, complaints } = await openPage()
    const login = { docs: `${url}/docs`, email: ADMIN, password: PASSWORD }

    const rows = await tryListOfUsers(page, login)

    assert.match(rows, /"email": "boss@example\.com"/)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('an admin opens the console, whose files are below the path, too', async () => {
    const { page, complaints } = await openPage()
    const loaded: string[] = []
    page.on('request', (request) => {
      if (request.resourceType() !== 'document') loaded.push(request.url())
    })
    await page.goto(`${url}/console/users`)
    await signIn(page, ADMIN)
    await heading(page, 'Users')
    await page.getByText(ADMIN).first().waitFor()
    await page.reload()
    await heading(page, 'Users')

    const files = loaded.filter((file) => /\/assets\/console-[\w-]+\.(js|css)$/.test(file))
    assert.ok(files.length > 1, String(loaded))
    assert.deepEqual(
      loaded.filter((file) => !file.startsWith(`${url}/`)),
      [],
    )
    const others = complaints.filter((text) => !/status of 401/.test(text))
    assert.deepEqual(others, [])
    await page.close()
  })

  test('the link in the mail leads to the page that sets a new password', async () => {
    const { email } = await service.addUser()
    await service.post('/api/v1/auth/password/forgot', { email })
    await service.deliverMail()
    const link = /^\S+\/reset#token=\S+$/m.exec(service.mailsTo(email)[0]?.text ?? '')?.[0] ?? ''
    const { page, complaints } = await openPage()

    await page.goto(link)
    await page.getByLabel('New password').fill('a new battery for the horse')
    await page.getByRole('button', { name: 'Set password' }).click()
    await page.getByRole('heading', { name: 'Your new password is set' }).waitFor()

    assert.ok(link.startsWith(`${url}/reset#`))
    await service.logIn(email, 'a new battery for the horse')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('Link leads to the next page', async () => {
    const { access } = await service.logIn(ADMIN)
    const headers = { authorization: `Bearer ${access}` }
    const first = await caddy.ask('GET', '/accounts/api/v1/audit?limit=1', { headers })
    const next = /<([^>]+)>/.exec(first.headers['link'] ?? '')?.[1] ?? ''

    const second = await caddy.ask('GET', next, { headers })

    assert.ok(next.startsWith('/accounts/api/v1/audit?'), next)
    assert.equal(second.status, 200)
  })

  test('verifiers find the metadata at both of its URLs, and all else is the shop’s', async () => {
    const metadata = '/.well-known/oauth-authorization-server'
    const [byRfc, below, others] = [
      await caddy.ask('GET', `${metadata}/accounts`),
      await caddy.ask('GET', `/accounts${metadata}`),
      await caddy.ask('GET', '/accountsandmore'),
    ]

    assert.equal(byRfc.body.issuer, url)
    assert.deepEqual(below.body, byRfc.body)
    assert.equal(others.text, 'The shop.')
  })

  test('the log says that TRUSTED_PROXIES is missing', async () => {
    await caddy.ask('POST', `/accounts${LOGIN}`, { headers: JSON_TYPE, body: '{}' })

    const lines = service.logged.map((line) => JSON.parse(line))
    const warning = lines.find(({ msg }) => msg.includes('TRUSTED_PROXIES'))
    assert.deepEqual([warning.level, warning.ip], ['warn', '127.0.0.1'])
  })
})
