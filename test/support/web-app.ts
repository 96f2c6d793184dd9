import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import axe from 'axe-core'
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core'
import { LAUNCH, PATIENCE_MS, watch } from './browser.ts'
import { type Environment, runProgram, startProgram, temporaryFolder } from './process.ts'
import { PASSWORD, SETTINGS } from './service.ts'

export const PHONE = { width: 390, height: 844 }
export const DESKTOP = { width: 1280, height: 900 }

/** A browser reports each refusal; it is the page that has to say what it means. */
export const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d/
/** More than any page has elements to go to. */
const TABS_MAX = 200

export type WebApp = Awaited<ReturnType<typeof startWebApp>>
export type OpenedPage = Awaited<ReturnType<typeof openPage>>

/** The program with a browser beside it, and an admin, boss@example.com. */
export async function startWebApp(settings: Environment = {}) {
  // A browser that does not start must not leave a server behind, which the test would wait for.
  await using started = new AsyncDisposableStack()
  const folder = started.use(temporaryFolder())
  const env = {
    ...SETTINGS,
    DATABASE_URL: `sqlite:///${folder.path}/app.db`,
    PORT: '0',
    RATE_LIMIT: 'off',
    ...settings,
  }
  const admin = 'boss@example.com'
  const made = await runProgram(['users', 'create', admin, '--role', 'admin'], {
    env,
    input: PASSWORD,
  })
  assert.equal(made.exitCode, 0, made.stderr)
  const program = started.use(startProgram({ env }))
  const url = await program.url()
  const browser = started.use(await chromium.launch(LAUNCH))
  let people = 0

  const open = (path: string, options: BrowserContextOptions = {}) =>
    openPage(browser, url + path, options)

  async function post(path: string, body: object): Promise<void> {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.ok(answer.ok, `${path}: ${answer.status}`)
  }
  const newEmail = () => `ann${++people}@example.com`
  const codeFor = async (email: string) =>
    (await program.printed(new RegExp(`code for ${email}: ([0-9]{6})`)))[1] ?? ''

  /** For what no user can do: make something old, or fail. */
  function sql(statement: string, ...values: (string | number | null)[]) {
    const path = env.DATABASE_URL.slice('sqlite:///'.length)
    using database = new DatabaseSync(path, { timeout: PATIENCE_MS })
    return database.prepare(statement).all(...values)
  }
  const idOf = (email: string) =>
    Number(sql('select id from users where email = ?', email)[0]?.['id'])

  const running = started.move()
  return {
    admin,
    browser,
    env,
    program,
    url,
    open,
    newEmail,
    codeFor,
    sql,
    idOf,
    /** In the console. */
    pageOf: (email: string) => `/console/users/${idOf(email)}`,
    /** As if the user had logged in years ago. */
    makeLoginsOld: (email: string) =>
      sql(
        'update sessions set authenticated_at = ? where user_id = ?',
        '2020-01-01T00:00:00.000Z',
        idOf(email),
      ),
    /** A verified user with PASSWORD, made without a browser. */
    async addUser(fullName?: string): Promise<string> {
      const email = newEmail()
      const named = fullName === undefined ? {} : { full_name: fullName }
      await post('/auth/signup', { email, password: PASSWORD, ...named })
      await post('/auth/verify', { email, code: await codeFor(email) })
      return email
    },
    async openAs(email: string, path: string, options: BrowserContextOptions = {}) {
      const opened = await open(path, options)
      await signIn(opened.page, email)
      return opened
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** A page with cookies of its own. What is watched is what `complaints()` tells. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const page = await browser.newPage({ locale: 'en-GB', viewport: PHONE, ...options })
  page.setDefaultTimeout(PATIENCE_MS)
  const complaints = watch(page, new URL(url).origin)
  await page.goto(url)
  return {
    page,
    complaints: () => complaints.filter((text) => !REFUSED.test(text)),
    [Symbol.asyncDispose]: () => page.close(),
  }
}

export const heading = (page: Page, name: string) =>
  page.getByRole('heading', { name, exact: true }).waitFor()
export const press = (page: Page, name: string) =>
  page.getByRole('button', { name, exact: true }).click()
export const fill = (page: Page, label: string, text: string) =>
  page.getByLabel(label, { exact: true }).fill(text)

/** By the kinds of the fields, in any language. */
export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.locator('[autocomplete=username]').fill(email)
  await page.locator('[autocomplete=current-password]').fill(password)
  await page.locator('[type=submit]').click()
}

/** Goes there as who has no mouse. Past the last element, Tab leads to the first one again; a page may grow. */
export async function tabTo(target: Locator): Promise<void> {
  const page = target.page()
  await target.waitFor()
  for (let pressed = 0; pressed <= TABS_MAX; pressed++) {
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`no Tab leads to ${String(target)}`)
}

/** What axe finds wrong with a page as it is now. */
export async function violationsOn(page: Page): Promise<object[]> {
  const { violations } = await page.evaluate<{ violations: object[] }>(`${axe.source};axe.run()`)
  return violations
}
