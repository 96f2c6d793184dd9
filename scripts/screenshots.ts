// Writes a picture of every page of the web app, in its notable states, on a phone and on a desktop, light
// and dark, of a shop that is made up: npm run screenshots -- [FOLDER] [--only=TEXT] [--docs]
// With --docs, those that the documents show are renewed, too. Needs `npm run build` and Chromium.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { APP_PATHS } from '../server/api/public/app-paths.ts'
import { FORGOT } from '../test/support/resets.ts'
import { LAUNCH, PATIENCE_MS } from '../test/support/browser.ts'
import { DESKTOP, fill, PHONE, press, signIn } from '../test/support/web-app.ts'
import { BOSS, CUSTOMER, DEVICES, NEWCOMER, NOW_MS, startDemoShop } from './demo-shop.ts'

const PICTURE_MAX_BYTES = 100 * 1024
const REGION_MAX_PX = 500

interface Shown {
  readonly name: string
  /** Of the page; else what a desktop shows before anybody scrolls. */
  readonly region?: string
}
const SHOWN_IN_DOCS: Readonly<Record<string, Shown>> = {
  'console.overview': { name: 'overview' },
  'console-users-id.customer': { name: 'timeline', region: 'Timeline' },
  'console-jobs.list.show-what-it-would-delete': { name: 'clean-up', region: 'Clean-up' },
}

interface Scene {
  /** Who is signed in. */
  readonly as?: string
  /** Instead of the path itself. */
  readonly at?: string | (() => Promise<string>)
  readonly act?: (page: Page) => Promise<unknown>
  /** Whether what each button of the page opens gets a picture. */
  readonly hasButtons?: boolean
}
type Scenes = Readonly<Record<string, Scene>>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' }, docs: { type: 'boolean', default: false } },
})
/** So that the history of the customer stays as it is. */
const ANOTHER = 'ada.moreau@example.org'
const folder = positionals[0] ?? 'screenshots'
const written: string[] = []

await using shop = await startDemoShop()
const browser = await chromium.launch(LAUNCH)
const contexts = new Map<string, Promise<BrowserContext>>()

