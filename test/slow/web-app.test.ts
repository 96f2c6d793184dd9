import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { missingBrowser } from '../support/browser.ts'
import { PASSWORD } from '../support/service.ts'
import {
  fill,
  heading,
  PHONE,
  press,
  signIn,
  startWebApp,
  violationsOn,
  type WebApp,
} from '../support/web-app.ts'

/** By what fields say that they are; a password of this length is refused everywhere. */
const INPUT: Readonly<Record<string, string>> = {
  username: 'nobody@example.com',
  'one-time-code': '000000',
}

describe('the web app in a browser', { skip: missingBrowser }, () => {
  let web: WebApp
  before(async () => void (web = await startWebApp()))
  after(() => web?.[Symbol.asyncDispose]())

  async function signUp(page: Page, email: string): Promise<string> {
    await page.goto(`${web.url}/sign-up`)
    await fill(page, 'Email', email)
    await fill(page, 'Password', PASSWORD)
    await press(page, 'Create account')
    await heading(page, 'Check your email')
    return await web.codeFor(email)
  }
  async function verify(page: Page, code: string): Promise<void> {
    await fill(page, 'Code', code)
    await press(page, 'Verify')
    await heading(page, 'Your address is verified')
  }

  test('takes somebody from the sign-up by a pasted code into the account and out again', async () => {
    const email = web.newEmail()
    await using opened = await web.open('/')
    const { page, complaints } = opened
    await page.getByRole('link', { name: 'Create an account' }).click()
    await heading(page, 'Create an account')

    const code = await signUp(page, email)
    await page.reload()
    await verify(page, ` ${code.slice(0, 3)}-${code.slice(3)} `)
    await page.getByRole('link', { name: 'Go to sign-in' }).click()
    const address = page.getByLabel('Email', { exact: true })
    const prefilled = await address.inputValue()
    await signIn(page, email)
    await page.getByText(email).waitFor()
    await page.reload()
    await page.getByText(email).waitFor()
    const stored = await page.evaluate<number>('localStorage.length + sessionStorage.length')
    const seen = await page.evaluate<string>('document.cookie')
    await press(page, 'Sign out')
    await heading(page, 'Sign in')
    const forTheNext = await address.inputValue()
    await page.reload()
    await heading(page, 'Sign in')

    assert.deepEqual(complaints(), [])
    assert.deepEqual([prefilled, forTheNext], [email, ''])
    assert.deepEqual([stored, seen], [0, ''])
  })

  test('shows who is signed in to every tab, and nobody after the sign-out of one', async () => {
    const email = web.newEmail()
    const context = await web.browser.newContext({ locale: 'en-GB' })
    const [first, second] = [await context.newPage(), await context.newPage()]
    await verify(first, await signUp(first, email))
    for (const page of [first, second]) await page.goto(web.url)

    await signIn(first, email)
    await second.getByText(email).waitFor()
    await press(second, 'Sign out')

    await heading(first, 'Sign in')
    assert.equal(await first.getByText(email).count(), 0)
    await context.close()
  })

  test('says what to do now where a login is refused, in the reader’s language', async () => {
    const email = web.newEmail()
    await using opened = await web.open('/', { locale: 'de-AT' })
    const { page } = opened
    const alert = page.getByRole('alert')

    await page.getByLabel('E-Mail-Adresse').fill(email)
    await page.getByLabel('Passwort', { exact: true }).fill('wrong')
    await press(page, 'Anmelden')
    const wrong = await alert.textContent()
    await page.context().setOffline(true)
    await press(page, 'Anmelden')
    await alert.filter({ hasText: 'nicht erreichbar' }).waitFor()
    await page.context().setOffline(false)

    assert.match(wrong ?? '', /Prüfen Sie beides oder wählen Sie „Passwort vergessen\?“/)
    assert.equal(await page.evaluate('document.documentElement.lang'), 'de')
  })

  test('leads who is not verified yet to the code, and sends another one after a minute', async () => {
    const email = web.newEmail()
    await using opened = await web.open('/')
    const { page } = opened
    const code = await signUp(page, email)
    await page.goto(web.url)
    await page.clock.install()

    await signIn(page, email)
    await page.getByRole('link', { name: 'Enter the code' }).click()
    await page.getByText(`that we sent to ${email}`).waitFor()
    const isKept = await page.getByRole('button', { name: /^Send again in \d+ s$/ }).isDisabled()
    await page.clock.fastForward(MINUTE_MS)
    await press(page, 'Send the code again')
    await page.getByText('it is on its way again').waitFor()
    await page.getByRole('button', { name: /^Send again in \d+ s$/ }).waitFor()

    assert.ok(isKept)
    await verify(page, code)
  })

  test('mails a link to who forgot the password, and says the same to everybody else', async () => {
    const email = web.newEmail()
    await using opened = await web.open('/')
    const { page, complaints } = opened
    await verify(page, await signUp(page, email))
    for (const address of ['nobody@example.com', email]) {
      await page.goto(`${web.url}/forgot`)
      await fill(page, 'Email', address)
      await press(page, 'Send the link')
      await page.getByText(`If ${address} has an account, a link is on its way`).waitFor()
    }

    await web.program.printed(new RegExp(`Password reset link for ${email}: `))
    assert.deepEqual(complaints(), [])
  })

  test('its fields say to password managers what they are', async () => {
    const expected = {
      '/': ['username', 'current-password'],
      '/sign-up': ['name', 'username', 'new-password'],
      '/verify': ['username', 'one-time-code'],
      '/forgot': ['username'],
      '/reset#token=x': ['new-password'],
    }
    for (const [path, fields] of Object.entries(expected)) {
      await using opened = await web.open(path)
      await opened.page.locator('form').waitFor()

      const found = await opened.page
        .locator('input')
        .evaluateAll((inputs) => inputs.map((input) => input.getAttribute('autocomplete')))

      assert.deepEqual(found, fields, path)
    }
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const path of ['/', '/sign-up', '/verify', '/forgot', '/reset', '/reset#token=x']) {
      test(`axe finds nothing on ${path}, ${colorScheme}, before and after a refusal`, async () => {
        await using opened = await web.open(path, { colorScheme })
        const { page, complaints } = opened
        await page.getByRole('heading').first().waitFor()
        const atFirst = await violationsOn(page)
        const fields = page.locator('input')
        for (const field of await fields.all()) {
          const kind = (await field.getAttribute('autocomplete')) ?? ''
          await field.fill(INPUT[kind] ?? 'short')
        }
        if ((await fields.count()) > 0) {
          await page.locator('[type=submit]').click()
          const told = page.getByText(/on its way|no longer valid/)
          await page.getByRole('alert').or(told).first().waitFor()
        }

        const width = await page.evaluate<number>('document.documentElement.scrollWidth')

        assert.deepEqual([...atFirst, ...(await violationsOn(page))], [])
        assert.ok(width <= PHONE.width, `${width} pixels wide`)
        assert.deepEqual(complaints(), [])
      })
    }
  }
})
