import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { escapeHtml } from '../../server/messages/layout.ts'
import { LAUNCH, missingBrowser, PATIENCE_MS } from '../support/browser.ts'
import { PLAIN_COOKIE, SHOP_COOKIE } from '../support/cookies.ts'
import { answer, startHttpServer } from '../support/http-server.ts'
import { type Program, runProgram, startProgram, temporaryFolder } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'
import { LOGIN, LOGOUT, REFRESH } from '../support/sessions.ts'
import { until } from '../support/until.ts'

const EMAIL = 'boss@example.com'
const CREDENTIALS = { email: EMAIL, password: PASSWORD }
const PAGE = answer(200, '<!doctype html><title>App</title>', { 'content-type': 'text/html' })

interface Sent {
  readonly method?: string
  readonly credentials?: 'include' | 'omit'
  readonly mode?: 'no-cors'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const asJson = (body: object): Sent => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

/** What a page is told of the answer; status 0 for nothing. */
function send(page: Page, url: string, sent: Sent = {}): Promise<{ status: number; body: any }> {
  return page.evaluate(
    async ([to, init]) => {
      try {
        const response = await fetch(to, { method: 'POST', credentials: 'include', ...init })
        const text = await response.text()
        return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
      } catch {
        return { status: 0, body: undefined }
      }
    },
    [url, sent] as const,
  )
}

/** Sends all that a page can without the permission of CORS, or by asking for it: seven times POST. */
async function attack(page: Page, url: string): Promise<void> {
  await send(page, url)
  // Only asked for.
  await send(page, url, asJson({ cookie: true }))
  await send(page, url, { mode: 'no-cors' })
  await send(page, url, { mode: 'no-cors', body: '{"cookie":true}' })
  for (const html of [
    `<form method=post action="${url}"></form><script>document.forms[0].submit()</script>`,
    `<script>fetch("${url}", { method: "POST", mode: "no-cors", credentials: "include" })</script>`,
  ]) {
    // In the sandbox, the frame has an origin of its own: `null`.
    for (const sandbox of ['sandbox="allow-scripts allow-forms"', '']) {
      const frame = JSON.stringify(`<iframe ${sandbox} srcdoc="${escapeHtml(html)}"></iframe>`)
      await page.evaluate(`document.body.insertAdjacentHTML('beforeend', ${frame})`)
    }
  }
}
const POSTS = 7

/** The statuses of a route so far, by the log. */
const statusesOf = (program: Program, route: string): number[] =>
  program
    .stdout()
    .split('\n')
    .filter((line) => line.includes(`"method":"POST"`) && line.includes(`"route":"${route}"`))
    .map((line) => JSON.parse(line).status)

async function cookieIn(context: BrowserContext) {
  const [cookie, ...more] = await context.cookies()
  assert.deepEqual(more, [])
  return cookie
}

for (const [scheme, name] of [
  ['http', PLAIN_COOKIE],
  // Browsers trust localhost as they trust https.
  ['https', SHOP_COOKIE],
] as const) {
  test(
    `a browser keeps the session from page to page, and no foreign page uses it, by ${scheme}`,
    { skip: missingBrowser },
    async () => {
      using folder = temporaryFolder()
      await using app = await startHttpServer(PAGE)
      await using foreign = await startHttpServer(PAGE)
      const [sibling, otherSite] = [
        `http://localhost:${new URL(app.url).port}`,
        app.url.slice(0, -1),
      ]
      const env = {
        ...SETTINGS,
        DATABASE_URL: `sqlite:///${folder.path}/app.db`,
        PORT: '0',
        PUBLIC_URL: `${scheme}://localhost:8000`,
        CORS_ORIGINS: `${sibling},${otherSite}`,
        RATE_LIMIT: 'off',
      }
      const made = await runProgram(['users', 'create', EMAIL, '--role', 'admin'], {
        env,
        input: PASSWORD,
      })
      assert.equal(made.exitCode, 0, made.stderr)
      await using program = startProgram({ env })
      const url = (await program.url()).replace('127.0.0.1', 'localhost')
      const context = await chromium.launchPersistentContext(join(folder.path, 'profile'), LAUNCH)
      try {
        const open = async (address: string) => {
          const page = await context.newPage()
          page.setDefaultTimeout(PATIENCE_MS)
          await page.goto(address)
          return page
        }
        const own = await open(`${url}/reset`)

        const loggedIn = await send(own, url + LOGIN, asJson({ ...CREDENTIALS, cookie: true }))
        assert.equal(loggedIn.status, 200)
        assert.equal('refresh_token' in loggedIn.body, false)
        assert.equal(await own.evaluate('document.cookie'), '')
        const cookie = await cookieIn(context)
        const { httpOnly, secure, sameSite } = cookie ?? {}
        assert.deepEqual(
          [cookie?.name, httpOnly, secure, sameSite],
          [name, true, scheme === 'https', 'Strict'],
        )

        for (const address of [
          foreign.url.replace('127.0.0.1', 'localhost'),
          foreign.url,
          otherSite,
        ]) {
          const page = await open(address)
          for (const route of [REFRESH, LOGOUT]) {
            const before = statusesOf(program, route).length
            await attack(page, url + route)
            const statuses = () => statusesOf(program, route).slice(before)
            await until(`${POSTS} answers: ${address}`, () => statuses().length === POSTS)
            assert.ok(
              statuses().every((status) => status >= 400),
              `${address} ${statuses().join(' ')}`,
            )
          }
          await page.close()
        }
        assert.equal((await cookieIn(context))?.value, cookie?.value)

        await own.reload()
        const renewed = await send(own, url + REFRESH)
        assert.equal(renewed.status, 200)
        assert.match((await cookieIn(context))?.value ?? '', /\.1\./)

        const elsewhere = await open(otherSite)
        const intoCookie = asJson({ ...CREDENTIALS, cookie: true })
        const refused = await send(elsewhere, url + LOGIN, { ...intoCookie, credentials: 'omit' })
        assert.deepEqual([refused.status, refused.body.code], [403, 'cross_site_request'])
        const alone = { ...asJson(CREDENTIALS), credentials: 'omit' } as const
        const inBody = await send(elsewhere, url + LOGIN, alone)
        assert.equal(typeof inBody.body.refresh_token, 'string')

        const page = await open(sibling)
        const intoNew = asJson({ cookie: true })
        const without = await send(page, url + REFRESH, { ...intoNew, credentials: 'omit' })
        assert.equal(without.status, 401)
        const token = (await send(page, url + REFRESH, intoNew)).body.access_token
        assert.match((await cookieIn(context))?.value ?? '', /\.2\./)
        const me = `${url}/api/v1/me`
        const headers = { authorization: `Bearer ${token}` }
        const read = { method: 'GET', credentials: 'omit', headers } as const
        assert.equal((await send(page, me, read)).body.email, EMAIL)
        // CORS allows no credentials there.
        assert.equal((await send(page, me, { method: 'GET', headers })).status, 0)
        assert.equal((await send(page, url + LOGOUT)).status, 204)
        assert.equal(await cookieIn(context), undefined)
        assert.equal((await send(page, me, read)).status, 401)
      } finally {
        await context.close()
      }
    },
  )
}