/** A path without a scene does not compile. */
const SCENES: Readonly<Record<(typeof APP_PATHS)[number], Scenes>> = {
  '/': {
    'sign-in': {},
    refused: { act: (page) => signIn(page, ANOTHER, 'not the password') },
    unverified: { act: (page) => signIn(page, NEWCOMER) },
    offline: {
      act: async (page) => {
        await page.context().setOffline(true)
        await signIn(page, ANOTHER)
        await page.getByRole('alert').waitFor()
        await page.context().setOffline(false)
      },
    },
    account: { as: ANOTHER, hasButtons: true },
    admin: { as: BOSS },
  },
  '/sign-up': {
    form: {},
    refused: {
      act: async (page) => {
        await fill(page, 'Email', 'paula@example.com')
        await fill(page, 'Password', 'short')
        await press(page, 'Create account')
        await page.getByRole('alert').waitFor()
      },
    },
    done: {
      act: async (page) => {
        await fill(page, 'Email', 'paula@gmial.com')
        await fill(page, 'Password', 'correct horse battery staple')
        await press(page, 'Create account')
        await page.getByLabel('Code', { exact: true }).waitFor()
      },
    },
  },
  '/verify': {
    form: {},
    refused: {
      act: async (page) => {
        await fill(page, 'Email', NEWCOMER)
        await fill(page, 'Code', '000000')
        await press(page, 'Verify')
        await page.getByRole('alert').waitFor()
      },
    },
    done: {
      act: async (page) => {
        await fill(page, 'Email', NEWCOMER)
        await fill(page, 'Code', await shop.codeFor(NEWCOMER))
        await press(page, 'Verify')
        await page.getByText('verified', { exact: false }).waitFor()
      },
    },
  },
  '/forgot': {
    form: {},
    done: {
      act: async (page) => {
        await fill(page, 'Email', ANOTHER)
        await press(page, 'Send the link')
        await page.getByText('on its way').waitFor()
      },
    },
  },
  '/reset': {
    empty: {},
    reset: { at: '/reset#token=x' },
    lost: {
      at: '/reset#token=x',
      act: async (page) => {
        await fill(page, 'New password', 'correct horse battery staple')
        await press(page, 'Set password')
        await page.getByText('no longer valid').first().waitFor()
      },
    },
    done: {
      at: resetLink,
      act: async (page) => {
        await fill(page, 'New password', 'correct horse battery staple')
        await press(page, 'Set password')
        await page.getByText('Sign in with the new password').waitFor()
      },
    },
    invitation: { at: '/reset#token=x&for=invitation' },
    undo: { at: '/reset#undo=x' },
  },
  '/console': { overview: { as: BOSS }, forbidden: { as: ANOTHER } },
  '/console/users': {
    list: { as: BOSS },
    search: { as: BOSS, at: '/console/users?q=win' },
    nobody: { as: BOSS, at: '/console/users?q=nobody' },
  },
  '/console/users/new': { form: { as: BOSS } },
  '/console/users/:id': {
    customer: { as: BOSS, at: () => pageOf(CUSTOMER), hasButtons: true },
    unverified: { as: BOSS, at: () => pageOf('paul@exmaple.example'), hasButtons: true },
    invited: { as: BOSS, at: () => pageOf('mina@beanandleaf.example') },
    disabled: { as: BOSS, at: () => pageOf('farid.haddad@example.net') },
    herself: { as: BOSS, at: () => pageOf(BOSS) },
    nobody: { as: BOSS, at: '/console/users/999999' },
  },
  '/console/audit': { list: { as: BOSS } },
  '/console/mail': { list: { as: BOSS }, failed: { as: BOSS, at: '/console/mail?state=bounced' } },
  '/console/jobs': { list: { as: BOSS, hasButtons: true } },
  '/console/settings': { list: { as: BOSS } },
}

try {
  for (const path of APP_PATHS)
    for (const [name, scene] of Object.entries(SCENES[path])) {
      const title = `${path === '/' ? 'root' : path.slice(1).replaceAll(/[/:]+/g, '-')}.${name}`
      if (title.includes(values.only)) await shoot(title, path, scene)
    }
} finally {
  await browser.close()
}
console.log(`${written.length} pictures in ${folder}`)

async function shoot(title: string, path: string, scene: Scene): Promise<void> {
  const { as, at = path, act, hasButtons = false } = scene
  const context = await (as === undefined ? newContext() : contextOf(as))
  const page = await context.newPage()
  const url = shop.baseUrl + (typeof at === 'string' ? at : await at())
  await page.goto(url)
  await settle(page)
  await act?.(page)
  await take(page, title, { reloads: act === undefined && !url.includes('#') })
  if (hasButtons) await takeBehindButtons(page, title, url)
  await (as === undefined ? context.close() : page.close())
}

async function take(page: Page, title: string, { reloads = false } = {}): Promise<void> {
  for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    await page.setViewportSize(viewport)
    // What a page opens with may depend on the size.
    if (reloads) await page.reload()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await settle(page)
      const isDialog = await page.locator('dialog[open]').first().isVisible()
      const path = join(folder, `${title}.${size}.${colorScheme}.png`)
      await page.screenshot({ path, fullPage: !isDialog, animations: 'disabled' })
      written.push(path)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  const shown = SHOWN_IN_DOCS[title]
  if (values.docs && shown !== undefined) await renewInDocs(page, shown)
}

/**
 * Presses every button, and those that come to light by it. Whatever they do, the service is not told:
 * it seems to want the password again.
 */
