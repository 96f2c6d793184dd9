import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { HOUR_MS, MINUTE_MS, toIso } from '../../server/lib/units.ts'
import { missingBrowser } from '../support/browser.ts'
import { PASSWORD } from '../support/service.ts'
import {
  DESKTOP,
  fill,
  heading,
  PHONE,
  press,
  signIn,
  startWebApp,
  violationsOn,
  type WebApp,
} from '../support/web-app.ts'

/** Not on one page. */
const GUESTS = 120

describe('users in the console', { skip: missingBrowser }, () => {
  let web: WebApp
  before(async () => {
    web = await startWebApp()
    for (let n = 1; n <= GUESTS; n++) addRow({ email: `guest${n}@example.com`, hoursAgo: n })
  })
  after(() => web?.[Symbol.asyncDispose]())

  interface Row {
    readonly email: string
    readonly name?: string
    readonly hoursAgo?: number
    readonly isVerified?: boolean
    readonly isDisabled?: boolean
  }

  /** More than could sign up in a test, with names that nobody could give herself here. */
  function addRow({ email, name, hoursAgo = 1, isVerified = true, isDisabled = false }: Row): void {
    const at = toIso(Date.now() - hoursAgo * HOUR_MS)
    const insert = `insert into users (email, email_canonical, full_name, role, verified_at,
      password_hash, disabled_at, created_at, updated_at) values (?, ?, ?, 'user', ?, ?, ?, ?, ?)`
    const [verifiedAt, hash] = isVerified ? [at, 'none'] : [null, null]
    const values = [email, email, name ?? null, verifiedAt, hash, isDisabled ? at : null, at, at]
    web.sql(insert, ...values)
  }

  const rows = (page: Page): Locator => page.locator('tbody').getByRole('link')
  const row = (page: Page, email: string): Locator =>
    page.locator('tbody').getByRole('link', { name: email, exact: true })
  const told = (page: Page, text: string | RegExp) =>
    page.getByRole('status').filter({ hasText: text }).waitFor()
  /** The address as it is, or comes to be. */
  const at = (page: Page, path: string) => page.waitForURL(web.url + path)
  const isAt = (page: Page) => page.url().slice(web.url.length)
  const width = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth')

  test('searches, filters, sorts and turns pages, each with an address of its own', async () => {
    await using opened = await web.openAs(web.admin, '/console/users', { viewport: DESKTOP })
    const { page, complaints } = opened
    const entries = () => page.evaluate<number>('history.length')
    await told(page, /^1\d\d users$/)
    const atFirst = await entries()

    await page.getByLabel('Search').pressSequentially('guest')
    await at(page, '/console/users?q=guest')
    await told(page, 'More than 50 users')
    const afterTyping = await entries()
    await page.getByLabel('State').selectOption('Verified')
    await at(page, '/console/users?q=guest&is_verified=true')
    const afterChoice = await entries()
    await page.getByRole('link', { name: 'Email' }).click()
    await page.locator('th[aria-sort=ascending]', { hasText: 'Email' }).waitFor()
    await page.getByRole('link', { name: 'Email' }).click()
    await page.locator('th[aria-sort=descending]', { hasText: 'Email' }).waitFor()
    await page.locator('table[aria-busy=false]').waitFor()
    const seen = await rows(page).allTextContents()
    for (const last of ['guest4@example.com', 'guest100@example.com']) {
      await page.getByRole('link', { name: 'Next page' }).click()
      await row(page, last).waitFor()
      seen.push(...(await rows(page).allTextContents()))
    }
    const third = isAt(page)
    await page.getByLabel('State').selectOption('Unverified')
    await page.getByText('Nobody matches').waitFor()
    const filtered = isAt(page)
    const none = await violationsOn(page)
    await page.goBack()
    await row(page, 'guest100@example.com').waitFor()
    const back = isAt(page)
    await page.goForward()
    await page.getByText('Nobody matches').waitFor()

    assert.equal(afterTyping, atFirst)
    assert.equal(afterChoice, afterTyping + 1)
    const expected = Array.from({ length: GUESTS }, (_, n) => `guest${n + 1}@example.com`)
    assert.deepEqual(seen, expected.toSorted().toReversed())
    assert.match(third, /^\/console\/users\?q=guest&is_verified=true&sort=-email&after=./)
    assert.equal(filtered, '/console/users?q=guest&is_verified=false&sort=-email')
    assert.equal(back, third)
    assert.deepEqual(none, [])
    assert.deepEqual(complaints(), [])
  })

  test('leads by the keyboard alone to a user, and back to the list as it was', async () => {
    await using opened = await web.openAs(web.admin, '/console/users?sort=id', {
      viewport: DESKTOP,
      colorScheme: 'dark',
    })
    const { page, complaints } = opened
    const { keyboard } = page
    await row(page, 'guest1@example.com').waitFor()

    await keyboard.press('/')
    await keyboard.type('/guest117')
    await page.getByText('Nobody matches').waitFor()
    await keyboard.press('Escape')
    await row(page, 'guest1@example.com').waitFor()
    const emptied = isAt(page)
    await keyboard.type('guest117')
    await told(page, /^1 user$/)
    const isReached = () => row(page, 'guest117@example.com').evaluate((a) => a.matches(':focus'))
    for (let n = 0; n < 30 && !(await isReached()); n++) await keyboard.press('Tab')
    const axe = await violationsOn(page)
    await keyboard.press('Enter')
    await page.waitForURL(/\/console\/users\/\d+$/)
    await page.reload()
    await page.getByRole('link', { name: 'Back to the list' }).focus()
    await keyboard.press('Enter')
    await row(page, 'guest117@example.com').waitFor()

    assert.equal(emptied, '/console/users?sort=id')
    assert.equal(isAt(page), '/console/users?sort=id&q=guest117')
    assert.equal(await page.getByLabel('Search').inputValue(), 'guest117')
    await page.goBack()
    await page.goBack()
    await row(page, 'guest117@example.com').waitFor()
    assert.equal(isAt(page), '/console/users?sort=id&q=guest117')
    assert.deepEqual(axe, [])
    assert.deepEqual(complaints(), [])
  })

  test('turns a page by the keyboard, which goes on at the beginning of the next', async () => {
    await using opened = await web.openAs(web.admin, '/console/users?q=guest&sort=email', {
      viewport: DESKTOP,
    })
    const { page, complaints } = opened
    await row(page, 'guest100@example.com').waitFor()

    await page.getByRole('link', { name: 'Next page' }).focus()
    await page.keyboard.press('Enter')
    await row(page, 'guest50@example.com').waitFor()
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<string>('document.activeElement.textContent')
    await page.getByRole('link', { name: 'First page' }).click()
    await row(page, 'guest100@example.com').waitFor()

    assert.equal(focused, 'ID')
    assert.equal(isAt(page), '/console/users?q=guest&sort=email')
    assert.deepEqual(complaints(), [])
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`shows on a phone who may sign in, and until when who may not yet, ${colorScheme}`, async () => {
      const of = `${colorScheme}.example`
      addRow({ email: `off@${of}`, name: 'Wolfeschlegelstein'.repeat(11), isDisabled: true })
      addRow({ email: `new@${of}`, name: 'Nina \u202Eanna', isVerified: false })
      addRow({ email: `${'long-'.repeat(12)}name@${'sub.'.repeat(40)}${of}`, hoursAgo: 2 })
      await using opened = await web.openAs(web.admin, `/console/users?q=${of}`, {
        colorScheme,
        locale: 'de-DE',
      })
      const { page, complaints } = opened
      const block = (email: string) => page.locator('tbody tr').filter({ hasText: email })
      await told(page, '3 Benutzer')

      const off = await block(`off@${of}`).innerText()
      const unverified = await block(`new@${of}`).innerText()
      const names = await block(`new@${of}`).locator('bdi').allTextContents()
      const header = await page.locator('header nav').boundingBox()
      await page.getByLabel('Reihenfolge').selectOption('Älteste zuerst')
      await page.locator('tbody tr').first().filter({ hasText: 'long-' }).waitFor()
      await page.getByLabel('Rolle').selectOption('Administrator')
      await page.getByText('Dazu passt niemand').waitFor()

      assert.match(off, /Gesperrt\s+Bestätigt/)
      assert.match(unverified, /Unbestätigt\s+bis \d\d\.\d\d\.\d{4}, \d\d:\d\d\n/)
      assert.deepEqual(names, [`new@${of}`, 'Nina \u202Eanna'])
      // Two rows of links.
      assert.ok((header?.height ?? 99) < 64, `${header?.height} pixels high`)
      assert.equal(isAt(page), `/console/users?q=${of}&sort=created_at&role=admin`)
      await page.goBack()
      await told(page, '3 Benutzer')
      assert.ok((await width(page)) <= PHONE.width, `${await width(page)} pixels wide`)
      assert.deepEqual(await violationsOn(page), [])
      assert.deepEqual(complaints(), [])
    })
  }

  test('ends requests of earlier letters, whose rows never replace those of later ones', async () => {
    await using opened = await web.openAs(web.admin, '/console/users?q=guest1', {})
    const { page, complaints } = opened
    await told(page, /^3\d users$/)
    const late = Promise.withResolvers<void>()
    const isLate = (url: URL | string) => String(url).includes('q=guest2&')
    await page.route(isLate, async (route) => {
      const response = await route.fetch()
      await late.promise
      await route.fulfill({ response }).catch(() => {})
    })
    const asked = page.waitForRequest((request) => isLate(request.url()))
    const ended = page.waitForEvent('requestfailed', (request) => isLate(request.url()))

    await page.getByLabel('Search').fill('guest2')
    await asked
    await page.getByLabel('Search').fill('guest33')
    await row(page, 'guest33@example.com').waitFor()
    await told(page, /^1 user$/)
    await ended
    late.resolve()
    await page.unrouteAll({ behavior: 'wait' })

    assert.deepEqual(await rows(page).allTextContents(), ['guest33@example.com'])
    assert.deepEqual(complaints(), [])
  })

  test('keeps the search in the field apart from that of the history', async () => {
    await using opened = await web.openAs(web.admin, '/console/users?q=guest33', {
      viewport: DESKTOP,
    })
    const { page, complaints } = opened
    const search = page.getByLabel('Search')
    await told(page, /^1 user$/)
    await page.getByLabel('Role').selectOption('User')
    await search.fill('guest44 ')
    await page.getByLabel('State').focus()
    await page.getByLabel('State').selectOption('Verified')
    await row(page, 'guest44@example.com').waitFor()
    const typed = [isAt(page), await search.inputValue()]

    await page.goBack()
    await at(page, '/console/users?q=guest44+&role=user')
    await page.goBack()
    await row(page, 'guest33@example.com').waitFor()

    assert.deepEqual(typed, ['/console/users?q=guest44+&role=user&is_verified=true', 'guest44 '])
    assert.equal(await search.inputValue(), 'guest33')
    assert.deepEqual(complaints(), [])
  })

  test('leads from an address that the API refuses to the list without filters', async () => {
    for (const query of ['role=boss', 'is_verified=perhaps', 'sort=age', 'after=x', 'q=%07']) {
      await using opened = await web.openAs(web.admin, `/console/users?${query}`, {
        viewport: DESKTOP,
      })
      const { page, complaints } = opened
      await page.getByRole('alert').filter({ hasText: 'not valid' }).waitFor()
      const axe = await violationsOn(page)
      await page.getByRole('link', { name: 'Show all users' }).click()
      await row(page, 'guest1@example.com').waitFor()

      assert.deepEqual(axe, [], query)
      assert.equal(isAt(page), '/console/users')
      assert.deepEqual(complaints(), [])
    }
  })

  test('says what to do where too many match, or the service is not reached', async () => {
    await using opened = await web.openAs(web.admin, '/console/users', { viewport: DESKTOP })
    const { page, complaints } = opened
    await told(page, /users$/)
    await page.route(/q=user/, (route) =>
      route.fulfill({
        status: 422,
        contentType: 'application/problem+json',
        json: {
          code: 'validation_failed',
          detail: 'The request is invalid.',
          request_id: 'x',
          errors: [{ pointer: '/q', code: 'too_broad', detail: 'Too many.' }],
        },
      }),
    )

    await page.getByLabel('Search').fill('user')
    await page.getByText('Enter a longer text, or choose another order.').waitFor()
    await page.route(/q=guest3&/, (route) => route.abort('internetdisconnected'))
    await page.getByLabel('Search').fill('guest3')
    await page.getByText('The service cannot be reached.').waitFor()
    const offline = await violationsOn(page)
    await page.getByLabel('Search').fill('guest33')
    await row(page, 'guest33@example.com').waitFor()

    assert.deepEqual(offline, [])
    // The browser tells by itself what was lost.
    assert.deepEqual(
      complaints().filter((text) => !/q=guest3&|ERR_INTERNET/.test(text)),
      [],
    )
  })

  test('shows the very list of a link to who signs in by it', async () => {
    const path = '/console/users?q=guest1&is_verified=true&sort=-id'
    await using opened = await web.open(path)
    const { page, complaints } = opened
    await heading(page, 'Sign in')

    await signIn(page, web.admin)
    await told(page, /^3\d users$/)

    assert.equal(isAt(page), path)
    assert.equal(await rows(page).first().textContent(), 'guest120@example.com')
    assert.deepEqual(complaints(), [])
  })

  test('invites an admin after the password, and says until when', async () => {
    const email = web.newEmail()
    await using opened = await web.openAs(web.admin, '/console/users?q=guest', {
      viewport: DESKTOP,
    })
    const { page, complaints } = opened
    await page.getByRole('link', { name: 'Invite a user' }).click()
    await heading(page, 'Invite a user')
    web.sql('update sessions set authenticated_at = ?', toIso(Date.now() - 30 * MINUTE_MS))

    await fill(page, 'Email', email)
    await fill(page, 'Name (optional)', 'Ada')
    await page.getByLabel('Role').selectOption('Admin')
    const atFirst = await violationsOn(page)
    await press(page, 'Send the invitation')
    await heading(page, 'Confirm your password')
    await press(page, 'Cancel')
    await page.getByRole('alert').filter({ hasText: 'Confirm your password' }).waitFor()
    await press(page, 'Send the invitation')
    await fill(page, 'Password', PASSWORD)
    const asked = await violationsOn(page)
    await press(page, 'Confirm')
    await heading(page, 'The invitation is on its way')
    await page
      .getByText(new RegExp(`to ${email} works until \\d+ \\w+ \\d{4}, \\d\\d:\\d\\d`))
      .waitFor()
    const invited = await violationsOn(page)
    await page.getByRole('link', { name: 'Back to the list' }).click()
    await at(page, '/console/users?q=guest')
    await page.getByLabel('Search').fill(email)
    await row(page, email).waitFor()
    const block = await page.locator('tbody tr').innerText()

    assert.match(block, /Ada\s+User\s+Invited\s+as an admin, until/)
    assert.deepEqual([...atFirst, ...asked, ...invited], [])
    assert.deepEqual(complaints(), [])
  })

  test('invites one after the other by the keyboard, from an address that is taken to its user', async () => {
    const [first, second] = [web.newEmail(), web.newEmail()]
    await using opened = await web.openAs(web.admin, '/console/users/new', {
      locale: 'de-DE',
      colorScheme: 'dark',
    })
    const { page, complaints } = opened
    const { keyboard } = page
    const email = page.getByLabel('E-Mail-Adresse')
    await heading(page, 'Benutzer einladen')

    await email.focus()
    await keyboard.type('nobody@example')
    await keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'Geben Sie eine E-Mail-Adresse ein' }).waitFor()
    const refused = await violationsOn(page)
    await keyboard.press('Control+A')
    await keyboard.type(first)
    await keyboard.press('Enter')
    await heading(page, 'Die Einladung ist unterwegs')
    await page.getByRole('button', { name: 'Jemand anderen einladen' }).focus()
    await keyboard.press('Enter')
    await heading(page, 'Benutzer einladen')
    await email.focus()
    await keyboard.type(second)
    await keyboard.press('Enter')
    await page.getByText(`an ${second} funktioniert nur einmal`).waitFor()
    await page.getByRole('button', { name: 'Jemand anderen einladen' }).focus()
    await keyboard.press('Enter')
    await heading(page, 'Benutzer einladen')
    await email.focus()
    await keyboard.type('guest7@example.com')
    await keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'schon ein Konto' }).waitFor()
    const taken = await violationsOn(page)
    const wide = await width(page)
    await page.getByRole('link', { name: 'Nach dieser Adresse suchen' }).focus()
    await keyboard.press('Enter')
    await row(page, 'guest7@example.com').waitFor()

    assert.equal(isAt(page), '/console/users?q=guest7%40example.com')
    assert.deepEqual([...refused, ...taken], [])
    assert.ok(wide <= PHONE.width, `${wide} pixels wide`)
    assert.deepEqual(complaints(), [])
  })
})
