import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { missingBrowser } from '../support/browser.ts'
import { otherThan } from '../support/codes.ts'
import { NUMBER } from '../support/phones.ts'
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

const NEW_PASSWORD = 'a new battery for the horse'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const CURL = 'curl/8.14.1'
const MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

const GERMAN_DESKTOP = { locale: 'de-AT', viewport: DESKTOP } as const
const DARK_DESKTOP = { colorScheme: 'dark', viewport: DESKTOP } as const
const DARK_PHONE = { colorScheme: 'dark' } as const

describe('the account in a browser', { skip: missingBrowser }, () => {
  let web: WebApp
  before(async () => void (web = await startWebApp()))
  after(() => web?.[Symbol.asyncDispose]())

  /** A page of somebody new, as it is once everything is there. */
  async function openNew(options: BrowserContextOptions = {}) {
    const email = await web.addUser('Ann Lee')
    const opened = await web.openAs(email, '/', options)
    await opened.page.locator('li').first().waitFor()
    return { ...opened, email }
  }

  test('saves a name, and one that is emptied', async () => {
    await using opened = await openNew(DARK_PHONE)
    const { page, complaints } = opened
    const name = page.getByLabel('Name (optional)')
    const saved: string[] = []

    for (const text of [' Ann Ōta ', '']) {
      await name.fill(text)
      await press(page, 'Save')
      await page.getByText('Your name is saved').waitFor()
      await assertClean(page)
      await page.reload()
      saved.push(await name.inputValue())
    }

    assert.deepEqual(saved, ['Ann Ōta', ''])
    assert.deepEqual(complaints(), [])
  })

  test('says at the field why a name is refused', async () => {
    await using opened = await openNew(GERMAN_DESKTOP)
    const { page } = opened
    const name = page.getByLabel('Name (freiwillig)')

    await name.fill('Ann\u202eeeL')
    await press(page, 'Speichern')
    await page.getByRole('alert').filter({ hasText: 'ungültiges Zeichen' }).waitFor()

    assert.equal(await name.getAttribute('aria-invalid'), 'true')
    await assertClean(page)
  })

  test('moves to a new address by a code, also after the page was dropped meanwhile', async () => {
    await using opened = await openNew()
    const { page, complaints, email } = opened
    await using other = await web.openAs(email, '/')
    await heading(other.page, 'Your account')
    const next = web.newEmail()

    await press(page, 'Change the address')
    await assertClean(page)
    await fill(page, 'New email', next)
    await fill(page, 'Current password', 'wrong')
    await press(page, 'Send the code')
    await refusedAt(page, 'Current password', 'The current password is wrong')
    await assertClean(page)
    await fill(page, 'Current password', PASSWORD)
    await press(page, 'Send the code')
    await heading(page, 'Enter the code')
    await assertClean(page)
    await page.reload()
    await press(page, 'Enter the code')
    const code = await web.codeFor(next)
    await fill(page, 'Code', otherThan(code))
    await press(page, 'Confirm')
    await refusedAt(page, 'Code', 'This code is wrong or expired')
    await assertClean(page)
    await fill(page, 'Code', ` ${code.slice(0, 3)} ${code.slice(3)}.`)
    await press(page, 'Confirm')
    await page.getByText(`Your address is now ${next}`).waitFor()
    await page.getByText(next, { exact: true }).waitFor()
    await assertClean(page)

    assert.equal(await page.getByRole('button', { name: 'Enter the code' }).count(), 0)
    assert.deepEqual(complaints(), [])
    await press(other.page, 'Save')
    await heading(other.page, 'Sign in')
    await other.page.getByText('You were signed out. Sign in again.').waitFor()
    await assertClean(other.page)
    await signIn(other.page, next)
    await heading(other.page, 'Your account')
  })

  test('shows nobody else where a code was sent', async () => {
    await using opened = await openNew()
    const { page } = opened
    await press(page, 'Change the address')
    await fill(page, 'New email', web.newEmail())
    await fill(page, 'Current password', PASSWORD)
    await press(page, 'Send the code')
    await heading(page, 'Enter the code')
    await press(page, 'Cancel')
    await page.getByRole('button', { name: 'Enter the code' }).waitFor()
    await press(page, 'Sign out')

    await signIn(page, await web.addUser())
    await heading(page, 'Email address')

    assert.equal(await page.getByRole('button', { name: 'Enter the code' }).count(), 0)
  })

  test('adds a phone number as people write it, changes it and removes it', async () => {
    await using opened = await openNew({ ...GERMAN_DESKTOP, colorScheme: 'dark' })
    const { page, complaints } = opened

    await press(page, 'Nummer hinzufügen')
    await fill(page, 'Telefonnummer', '0151 23456789')
    await press(page, 'Code senden')
    await refusedAt(page, 'Telefonnummer', 'Ländervorwahl')
    await assertClean(page)
    await fill(page, 'Telefonnummer', '0049 (0)151 / 234 567 89')
    await press(page, 'Code senden')
    const code = await smsCodeFor(web, NUMBER)
    await fill(page, 'Code', otherThan(code))
    await press(page, 'Bestätigen')
    await refusedAt(page, 'Code', 'aus der neuesten SMS')
    await assertClean(page)
    await fill(page, 'Code', code)
    await press(page, 'Bestätigen')
    await page.getByText(`Ihre Nummer ist jetzt ${NUMBER}.`).waitFor()
    await page.getByText(NUMBER, { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Nummer ändern' }).waitFor()
    await press(page, 'Nummer entfernen')
    await assertClean(page)
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Nummer entfernen' }).click()
    await page.getByText('Die Nummer ist entfernt.').waitFor()
    await page.locator('[role=status]:focus', { hasText: 'entfernt' }).waitFor()
    await page.reload()
    await page.getByText('Keine Telefonnummer.').waitFor()

    assert.deepEqual(complaints(), [])
  })

  test('changes the password by rules that it tells before, and signs out the others', async () => {
    await using opened = await openNew(DARK_DESKTOP)
    const { page, complaints, email } = opened
    await using other = await web.openAs(email, '/')
    await heading(other.page, 'Your account')
    await page.reload()
    await page.getByRole('listitem').nth(1).waitFor()

    await press(page, 'Change the password')
    await page.getByText('At least 8 characters').waitFor()
    await page.getByText('signs out all your other devices; you stay signed in here').waitFor()
    await assertClean(page)
    for (const [current, next, field, words] of [
      ['wrong', NEW_PASSWORD, 'Current password', 'The current password is wrong'],
      [PASSWORD, 'short', 'New password', 'must have at least 8 characters'],
      [PASSWORD, PASSWORD, 'New password', 'This is what it already is'],
    ] as const) {
      await fill(page, 'Current password', current)
      await fill(page, 'New password', next)
      await press(page, 'Set password')
      await refusedAt(page, field, words)
    }
    await assertClean(page)
    await fill(page, 'New password', NEW_PASSWORD)
    await press(page, 'Set password')
    await page.getByText('Your new password is set').waitFor()
    await page.getByRole('listitem').nth(1).waitFor({ state: 'detached' })
    await assertClean(page)
    await press(other.page, 'Save')
    await other.page.getByText('You were signed out').waitFor()
    await press(page, 'Sign out')
    await signIn(page, email, NEW_PASSWORD)
    await heading(page, 'Your account')

    assert.deepEqual(complaints(), [])
  })

  for (const width of [PHONE.width, 320]) {
    test(`cuts no word at ${width} pixels, in the longer language`, async () => {
      await using opened = await openNew({ locale: 'de', viewport: { width, height: 844 } })
      const { page, email } = opened
      await using other = await web.openAs(email, '/', { userAgent: FIREFOX })
      await heading(other.page, 'Your account')

      await page.reload()
      await page.getByRole('button', { name: 'Alle anderen Geräte abmelden' }).waitFor()

      await assertClean(page)
    })
  }

  test('tells an admin the longer minimum', async () => {
    await using opened = await web.openAs(web.admin, '/')

    await press(opened.page, 'Change the password')

    await opened.page.getByText('At least 15 characters').waitFor()
    await assertClean(opened.page)
  })

  test('lists devices, signs out one and then all others, and itself only by the sign-out', async () => {
    await using opened = await openNew(DARK_PHONE)
    const { page, complaints, email } = opened
    await using first = await web.openAs(email, '/', { userAgent: FIREFOX })
    await heading(first.page, 'Your account')
    await using second = await web.openAs(email, '/', { userAgent: CURL })
    await heading(second.page, 'Your account')
    await using third = await web.openAs(email, '/', { userAgent: MAC })
    await heading(third.page, 'Your account')
    const devices = page.getByRole('listitem')
    const here = devices.filter({ hasText: 'This device' })

    await page.reload()
    await devices.nth(3).waitFor()
    await assertClean(page)
    const firefox = devices.filter({ hasText: 'Firefox on Linux' })
    await firefox.getByText('IP address: 127.0.0.1').waitFor()
    await firefox.getByRole('button', { name: /^Sign out: Firefox on Linux, signed in / }).click()
    await page.getByText('The device is signed out.').waitFor()
    await firefox.waitFor({ state: 'detached' })
    await page.locator('[role=status]:focus', { hasText: 'is signed out' }).waitFor()
    await devices.filter({ hasText: 'Chrome on Mac' }).getByRole('button').click()
    await devices.filter({ hasText: 'Chrome on Mac' }).waitFor({ state: 'detached' })
    await page.locator('[role=status]:focus', { hasText: 'is signed out' }).waitFor()
    await press(page, 'Sign out all other devices')
    await assertClean(page)
    await press(page, 'Cancel')
    await devices.filter({ hasText: 'curl' }).waitFor()
    await press(page, 'Sign out all other devices')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Sign out all other devices' }).click()
    await page.getByText('All other devices are signed out.').waitFor()
    await devices.nth(1).waitFor({ state: 'detached' })
    await page.locator('[role=status]:focus', { hasText: 'All other devices' }).waitFor()
    await assertClean(page)

    assert.equal(await page.getByRole('button', { name: 'Sign out all other devices' }).count(), 0)
    assert.equal(await here.getByRole('button').count(), 0)
    for (const ended of [first.page, second.page, third.page]) {
      await press(ended, 'Save')
      await ended.getByText('You were signed out').waitFor()
    }
    await press(page, 'Sign out')
    await heading(page, 'Sign in')
    await using later = await web.openAs(email, '/')
    await later.page.getByText('This device').waitFor()
    assert.equal(await later.page.getByRole('listitem').count(), 1)
    assert.deepEqual(complaints(), [])
  })

  test('takes for done what another device has ended already', async () => {
    await using opened = await openNew()
    const { page, complaints, email } = opened
    await using other = await web.openAs(email, '/', { userAgent: FIREFOX })
    await heading(other.page, 'Your account')
    await page.reload()
    const firefox = page.getByRole('listitem').filter({ hasText: 'Firefox' })
    await firefox.waitFor()
    await press(other.page, 'Sign out')
    await heading(other.page, 'Sign in')

    await firefox.getByRole('button').click()
    await page.getByText('The device is signed out.').waitFor()

    assert.deepEqual(complaints(), [])
  })

  test('gives all data as the file that the service names', async () => {
    await using opened = await openNew(GERMAN_DESKTOP)
    const { page, complaints, email } = opened
    const downloading = page.waitForEvent('download')

    await press(page, 'Meine Daten herunterladen')
    const download = await downloading
    await page.getByText('coffee-shop-export.json ist heruntergeladen.').waitFor()
    const data = JSON.parse(await readFile(await download.path(), 'utf8'))

    assert.equal(download.suggestedFilename(), 'coffee-shop-export.json')
    assert.equal(data.user.email, email)
    assert.equal(data.sessions.length, 1)
    await assertClean(page)
    assert.deepEqual(complaints(), [])
  })

  test('is deleted after its address and the password, and says that it is done', async () => {
    await using opened = await openNew()
    const { page, complaints, email } = opened

    await press(page, 'Delete my account')
    await assertClean(page)
    for (const [address, password, field, words] of [
      ['bob@example.com', PASSWORD, 'Your email address', 'not the address of your account'],
      [email, 'wrong', 'Current password', 'The current password is wrong'],
    ] as const) {
      await fill(page, 'Your email address', address)
      await fill(page, 'Current password', password)
      await press(page, 'Delete for good')
      await refusedAt(page, field, words)
      await assertClean(page)
    }
    await fill(page, 'Your email address', email.toUpperCase())
    await fill(page, 'Current password', PASSWORD)
    await press(page, 'Delete for good')
    await page.getByText('Your account and your data are deleted.').waitFor()
    await heading(page, 'Sign in')
    await assertClean(page)
    await signIn(page, email)
    await page.getByText('Email or password is wrong').waitFor()

    assert.deepEqual(complaints(), [])
  })

  test('says that it is deleted also when the sign-out after it was lost', async () => {
    await using opened = await openNew(GERMAN_DESKTOP)
    const { page, email } = opened
    // As often as the client tries.
    await page.route('**/api/v1/auth/logout', (route) => route.abort(), { times: 3 })

    await press(page, 'Mein Konto löschen')
    await fill(page, 'Ihre E-Mail-Adresse', email)
    await fill(page, 'Aktuelles Passwort', PASSWORD)
    await press(page, 'Endgültig löschen')
    await page.getByText('Der Dienst ist nicht erreichbar').waitFor()
    await press(page, 'Endgültig löschen')

    await page.getByText('Ihr Konto und Ihre Daten sind gelöscht.').waitFor()
    await heading(page, 'Anmelden')
  })

  test('says to the last admin that another one is needed', async () => {
    await using opened = await web.openAs(web.admin, '/', { colorScheme: 'dark' })
    const { page, complaints } = opened

    await press(page, 'Delete my account')
    await fill(page, 'Your email address', web.admin)
    await fill(page, 'Current password', PASSWORD)
    await press(page, 'Delete for good')
    await page.getByText('The service needs an active admin').waitFor()

    await assertClean(page)
    assert.deepEqual(complaints(), [])
  })

  test('can be used by keyboard alone', async () => {
    const email = await web.addUser()
    await using opened = await web.open('/')
    const { page, complaints } = opened
    const { keyboard } = page
    await heading(page, 'Sign in')

    await tabTo(page, 'Email')
    await keyboard.type(email)
    await tabTo(page, 'Password')
    await keyboard.type(PASSWORD)
    await keyboard.press('Enter')
    await heading(page, 'Your account')
    await tabTo(page, 'Name (optional)')
    await keyboard.type('Ann Lee')
    await keyboard.press('Enter')
    await page.getByText('Your name is saved').waitFor()
    await tabTo(page, 'Add a number')
    await keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const opener = await focused(page)
    await tabTo(page, 'Change the password')
    await keyboard.press('Space')
    await page.getByRole('dialog').waitFor()
    const inDialog = await focused(page)
    await keyboard.type('wrong')
    await tabTo(page, 'New password')
    await keyboard.type(NEW_PASSWORD)
    await keyboard.press('Enter')
    await refusedAt(page, 'Current password', 'The current password is wrong')
    await keyboard.press('ControlOrMeta+a')
    await keyboard.type(PASSWORD)
    await tabTo(page, 'Set password')
    await keyboard.press('Enter')
    await page.getByText('Your new password is set').waitFor()
    const afterwards = await focused(page)
    await tabTo(page, 'Delete my account')
    await keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await keyboard.type(email)
    await tabTo(page, 'Current password')
    await keyboard.type(NEW_PASSWORD)
    await keyboard.press('Enter')
    await heading(page, 'Sign in')

    assert.deepEqual(
      [opener, inDialog, afterwards],
      ['Add a number', 'Current password', 'Change the password'],
    )
    assert.deepEqual(complaints(), [])
  })

  test('counts down after 429, keeps the button until then, and goes on', async () => {
    await using opened = await openNew()
    const { page, complaints } = opened
    await page.clock.install()
    await refuseNext(page, '/me', { status: 429, code: 'too_many_requests', retryAfterS: 3_600 })
    const save = page.getByRole('button', { name: 'Save' })
    const alert = page.getByRole('alert')

    await save.click()
    await alert.filter({ hasText: 'Too many attempts. Try again in 60 min.' }).waitFor()
    await assertClean(page)
    const isKept = await save.isDisabled()
    await page.clock.fastForward(30 * MINUTE_MS)
    await alert.filter({ hasText: /Try again in (30|2\d) min\./ }).waitFor()
    await page.getByLabel('Name (optional)').press('Enter')
    await page.clock.fastForward(31 * MINUTE_MS)
    await alert.filter({ hasText: 'You can try again now.' }).waitFor()
    await assertClean(page)
    const isFree = await save.isEnabled()
    await save.click()
    await page.getByText('Your name is saved').waitFor()

    assert.deepEqual([isKept, isFree], [true, true])
    assert.deepEqual(complaints(), [])
  })

  test('says when the service is busy, and tries again when it is told to', async () => {
    const email = await web.addUser()
    await using opened = await web.open('/', { locale: 'de' })
    const { page } = opened
    await page.clock.install()
    const busy = { status: 503, code: 'database_unavailable', retryAfterS: 3_600 }
    await refuseNext(page, '/me/sessions', busy)
    await signIn(page, email)

    const again = page.getByRole('button', { name: 'Noch einmal versuchen' })
    await page.getByText('Der Dienst ist gerade ausgelastet').first().waitFor()
    await assertClean(page)
    const isKept = await again.isDisabled()
    await page.clock.fastForward(61 * MINUTE_MS)
    await page.getByText('Sie können es jetzt noch einmal versuchen.').waitFor()
    await again.click()
    await page.getByText('Dieses Gerät').waitFor()

    assert.ok(isKept)
  })

  test('stays signed in while the sign-out does not arrive', async () => {
    await using opened = await openNew()
    const { page } = opened

    await page.context().setOffline(true)
    await press(page, 'Sign out')
    await page.getByText('The service cannot be reached').waitFor()
    await assertClean(page)
    await page.context().setOffline(false)
    await page.reload()
    await heading(page, 'Your account')
    await press(page, 'Sign out')

    await heading(page, 'Sign in')
  })

  test('keeps what was typed while there is no network', async () => {
    await using opened = await openNew()
    const { page } = opened
    await page.getByLabel('Name (optional)').fill('Bob')

    await page.context().setOffline(true)
    await press(page, 'Save')
    await page.getByText('The service cannot be reached').waitFor()
    await assertClean(page)
    await page.context().setOffline(false)
    await press(page, 'Save')
    await page.getByText('Your name is saved').waitFor()

    await page.reload()
    assert.equal(await page.getByLabel('Name (optional)').inputValue(), 'Bob')
  })
})

/** What axe finds in any state is a mistake, and so is what a screen is too narrow for. */
async function assertClean(page: Page): Promise<void> {
  assert.deepEqual(await violationsOn(page), [])
  const width = await page.evaluate<number>('document.documentElement.scrollWidth')
  assert.ok(width <= (page.viewportSize() ?? PHONE).width, `${width} pixels wide`)
  assert.deepEqual(await page.evaluate<string[]>(CUT), [])
}

/** The words of buttons that are wider than their button. */
const CUT = `[...document.querySelectorAll('button, button *')]
  .filter((of) => of.scrollWidth > of.clientWidth + 1 && getComputedStyle(of).overflow === 'hidden')
  .map((of) => of.textContent)`

/** The field has the focus and says why it was refused. */
async function refusedAt(page: Page, label: string, words: string): Promise<void> {
  await page.getByRole('alert').filter({ hasText: words }).waitFor()
  const field = page.getByLabel(label, { exact: true })
  assert.equal(await field.getAttribute('aria-invalid'), 'true')
  assert.equal(await focused(page), label)
}

const FOCUSED = `(() => {
  const { activeElement: at } = document
  return at.labels?.[0]?.innerText ?? at.innerText ?? ''
})()`
const focused = (page: Page) => page.evaluate<string>(FOCUSED)

/** Presses Tab until the field or button of this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = []
  while (passed.length < 50) {
    await page.keyboard.press('Tab')
    const at = await focused(page)
    if (at === name) return
    passed.push(at)
  }
  assert.fail(`no Tab leads to ${name}: ${passed.join(', ')}`)
}

/** Once, as a limit or a dependency of the service would. */
async function refuseNext(
  page: Page,
  path: string,
  { status, code, retryAfterS }: { status: number; code: string; retryAfterS: number },
): Promise<void> {
  const refuse = {
    status,
    contentType: 'application/problem+json',
    headers: { 'retry-after': String(retryAfterS) },
    body: JSON.stringify({ code, status, detail: 'No.', request_id: 'x' }),
  }
  await page.route(`**/api/v1${path}`, (route) => route.fulfill(refuse), { times: 1 })
}

async function smsCodeFor({ program }: WebApp, phone: string): Promise<string> {
  const printed = new RegExp(`Phone code for \\${phone}: ([0-9]{6})`)
  return (await program.printed(printed))[1] ?? ''
}