async function takeBehindButtons(page: Page, title: string, url: string): Promise<void> {
  const harmless = /\/auth\/refresh$|\/dry-run$/
  await page.route('**/api/**', (route) =>
    route.request().method() === 'GET' || harmless.test(route.request().url())
      ? route.continue()
      : route.fulfill({ status: 403, json: { code: 'reauthentication_required', request_id: '' } }),
  )
  const dialog = page.locator('dialog[open]')
  const buttons = page.locator('main button:enabled')
  const button = (name: string) =>
    buttons.filter({ hasText: new RegExp(`^${RegExp.escape(name)}$`) }).first()
  const pressed = new Set([''])
  let isProofTaken = false

  async function explore(steps: readonly string[]): Promise<void> {
    // Of those that say the same, as in the rows of a list, the first.
    const names = new Set(await buttons.allInnerTexts()).difference(pressed)
    for (const name of names) pressed.add(name)
    for (const name of names) {
      await page.goto(url)
      await settle(page)
      for (const step of [...steps, name]) {
        await button(step).click()
        await settle(page)
      }
      const to = `${title}.${name.toLowerCase().replaceAll(/\W+/g, '-')}`
      await take(page, to)
      if (!(await dialog.isVisible())) await explore([...steps, name])
      else if (!isProofTaken && (await dialog.locator('input').count()) === 0) {
        await dialog.locator('[type=submit]').click()
        const proof = dialog.locator('[autocomplete=current-password]')
        await proof.or(dialog.getByRole('alert')).first().waitFor()
        isProofTaken = await proof.isVisible()
        if (isProofTaken) await take(page, `${title}.proof`)
      }
    }
  }
  await explore([])
}

/** A heading, no loader, and nothing that is still on its way. */
async function settle(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor()
  await page.waitForLoadState('networkidle')
  // A dialog that waits for the one above it goes on turning.
  await page.locator('.mantine-Loader-root:not(dialog *)').first().waitFor({ state: 'detached' })
  await page.evaluate('document.fonts.ready.then(() => true)')
}

async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext({
    locale: 'en-GB',
    timezoneId: 'Europe/Vienna',
    userAgent: DEVICES.laptop,
    viewport: DESKTOP,
  })
  context.setDefaultTimeout(PATIENCE_MS)
  await context.clock.setFixedTime(NOW_MS)
  return context
}

/** Signs each in once. */
function contextOf(email: string): Promise<BrowserContext> {
  const known = contexts.get(email) ?? signedIn(email)
  contexts.set(email, known)
  return known
}

async function signedIn(email: string): Promise<BrowserContext> {
  const context = await newContext()
  const page = await context.newPage()
  await page.goto(shop.baseUrl)
  await signIn(page, email)
  await page.getByRole('banner').getByRole('button', { name: 'Sign out' }).waitFor()
  await page.close()
  return context
}

async function pageOf(email: string): Promise<string> {
  const { id } = await shop.ctx.db
    .selectFrom('users')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirstOrThrow()
  return `/console/users/${id}`
}

async function resetLink(): Promise<string> {
  const email = 'ben.okafor@example.com'
  await shop.post(FORGOT, { email })
  await shop.deliverMail()
  const mail = shop.mailsTo(email).at(-1)?.text ?? ''
  return `/reset${/#token=\S+/.exec(mail)?.[0] ?? assert.fail('no link was mailed')}`
}

async function renewInDocs(page: Page, { name, region }: Shown): Promise<void> {
  const path = `docs/pictures/${name}.png`
  // Boxes are measured from what is scrolled to, clips from the page.
  await page.evaluate('scrollTo(0, 0)')
  const box =
    region === undefined ? null : await page.getByRole('region', { name: region }).boundingBox()
  const height = box === null ? DESKTOP.height : Math.min(box.height, REGION_MAX_PX)
  const clip = { x: 0, y: box?.y ?? 0, width: DESKTOP.width, height }
  await page.screenshot({ path, clip, fullPage: true, animations: 'disabled' })
  assert.ok(statSync(path).size < PICTURE_MAX_BYTES, `${path} is too large for the documents`)
}
