import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import type { Client } from '../../client/index.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { LAUNCH, missingBrowser, PATIENCE_MS } from '../support/browser.ts'
import { temporaryFolder } from '../support/process.ts'
import { PASSWORD } from '../support/service.ts'
import { startShop } from '../support/shop.ts'

const TABS = 20

/** In the page. */
declare const client: Client

test(
  `${TABS} tabs of a browser with one cookie make one refresh, and a script sees no refresh token`,
  { skip: missingBrowser },
  async () => {
    await using shop = await startShop()
    using folder = temporaryFolder()
    const { email } = await shop.addUser()
    const browser = await chromium.launchPersistentContext(join(folder.path, 'profile'), LAUNCH)
    try {
      const page = `${shop.baseUrl}/app`
      const body = await pageWithClient()
      await browser.route(page, (route) => route.fulfill({ contentType: 'text/html', body }))
      const tabs = await openTabs(browser, page)
      const first = tabs[0] as Page
      const all = <T>(what: () => Promise<T>) => Promise.all(tabs.map((tab) => tab.evaluate(what)))

      const credentials = { email, password: PASSWORD }
      await first.evaluate((given) => client.logIn(given), credentials)
      // The others have heard of it, or ask.
      await all(() => client.restore())
      assert.equal(await first.evaluate('document.cookie'), '')
      const before = shop.refreshTokens.length
      for (const round of [1, 2]) {
        shop.advance(31 * MINUTE_MS)
        const found = await all(async () => (await client.GET('/me')).data?.email)
        assert.deepEqual(new Set(found), new Set([email]))
        assert.equal(shop.refreshTokens.length, before + round)
      }
      assert.equal(new Set(shop.refreshTokens).size, shop.refreshTokens.length)

      await first.reload()
      await first.evaluate(() => client.restore())
      assert.equal(await first.evaluate(() => client.signedIn), true)

      await first.evaluate(() => client.logOut())
      for (const tab of tabs) await tab.waitForFunction(() => !client.signedIn)
    } finally {
      await browser.close()
    }
  },
)

test(
  'a sandboxed page, which may take no Web Lock, takes turns by itself',
  { skip: missingBrowser },
  async () => {
    await using shop = await startShop()
    const browser = await chromium.launch(LAUNCH)
    try {
      const page = await browser.newPage()
      const [url, body] = [`${shop.baseUrl}/app`, await pageWithClient()]
      const headers = { 'content-security-policy': 'sandbox allow-scripts' }
      await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body, headers }))
      await page.goto(url, { timeout: PATIENCE_MS })

      const errors = page.evaluate(async () => {
        const outcomes = [
          client.restore(),
          client.logIn({ email: 'ann@example.com', password: '' }),
        ]
        return (await Promise.all(outcomes)).map(({ error }) => error?.code)
      })

      // Its origin is none that the service knows.
      assert.deepEqual(await errors, ['unreachable', 'unreachable'])
    } finally {
      await browser.close()
    }
  },
)

async function pageWithClient(): Promise<string> {
  const bundle = await rolldown({ input: 'client/index.ts', platform: 'browser' })
  const { output } = await bundle.generate({ format: 'iife', name: 'library' })
  await bundle.close()
  const start = "globalThis.client = library.createClient({ baseUrl: '', cookie: true })"
  return `<!doctype html><title>Shop</title><script>${output[0].code}\n${start}</script>`
}

function openTabs(browser: BrowserContext, url: string): Promise<Page[]> {
  return Promise.all(
    Array.from({ length: TABS }, async () => {
      const page = await browser.newPage()
      page.setDefaultTimeout(PATIENCE_MS)
      await page.goto(url, { timeout: PATIENCE_MS })
      return page
    }),
  )
}
