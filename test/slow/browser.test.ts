import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { LAUNCH, missingBrowser, PATIENCE_MS, tryListOfUsers, watch } from '../support/browser.ts'
import { answer, startHttpServer } from '../support/http-server.ts'
import { runProgram, startProgram, temporaryFolder } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'

const ADMIN = 'boss@example.com'

for (const prefix of ['', '/shop']) {
  const where = prefix === '' ? '' : ` behind a proxy that adds ${prefix}`
  test(
    `an admin authorizes in Swagger UI and lists the users${where}`,
    { skip: missingBrowser },
    async () => {
      using folder = temporaryFolder()
      const env = { ...SETTINGS, DATABASE_URL: `sqlite:///${folder.path}/app.db`, PORT: '0' }
      const made = await runProgram(['users', 'create', ADMIN, '--role', 'admin'], {
        env,
        input: PASSWORD,
      })
      assert.equal(made.exitCode, 0, made.stderr)
      await using program = startProgram({ env })
      const url = await program.url()
      const browser = await chromium.launchPersistentContext(join(folder.path, 'profile'), {
        ...LAUNCH,
        viewport: { width: 1280, height: 1400 },
      })
      try {
        const page = await browser.newPage()
        page.setDefaultTimeout(PATIENCE_MS)
        const complaints = watch(page, url)

        await page.route(`${url}/**`, (route) => {
          const asked = new URL(route.request().url())
          if (!asked.pathname.startsWith(`${prefix}/`)) return route.abort()
          asked.pathname = asked.pathname.slice(prefix.length)
          return route.continue({ url: asked.href })
        })
        const rows = await tryListOfUsers(page, {
          docs: `${url}${prefix}/docs`,
          email: ADMIN,
          password: PASSWORD,
        })

        assert.match(rows, /"email": "boss@example\.com"/)
        assert.match(rows, /"role": "admin"/)
        assert.deepEqual(complaints, [])
      } finally {
        await browser.close()
      }
    },
  )
}

test('a form on a foreign page, or on one without an origin, is refused', async (t) => {
  if (missingBrowser) return t.skip(missingBrowser)
  using folder = temporaryFolder()
  const env = { ...SETTINGS, DATABASE_URL: `sqlite:///${folder.path}/app.db`, PORT: '0' }
  await using program = startProgram({ env })
  const fields = `<input name=username value="${ADMIN}"><input name=password value=x>`
  const action = `${await program.url()}/auth/login`
  const form = `<form method=post action="${action}">${fields}<button>Send</button></form>`
  await using foreign = await startHttpServer(answer(200, form, { 'content-type': 'text/html' }))
  const browser = await chromium.launchPersistentContext(join(folder.path, 'profile'), LAUNCH)
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(PATIENCE_MS)

    for (const start of [
      foreign.url.replace('127.0.0.1', 'localhost'),
      `data:text/html,${encodeURIComponent(form)}`,
    ]) {
      await page.goto(start)
      await page.getByRole('button', { name: 'Send' }).click()
      await page.getByText('"code":"cross_site_request"').waitFor()
    }
  } finally {
    await browser.close()
  }
})
