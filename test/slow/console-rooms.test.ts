import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { missingBrowser } from '../support/browser.ts'
import { startProgram } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { until } from '../support/until.ts'
import {
  DESKTOP,
  fill,
  heading,
  PHONE,
  press,
  startWebApp,
  violationsOn,
  type WebApp,
} from '../support/web-app.ts'

// What an admin reads about the service: overview, audit log, mail, jobs and settings.

const GERMAN_NIGHT = { locale: 'de-AT', colorScheme: 'dark', viewport: PHONE } as const
const ENGLISH_DAY = { locale: 'en-GB', colorScheme: 'light', viewport: DESKTOP } as const
const OLD = '2020-01-01T00:00:00.000Z'
const SMTP_PASSWORD = 'canary-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'

const post = (web: WebApp, path: string, body: object) =>
  fetch(`${web.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const signUp = (web: WebApp, email: string) =>
  post(web, '/auth/signup', { email, password: PASSWORD })

/** An account that the next clean-up deletes. */
async function addExpired(web: WebApp): Promise<string> {
  const email = web.newEmail()
  await signUp(web, email)
  web.sql('update users set created_at = ? where email = ?', OLD, email)
  return email
}
const exists = (web: WebApp, email: string) =>
  web.sql('select id from users where email = ?', email).length > 0

/** Nothing that axe finds, and nothing wider than the screen. */
async function assertGood(page: Page): Promise<void> {
  assert.deepEqual(await violationsOn(page), [])
  const width = await page.evaluate<number>('document.documentElement.scrollWidth')
  assert.ok(width <= (page.viewportSize()?.width ?? 0), `${width} pixels wide`)
}

const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true })
const said = (page: Page, text: string | RegExp) =>
  page.getByRole('status').filter({ hasText: text }).first().waitFor()
/** What a list of terms says of one. */
const termOf = (page: Page, term: string) =>
  page.locator(`dt:text-is("${term}") + dd`).first().textContent()
const textsOf = (page: Page, selector: string) => page.locator(selector).allInnerTexts()

const rowOf = (page: Page, text: string) =>
  page.locator('tbody tr').filter({ hasText: text }).first()

/** Presses Tab until what has this name has the focus. */
async function tabTo(page: Page, role: 'link' | 'button' | 'combobox', name: string) {
  const target = page.getByRole(role, { name, exact: true })
  await target.waitFor()
  for (let presses = 0; presses < 100; presses++) {
    if ((await target.and(page.locator(':focus')).count()) > 0) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`Tab never reaches ${name}`)
}

describe('the console on the service', { skip: missingBrowser }, () => {
  let web: WebApp
  // No scheduled clean-up comes between.
  before(async () => void (web = await startWebApp({ CLEANUP_SCHEDULE: '0 0 29 2 *' })))
  after(() => web?.[Symbol.asyncDispose]())

  /** Somebody who guesses at the address of nobody. */
  const guess = (n: number) =>
    post(web, '/auth/login', { email: `nobody${n}@example.com`, password: 'a wild guess' })

  test('shows the figures that the API has, each leading to what it counts', async () => {
    await web.addUser()
    await signUp(web, web.newEmail())
    await guess(0)
    await using opened = await web.open('/console', ENGLISH_DAY)
    const { page, complaints } = opened
    const answered = page.waitForResponse((answer) => answer.url().endsWith('/api/v1/stats'))
    await page.locator('[autocomplete=username]').fill(web.admin)
    await page.locator('[autocomplete=current-password]').fill(PASSWORD)
    await press(page, 'Sign in')
    const stats = await (await answered).json()
    await heading(page, 'Last 14 days')

    const { verified, unverified, ending_today: ending } = stats.users
    const { waiting, sent } = stats.mail
    assert.deepEqual(
      [
        await termOf(page, 'Verified users'),
        await termOf(page, 'Unverified users'),
        await termOf(page, 'End today'),
        await termOf(page, 'Waiting'),
        await termOf(page, 'Sent'),
      ],
      [verified, unverified, ending, waiting, sent].map(({ count }) => String(count)),
    )
    const cells = await textsOf(page, 'tbody td')
    assert.deepEqual(
      Array.from({ length: 14 }, (_, n) => cells.slice(n * 3, n * 3 + 3)),
      stats.days
        .toReversed()
        .map((day: any) =>
          [day.sign_ups, day.logins, day.refused_logins].map(({ count, accuracy }) =>
            accuracy === 'at_least' ? `at least ${count}` : String(count),
          ),
        ),
    )
    // All of today, unless it is midnight.
    const countOf = (series: string) => stats.days[12][series].count + stats.days[13][series].count
    assert.ok(countOf('sign_ups') >= 2 && countOf('logins') >= 1, JSON.stringify(stats))
    assert.ok(countOf('refused_logins') >= 1, JSON.stringify(stats))
    await page.getByRole('img', { name: /^Sign-ups, logins and refused logins by day/ }).waitFor()
    await assertGood(page)
    await page.locator('dt:text-is("Sent") + dd a').click()
    await heading(page, 'Messages')
    assert.equal(await page.getByLabel('State').inputValue(), 'sent')
    assert.deepEqual(complaints(), [])
  })

  test('says how true a figure is, and draws nothing where there is nothing', async () => {
    const never = { count: 0, accuracy: 'exact' }
    const least = { count: 0, accuracy: 'at_least' }
    let days: (day: any, n: number) => object = (day, n) =>
      n === 0 ? { ...day, logins: least } : day
    await using opened = await web.open('/', GERMAN_NIGHT)
    const { page, complaints } = opened
    await page.route('**/api/v1/stats', async (route) => {
      const stats = await (await route.fetch()).json()
      const users = {
        verified: { count: 12_345, accuracy: 'estimated' },
        unverified: { count: 42, accuracy: 'exact' },
        ending_today: { count: 10_000, accuracy: 'at_least' },
      }
      await route.fulfill({ json: { ...stats, users, days: stats.days.map(days) } })
    })
    await page.goto(`${web.url}/console`)
    await page.locator('[autocomplete=username]').fill(web.admin)
    await page.locator('[autocomplete=current-password]').fill(PASSWORD)
    await press(page, 'Anmelden')
    await heading(page, 'Die letzten 14 Tage')

    assert.match((await termOf(page, 'Bestätigte Benutzer')) ?? '', /^etwa 12\D345$/)
    assert.equal(await termOf(page, 'Unbestätigte Benutzer'), '42')
    assert.match((await termOf(page, 'Laufen heute ab')) ?? '', /^mindestens 10\D000$/)
    // The table is closed on a phone.
    assert.equal(await page.locator('tbody').isVisible(), false)
    await page.getByText('Zahlen als Tabelle').click()
    await page.getByText('mindestens 0').waitFor()
    await page.getByText('Eine hohle Markierung bedeutet').waitFor()
    await assertGood(page)
    days = ({ day }) => ({ day, sign_ups: never, logins: never, refused_logins: never })
    await page.reload()
    await page.getByText('In diesen Tagen hat sich niemand registriert').waitFor()
    assert.equal(await page.locator('.plot').count(), 0)
    await assertGood(page)
    assert.deepEqual(complaints(), [])
  })

  test('shows what a clean-up would delete, and deletes it, by keyboard alone', async () => {
    const email = await addExpired(web)
    await using opened = await web.openAs(web.admin, '/console', {
      viewport: DESKTOP,
      colorScheme: 'dark',
    })
    const { page, complaints } = opened
    const enter = () => page.keyboard.press('Enter')
    await heading(page, 'Overview')

    await tabTo(page, 'link', 'Jobs')
    await enter()
    await heading(page, 'Jobs')
    await tabTo(page, 'button', 'Show what it would delete')
    await enter()
    await said(page, 'A run would delete 1 account.')
    assert.ok(exists(web, email))
    await assertGood(page)
    await tabTo(page, 'button', 'Run the clean-up…')
    await enter()
    await page.getByRole('dialog', { name: 'Run the clean-up?' }).waitFor()
    await page.getByText('It deletes 1 account whose time').waitFor()
    await tabTo(page, 'button', 'Run the clean-up')
    await enter()
    await said(page, /The clean-up has finished\. .*1 account deleted/)

    assert.ok(!exists(web, email))
    const focused = page.locator(':focus')
    assert.equal(await focused.textContent(), 'Show what it would delete')
    await enter()
    await said(page, 'No account has expired')
    await assertGood(page)
    assert.deepEqual(complaints(), [])
  })

  test('asks for the password where the login is old; nothing happens without it', async () => {
    const email = await addExpired(web)
    await using opened = await web.openAs(web.admin, '/console/jobs', {
      ...GERMAN_NIGHT,
      colorScheme: 'light',
    })
    const { page, complaints } = opened
    await heading(page, 'Aufgaben')
    web.sql('update sessions set authenticated_at = ?', OLD)
    const requests = () => web.sql("select id from audit_events where event = 'clean_up.requested'")
    const before = requests().length

    await press(page, 'Zeigen, was gelöscht würde')
    await press(page, 'Aufräumen starten …')
    const question = page.getByRole('dialog', { name: 'Aufräumen starten?' })
    await question.waitFor()
    await assertGood(page)
    await press(page, 'Aufräumen starten')
    const proof = page.getByRole('dialog', { name: 'Passwort bestätigen' })
    await proof.waitFor()
    await assertGood(page)
    await proof.getByRole('button', { name: 'Abbrechen' }).click()
    await question.getByRole('alert').waitFor()
    assert.deepEqual([exists(web, email), requests().length], [true, before])
    await press(page, 'Aufräumen starten')
    await proof.locator('[autocomplete=current-password]').fill(PASSWORD)
    await proof.locator('[type=submit]').click()
    await said(page, /Das Aufräumen ist fertig\. .*1 Konto gelöscht/)

    assert.deepEqual([exists(web, email), requests().length], [false, before + 1])
    assert.deepEqual(complaints(), [])
  })

  test('finds a refused login by the kind of the event, by keyboard alone', async () => {
    await guess(1)
    await using opened = await web.openAs(web.admin, '/console/audit', ENGLISH_DAY)
    const { page, complaints } = opened
    await rowOf(page, 'session.opened').waitFor()

    await tabTo(page, 'combobox', 'Event')
    const event = page.getByLabel('Event')
    for (let left = await event.locator('option').count(); left > 0; left--) {
      if ((await event.inputValue()) === 'login.failed') break
      await page.keyboard.press('ArrowDown')
    }
    await tabTo(page, 'button', 'Apply filters')
    await page.keyboard.press('Enter')
    await rowOf(page, 'session.opened').waitFor({ state: 'hidden' })

    assert.equal(new URL(page.url()).search, '?event=login.failed')
    const events = new Set(await textsOf(page, 'tbody code'))
    assert.deepEqual([...events], ['login.failed'])
    await page.getByText('A login failed: the address has no account.').first().waitFor()
    await assertGood(page)
    await page.goBack()
    await rowOf(page, 'session.opened').waitFor()
    assert.equal(await page.getByLabel('Event').inputValue(), '')
    assert.deepEqual(complaints(), [])
  })

  test('opens the audit log at the very filters and page that the address names', async () => {
    for (let n = 100; n < 160; n++) await guess(n)
    const filters = 'event=login.failed&since=2026-01-01T20:00:00.000Z'
    await using opened = await web.openAs(web.admin, `/console/audit?${filters}`, {
      ...GERMAN_NIGHT,
      timezoneId: 'Asia/Kolkata',
    })
    const { page, complaints } = opened
    await page.getByRole('link', { name: 'Nächste Seite' }).click()
    await page.getByRole('link', { name: 'Erste Seite' }).waitFor()
    const second = new URL(page.url())
    await page.reload()
    await page.locator('tbody tr').first().waitFor()
    const onSecond = await page.locator('tbody tr').count()
    // Five and a half hours ahead of UTC.
    assert.equal(await page.getByLabel('Von').inputValue(), '2026-01-02T01:30')
    await assertGood(page)

    await page.getByLabel('Bis').fill('2026-01-02T02:00')
    await press(page, 'Filter anwenden')
    await page.getByText('Hier ist nichts.').waitFor()

    assert.ok(second.searchParams.has('after') && onSecond > 0)
    assert.equal(
      new URL(page.url()).search,
      `?${String(new URLSearchParams(`${filters}&until=2026-01-01T20:30:00.000Z`))}`,
    )
    assert.deepEqual(complaints(), [])
  })

  test('keeps which of two times it was that a clock set back shows alike', async () => {
    const [since, until] = ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']
    const times = `since=${since}&until=${until}`
    await using opened = await web.openAs(web.admin, `/console/audit?${times}`, {
      ...ENGLISH_DAY,
      timezoneId: 'Europe/Berlin',
    })
    const { page, complaints } = opened
    await page.getByText('There is nothing here.').waitFor()
    const shown = [
      await page.getByLabel('From').inputValue(),
      await page.getByLabel('Until').inputValue(),
    ]

    await page.getByLabel('Event').selectOption('login.failed')
    await press(page, 'Apply filters')
    await page.waitForURL(/event=login\.failed/)

    const { searchParams } = new URL(page.url())
    assert.deepEqual(shown, ['2026-10-25T02:30', '2026-10-25T02:30'])
    assert.deepEqual([searchParams.get('since'), searchParams.get('until')], [since, until])
    assert.deepEqual(complaints(), [])
  })

  test('says so where the address asks for what cannot be, and offers the whole list', async () => {
    await using opened = await web.openAs(web.admin, '/console/audit?since=yesterday', ENGLISH_DAY)
    const { page, complaints } = opened
    await page.getByRole('alert').filter({ hasText: 'Check what you entered' }).waitFor()
    await assertGood(page)

    await page.getByRole('link', { name: 'Remove filters' }).click()
    await rowOf(page, 'session.opened').waitFor()

    assert.equal(new URL(page.url()).search, '')
    assert.deepEqual(complaints(), [])
  })

  for (const [look, options] of [
    ['on a phone, dark, in German', GERMAN_NIGHT],
    ['on a desktop, light, in English', ENGLISH_DAY],
  ] as const)
    test(`axe finds nothing ${look}, and nothing is wider than the screen`, async () => {
      await using opened = await web.openAs(web.admin, '/console', options)
      const { page, complaints } = opened
      await page.locator('.plot').waitFor()
      await assertGood(page)
      for (const path of ['audit', 'mail', 'jobs', 'settings']) {
        await page.goto(`${web.url}/console/${path}`)
        await page.locator('tbody, dl').first().waitFor()
        await assertGood(page)
      }
      assert.deepEqual(complaints(), [])
    })
})

describe('a clean-up that would delete most users', { skip: missingBrowser }, () => {
  test('is forced only by who has checked the clock, and followed to its end', async () => {
    // It has never run, and nobody runs it until there is a worker.
    const settings = { WORKER: 'separate', CLEANUP_SCHEDULE: '0 0 29 2 *' }
    await using web = await startWebApp(settings)
    web.sql(
      `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 1100)
       insert into users (email, email_canonical, role, created_at, updated_at)
       select 'old' || n || '@example.com', 'old' || n || '@example.com', 'user', ?1, ?1 from numbers`,
      OLD,
    )
    await using opened = await web.openAs(web.admin, '/console/jobs', ENGLISH_DAY)
    await using other = await web.openAs(web.admin, '/console/jobs', ENGLISH_DAY)
    const { page, complaints } = opened
    for (const one of [page, other.page]) {
      await press(one, 'Show what it would delete')
      await said(one, 'A run would delete nobody: it would be 1,100 accounts, more than half')
      await said(one, 'The last run was more than two days ago')
    }
    await card(page, 'Clean-up').getByText('0 0 29 2 *').waitFor()
    await assertGood(page)

    await press(page, 'Delete nevertheless…')
    await page.getByRole('dialog', { name: 'Delete most of the users?' }).waitFor()
    await assertGood(page)
    await press(page, 'Delete nevertheless')
    // The browser asks for the check mark.
    assert.equal(await page.locator('dialog [type=checkbox]:invalid').count(), 1)
    await page.getByLabel('I have compared the clock').check()
    await press(page, 'Delete nevertheless')
    await said(page, 'The clean-up was requested.')
    await assertGood(page)
    await press(other.page, 'Delete nevertheless…')
    await other.page.getByLabel('I have compared the clock').check()
    await press(other.page, 'Delete nevertheless')
    await other.page.getByRole('alert').filter({ hasText: 'The clean-up is running' }).waitFor()
    assert.equal(web.sql('select id from users').length, 1101)

    await using worker = startProgram({ env: web.env, args: ['work'] })
    await said(page, /The clean-up has finished\. .*1,100 accounts deleted/)

    assert.equal(web.sql('select id from users').length, 1)
    assert.equal(worker.child.exitCode, null)
    assert.deepEqual([...complaints(), ...other.complaints()], [])
  })
})

describe('the console on mail and settings', { skip: missingBrowser }, () => {
  test('sends mail again that was refused, and says what becomes of it', async () => {
    await using smtp = await startSmtpServer({ tls: 'none' })
    smtp.behave({ recipient: () => '550 5.1.1 no such user' })
    await using web = await startWebApp({
      MAIL_URL: smtp.url('?tls=off'),
      MAIL_FROM: 'shop@example.com',
    })
    const email = web.newEmail()
    await signUp(web, email)
    await until(
      'a bounced mail',
      () => web.sql("select id from outbox where state = 'bounced'").length > 0,
    )
    await using opened = await web.openAs(web.admin, '/console/mail', ENGLISH_DAY)
    const { page, complaints } = opened
    // The reminder.
    await page.getByText('not sent yet').first().waitFor()
    await page.getByLabel('State').selectOption('Rejected by the recipient’s server')
    await press(page, 'Apply filters')
    await page.getByText('not sent yet').waitFor({ state: 'hidden' })
    const row = page.locator('tbody tr')
    await row.filter({ hasText: email }).waitFor()
    await row.getByText('Last error: RCPT TO was answered 550 5.1.1 no such user').waitFor()
    assert.equal(new URL(page.url()).search, '?state=bounced')
    await assertGood(page)

    smtp.behave({})
    await press(page, `Send again: Verification code, ${email}`)
    await said(page, 'On its way again: Verification code.')
    await page.getByText('There is nothing here.').waitFor()
    await page.locator('[role=status]:focus').waitFor()
    await assertGood(page)
    await smtp.got(1)
    await until(
      'a sent mail',
      () => web.sql("select id from outbox where state = 'sent'").length > 0,
    )
    await page.goto(`${web.url}/console/mail?state=sent&kind=verification`)
    await row
      .filter({ hasText: email })
      .getByRole('link', { name: /^User #\d+$/ })
      .click()

    await heading(page, email)
    assert.equal(smtp.mailsTo(email).length, 1)
    assert.deepEqual(complaints(), [])
  })

  test('never has a hidden setting in it, and finds the others by name or words', async () => {
    const login = { user: 'shop', password: SMTP_PASSWORD }
    await using smtp = await startSmtpServer({ tls: 'none', login })
    await using web = await startWebApp({
      MAIL_URL: smtp.url('?tls=off'),
      MAIL_FROM: 'shop@example.com',
      SHOP_NAME: 'Shop of Settings',
    })
    await using opened = await web.open('/console/settings', { ...GERMAN_NIGHT, locale: 'en-GB' })
    const { page, complaints } = opened
    const answered = page.waitForResponse((answer) => answer.url().endsWith('/api/v1/settings'))
    await page.locator('[autocomplete=username]').fill(web.admin)
    await page.locator('[autocomplete=current-password]').fill(PASSWORD)
    await press(page, 'Sign in')
    const answer = await (await answered).json()
    await heading(page, 'Settings in force')
    const html = await page.content()
    const names = await textsOf(page, 'tbody td:first-child code')
    const findings = await textsOf(page, '.findings li')

    assert.deepEqual(
      names,
      answer.settings.map(({ name }: { name: string }) => name),
    )
    for (const secret of [SMTP_PASSWORD, SETTINGS.SECRET_KEY]) assert.ok(!html.includes(secret))
    // Of the settings for tests; the worst first.
    assert.match(findings[0] ?? '', /Warning\s+ARGON2_MEMORY_KIB/)
    assert.equal(findings.length, answer.findings.length)
    await fill(page, 'Filter by name or words', 'mail TRANSPORT')
    const found = page.locator('tbody tr')
    await found.filter({ hasText: 'MAIL_URL' }).filter({ hasText: 'hidden' }).waitFor()
    await said(page, `1 of ${names.length} settings`)
    assert.equal(await found.getByText('set', { exact: true }).count(), 1)
    assert.equal(await found.locator('code').filter({ hasText: '`' }).count(), 0)
    await fill(page, 'Filter by name or words', 'shop_name')
    await found.filter({ hasText: 'Shop of Settings' }).waitFor()
    await assertGood(page)
    await fill(page, 'Filter by name or words', 'nothing like this')
    await said(page, `0 of ${names.length} settings`)
    await assertGood(page)
    assert.deepEqual(complaints(), [])
  })
})
