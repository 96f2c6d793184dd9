import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { chromium, type Page } from 'playwright-core'
import { APP_PATHS } from '../../server/api/public/app-paths.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { LAUNCH, missingBrowser, PATIENCE_MS, watch } from '../support/browser.ts'
import { startProgram } from '../support/process.ts'
import { PASSWORD } from '../support/service.ts'
import { startShop } from '../support/shop.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import {
  DESKTOP,
  fill,
  heading,
  openPage,
  press,
  signIn,
  startWebApp,
  tabTo,
  type WebApp,
} from '../support/web-app.ts'

// What happens to people while they use the web app, on every page of it.

const NEW_PASSWORD = 'a new battery for the horse'

/** The browser reports what the test does to the network. */
const withoutFailures = (complaints: readonly string[]) =>
  complaints.filter((text) => !/^failed: |net::ERR_/.test(text))

const visit = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name, exact: true }).click()

describe('the web app', { skip: missingBrowser }, () => {
  let web: WebApp
  before(async () => void (web = await startWebApp()))
  after(() => web?.[Symbol.asyncDispose]())

  async function api(method: string, path: string, sent: { body?: object; as?: string } = {}) {
    const token = sent.as === undefined ? undefined : await tokenOf(sent.as)
    const answer = await fetch(`${web.url}/api/v1${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(sent.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(sent.body !== undefined && { body: JSON.stringify(sent.body) }),
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  async function tokenOf(email: string, password = PASSWORD): Promise<string> {
    const { access_token } = await api('POST', '/auth/login', { body: { email, password } })
    return access_token
  }
  const printed = async (what: string, email: string) =>
    (await web.program.printed(new RegExp(`${what} for ${email}: (\\S+)`)))[1] ?? ''

  async function addAdmin(): Promise<{ email: string; id: number }> {
    const email = await web.addUser()
    const { id } = await api('GET', '/me', { as: email })
    await api('PATCH', `/users/${id}`, { body: { role: 'admin' }, as: web.admin })
    return { email, id }
  }

  test('is used by keyboard alone, from the sign-in to the console and out', async () => {
    await using opened = await web.open('/', { viewport: DESKTOP })
    const { page, complaints } = opened
    const keys = page.keyboard

    await tabTo(page.getByLabel('Email', { exact: true }))
    await keys.type(web.admin)
    await tabTo(page.getByLabel('Password', { exact: true }))
    await keys.type(PASSWORD)
    await keys.press('Enter')
    await tabTo(page.getByRole('link', { name: 'Open the console' }))
    await keys.press('Enter')
    await heading(page, 'Overview')
    await tabTo(page.getByRole('link', { name: 'Users', exact: true }))
    await keys.press('Enter')
    await heading(page, 'Users')
    await tabTo(page.getByRole('button', { name: 'Sign out' }))
    await keys.press('Enter')
    await heading(page, 'Sign in')

    assert.deepEqual(complaints(), [])
  })

  for (const [how, end] of [
    ['from another device', ({ email }) => api('DELETE', '/me/sessions', { as: email })],
    ['by another admin', ({ id }) => api('DELETE', `/users/${id}/sessions`, { as: web.admin })],
  ] as const satisfies [string, (of: { email: string; id: number }) => Promise<unknown>][]) {
    test(`says at the next click that the session was ended ${how}, and goes on there after sign-in`, async () => {
      const admin = await addAdmin()
      await using opened = await web.openAs(admin.email, '/console', {
        viewport: DESKTOP,
        locale: 'en-GB',
      })
      const { page, complaints } = opened
      await heading(page, 'Overview')

      await end(admin)
      await visit(page, 'Users')
      await page.getByText('You were signed out. Sign in again.').waitFor()
      await signIn(page, admin.email)
      await heading(page, 'Users')
      await page.getByText(web.admin).first().waitFor()

      assert.equal(new URL(page.url()).pathname, '/console/users')
      assert.deepEqual(complaints(), [])
    })
  }

  for (const [what, email, files] of [
    ['the account', () => web.addUser(), /\/assets\/account-/],
    ['the console', async () => web.admin, /\/assets\/console-/],
  ] as const) {
    test(`says to reload where a newer version no longer has the files of ${what}`, async () => {
      const path = what === 'the account' ? '/' : '/console'
      await using opened = await web.open(path, { locale: 'de-AT' })
      const { page } = opened
      await page.route(files, (route) => route.fulfill({ status: 404 }))

      await signIn(page, await email())
      await page.getByText('Laden Sie die Seite neu').waitFor()
      await page.unroute(files)
      await press(page, 'Neu laden')

      await page.getByRole('button', { name: 'Abmelden' }).waitFor()
    })
  }

  test('makes an invited admin one, by the link in the mail', async () => {
    const email = web.newEmail()
    await api('POST', '/users', { body: { email, role: 'admin' }, as: web.admin })
    const link = await printed('Invitation', email)
    await using opened = await web.open(link.slice(new URL(link).origin.length), {
      locale: 'de-DE',
    })
    const { page, complaints } = opened

    await page.locator('[autocomplete=new-password]').fill('short of 15')
    await press(page, 'Passwort festlegen')
    await page.getByText('mindestens 15 Zeichen').waitFor()
    await page.locator('[autocomplete=new-password]').fill(NEW_PASSWORD)
    await press(page, 'Passwort festlegen')
    await heading(page, 'Ihr Konto ist eingerichtet')
    await page.getByRole('link', { name: 'Anmeldung' }).click()
    await signIn(page, email, NEW_PASSWORD)
    await page.locator('a[href="/console"]').first().click()
    await heading(page, 'Übersicht')

    assert.deepEqual(complaints(), [])
  })

  test('gives an account back whose address a thief has changed', async () => {
    const [email, thiefs] = [await web.addUser(), web.newEmail()]
    await using thief = await web.openAs(email, '/')
    await thief.page.getByText(email).first().waitFor()
    const change = { email: thiefs, current_password: PASSWORD }
    await api('POST', '/me/email', { body: change, as: email })
    const code = await web.codeFor(thiefs)
    await api('POST', '/me/email/confirm', { body: { code }, as: email })
    const [, undo = ''] = await web.program.printed(/(\/reset#undo=\S+)/)

    await using opened = await web.open(undo)
    const { page, complaints } = opened
    await press(page, 'Undo the change')
    await heading(page, 'The change was undone')
    await thief.page.reload()
    await heading(thief.page, 'Sign in')
    const reset = await printed('Password reset link', email)
    await page.goto(web.url + reset.slice(new URL(reset).origin.length))
    await fill(page, 'New password', NEW_PASSWORD)
    await press(page, 'Set password')
    await page.getByRole('link', { name: 'Go to sign-in' }).click()
    await signIn(page, email, NEW_PASSWORD)
    await page.getByText(email).first().waitFor()

    assert.deepEqual([...complaints(), ...thief.complaints()], [])
  })

  test('says in both languages on every page that it needs JavaScript', async () => {
    for (const path of APP_PATHS) {
      await using opened = await web.open(path, { javaScriptEnabled: false })

      await heading(opened.page, 'JavaScript is disabled')
      await opened.page.locator('[lang=de]').waitFor()
    }
  })

  test('says that the service cannot be reached where an answer is cut off, and works again', async () => {
    await using network = await startTcpProxy(web.url)
    await using opened = await openPage(web.browser, network.url, { viewport: DESKTOP })
    const { page, complaints } = opened
    const told = page.getByRole('alert').filter({ hasText: 'cannot be reached' })

    await heading(page, 'Sign in')
    network.cutAnswersAfter(0)
    await signIn(page, web.admin)
    await told.waitFor()
    network.heal()
    await press(page, 'Sign in')
    await page.getByRole('link', { name: 'Open the console' }).click()
    await heading(page, 'Overview')

    network.cutAnswersAfter(0)
    await visit(page, 'Users')
    await told.waitFor()
    network.heal()
    await visit(page, 'Overview')
    await visit(page, 'Users')
    await page.getByText(web.admin).first().waitFor()
    assert.equal(await told.count(), 0)

    const email = web.newEmail()
    await page.goto(`${network.url}sign-up`)
    await fill(page, 'Email', email)
    await fill(page, 'Password', PASSWORD)
    network.cutAnswersAfter(0)
    await press(page, 'Create account')
    await told.waitFor()
    network.heal()
    await press(page, 'Create account')
    await page.getByText(`that we sent to ${email}`).waitFor()

    assert.ok(network.cuts() > 0)
    assert.deepEqual(withoutFailures(complaints()), [])
  })
})

test('a page goes on without a sign-in after the service was killed and started again', async (t) => {
  if (missingBrowser) return t.skip(missingBrowser)
  await using web = await startWebApp()
  await using opened = await web.openAs(web.admin, '/console', { viewport: DESKTOP })
  const { page, complaints } = opened
  await heading(page, 'Overview')

  await web.program[Symbol.asyncDispose]()
  await visit(page, 'Users')
  await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
  await using again = startProgram({ env: { ...web.env, PORT: new URL(web.url).port } })
  await again.url()
  await visit(page, 'Overview')
  await visit(page, 'Users')
  await page.getByText(web.admin).first().waitFor()
  await page.reload()
  await page.getByText(web.admin).first().waitFor()

  assert.deepEqual(withoutFailures(complaints()), [])
})

test('two tabs share one session for an hour, with one refresh for each access token', async (t) => {
  if (missingBrowser) return t.skip(missingBrowser)
  await using shop = await startShop({ ACCESS_TOKEN_EXPIRE_MINUTES: '15' })
  const { id, email } = await shop.addAdmin()
  const browser = await chromium.launch(LAUNCH)
  t.after(() => browser.close())
  const context = await browser.newContext({ locale: 'en-GB', viewport: DESKTOP })
  context.setDefaultTimeout(PATIENCE_MS)
  const tabs = [await context.newPage(), await context.newPage()] as const
  const complaints = tabs.map((page) => watch(page, shop.baseUrl))
  const moveTo = async (ms: number) => {
    shop.clock.nowMs = ms
    await context.clock.setFixedTime(ms)
  }
  await moveTo(shop.clock.nowMs)
  await tabs[0].goto(`${shop.baseUrl}/console`)
  await signIn(tabs[0], email)
  await heading(tabs[0], 'Overview')
  await tabs[1].goto(`${shop.baseUrl}/console`)
  await heading(tabs[1], 'Overview')
  const before = shop.refreshTokens.length

  const ROUNDS = 8
  for (let round = 1; round <= ROUNDS; round++) {
    await moveTo(shop.clock.nowMs + 8 * MINUTE_MS)
    await Promise.all(
      tabs.map(async (page) => {
        const answered = page.waitForResponse(
          (response) => /\/users\?/.test(response.url()) && response.ok(),
        )
        await visit(page, 'Users')
        await answered
        await visit(page, 'Overview')
      }),
    )
  }

  // At 16, 32, 48 and 64 minutes.
  assert.equal(shop.refreshTokens.length - before, ROUNDS / 2)
  const sessions = await shop.ctx.db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', id)
    .where('user_agent', 'like', 'Mozilla%')
    .where('revoked_at', 'is', null)
    .execute()
  assert.equal(sessions.length, 1)
  const others = complaints.flat().filter((text) => !/status of 401/.test(text))
  assert.deepEqual(others, [])
})
