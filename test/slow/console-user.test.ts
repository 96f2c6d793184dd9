import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { missingBrowser } from '../support/browser.ts'
import { PASSWORD } from '../support/service.ts'
import { until } from '../support/until.ts'
import {
  DESKTOP,
  fill,
  heading,
  type OpenedPage,
  press,
  signIn,
  startWebApp,
  violationsOn,
  type WebApp,
} from '../support/web-app.ts'

const NEW_PASSWORD = 'a new battery for the horse'
const PROOF = 'Confirm your password'

describe('the page of a user in the console', { skip: missingBrowser }, () => {
  let web: WebApp
  before(async () => void (web = await startWebApp()))
  after(() => web?.[Symbol.asyncDispose]())

  async function send(
    path: string,
    body: object,
    { as, method = 'POST' }: Sent = {},
  ): Promise<{ access_token?: string }> {
    const headers = { 'content-type': 'application/json' }
    const token =
      as === undefined
        ? undefined
        : (await send('/auth/login', { email: as, password: PASSWORD })).access_token
    const answer = await fetch(`${web.url}/api/v1${path}`, {
      method,
      headers: token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
    assert.ok(answer.ok, `${path}: ${answer.status}`)
    return (await answer.json()) as { access_token?: string }
  }
  async function addAdmin(): Promise<string> {
    const email = await web.addUser()
    await send(`/users/${web.idOf(email)}`, { role: 'admin' }, { as: web.admin, method: 'PATCH' })
    return email
  }
  async function invite(role: 'user' | 'admin' = 'user'): Promise<string> {
    const email = web.newEmail()
    await send('/users', { email, role }, { as: web.admin })
    return email
  }
  /** The `index`th link that was mailed, from its path on. */
  async function linkTo(email: string, what: 'Invitation' | 'Password reset link', index = 0) {
    const line = `${what} for ${email}: \\S+?(/reset#\\S+)`
    await web.program.printed(
      new RegExp(Array.from({ length: index + 1 }, () => line).join('[^]*')),
    )
    return [...web.program.stdout().matchAll(new RegExp(line, 'g'))][index]?.[1] ?? ''
  }

  /** Nothing that axe finds, nothing wider than the screen. */
  async function assertGood({ page }: Pick<OpenedPage, 'page'>) {
    assert.deepEqual(await violationsOn(page), [])
    const width = await page.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(width <= (page.viewportSize()?.width ?? 0), `${width} pixels wide`)
  }
  const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true })
  const dialog = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true })
  const said = (page: Page, text: string) =>
    page.getByRole('status').filter({ hasText: text }).waitFor()

  /** Asks for an act and confirms it. */
  async function act(page: Page, name: string) {
    await press(page, name)
    await dialog(page, name).getByRole('button', { name, exact: true }).click()
  }

  /** The service gets those of this page once they are released. */
  async function holdDeletions(page: Page): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    await page.route('**/api/v1/users/*', async (route) => {
      if (route.request().method() === 'DELETE') await promise
      await route.continue()
    })
    return resolve
  }
  /** Until it is under way. */
  async function confirmDeletion(page: Page, email: string) {
    await press(page, 'Delete the user')
    const asked = dialog(page, 'Delete the user')
    await asked.locator('input').fill(email)
    await asked.getByRole('button', { name: 'Delete the user' }).click()
    await asked.locator('form[aria-busy=true]').waitFor()
  }

  test('disables somebody, who is signed out elsewhere, and takes it back', async () => {
    const ann = await web.addUser('Ann Lee')
    await using hers = await web.openAs(ann, '/')
    await hers.page.getByText(ann).first().waitFor()
    await using opened = await web.openAs(web.admin, web.pageOf(ann), { viewport: DESKTOP })
    const { page } = opened
    await heading(page, 'Ann Lee')
    await card(page, 'Sessions').getByText('127.0.0.1').waitFor()
    await card(page, 'Timeline').getByText('The address was verified').waitFor()
    await assertGood(opened)

    await press(page, 'Disable the account')
    const asked = dialog(page, 'Disable the account')
    await asked.getByText(`Signs \u2068Ann Lee\u2069 (${ann}) out everywhere`).waitFor()
    await assertGood(opened)
    await asked.getByRole('button', { name: 'Disable the account' }).click()
    await said(page, `(${ann}) is disabled`)
    await card(page, 'Sessions').getByText('There is nothing here.').waitFor()
    await card(page, 'Timeline').getByText('The account was disabled').waitFor()
    await assertGood(opened)
    const offered = await card(page, 'Actions').getByRole('button').allTextContents()
    await hers.page.reload()
    await signIn(hers.page, ann)
    await hers.page.getByText('This account is disabled.').waitFor()

    assert.deepEqual(offered, ['Edit the name', 'Enable the account', 'Delete the user'])
    await press(page, 'Undo')
    await said(page, `(${ann}) is enabled`)
    await signIn(hers.page, ann)
    await hers.page.getByText(ann).first().waitFor()
    await page.getByRole('button', { name: 'Disable the account' }).waitFor()
    assert.deepEqual([...opened.complaints(), ...hers.complaints()], [])
  })

  test('makes an admin, takes the role away, and shows the demoted out with words', async () => {
    const ann = await web.addUser()
    await using opened = await web.openAs(web.admin, web.pageOf(ann), { colorScheme: 'dark' })
    const { page } = opened
    await act(page, 'Make an admin')
    await said(page, `${ann} is an admin now.`)
    await card(page, 'Timeline').getByText('The role was changed from user to admin.').waitFor()
    await using hers = await web.openAs(ann, '/console/users')
    await heading(hers.page, 'Users')

    await act(page, 'Take the admin role away')
    await said(page, `${ann} is no longer an admin.`)
    await assertGood(opened)
    await hers.page.getByRole('link', { name: 'Overview' }).click()
    await hers.page.goBack()
    await heading(hers.page, 'This page is for admins')
    await assertGood(hers)

    await press(page, 'Undo')
    await said(page, `${ann} is an admin now.`)
    assert.deepEqual([...opened.complaints(), ...hers.complaints()], [])
  })

  test('a disabled admin is out at the next click, with words', async () => {
    const ann = await addAdmin()
    await using hers = await web.openAs(ann, '/console', { viewport: DESKTOP })
    await heading(hers.page, 'Overview')
    await using opened = await web.openAs(web.admin, web.pageOf(ann))
    await act(opened.page, 'Disable the account')
    await said(opened.page, `${ann} is disabled`)

    await hers.page.getByRole('link', { name: 'Users', exact: true }).click()
    await hers.page.getByText('You were signed out. Sign in again.').waitFor()

    await heading(hers.page, 'Sign in')
    assert.deepEqual([...opened.complaints(), ...hers.complaints()], [])
  })

  test('ends the sessions of somebody on every device', async () => {
    const ann = await web.addUser()
    await using hers = await web.openAs(ann, '/')
    await hers.page.getByText(ann).first().waitFor()
    await using opened = await web.openAs(web.admin, web.pageOf(ann), { locale: 'de-AT' })
    const { page } = opened

    await act(page, 'Alle Sitzungen beenden')
    await said(page, `Alle Sitzungen von ${ann} wurden beendet.`)
    await card(page, 'Sitzungen').getByText('Hier ist nichts.').waitFor()
    await hers.page.reload()

    await heading(hers.page, 'Sign in')
    await card(page, 'Verlauf').getByText('Alle Sitzungen wurden beendet.').waitFor()
    await assertGood(opened)
    assert.deepEqual([...opened.complaints(), ...hers.complaints()], [])
  })

  test('sends a link, with which somebody sets a new password', async () => {
    const ann = await web.addUser()
    await using opened = await web.openAs(web.admin, web.pageOf(ann))
    const { page } = opened
    await act(page, 'Send a reset link')
    await said(page, `A link is on its way to ${ann}.`)
    await card(page, 'Messages of the last 30 days').getByText('Link to set a password').waitFor()

    await using hers = await web.open(await linkTo(ann, 'Password reset link'))
    await fill(hers.page, 'New password', NEW_PASSWORD)
    await press(hers.page, 'Set password')
    await heading(hers.page, 'Your new password is set')
    await hers.page.goto(web.url)
    await signIn(hers.page, ann, NEW_PASSWORD)
    await hers.page.getByText(ann).first().waitFor()

    assert.deepEqual([...opened.complaints(), ...hers.complaints()], [])
  })

  test('deletes somebody once the address is typed, and says so in the list', async () => {
    const ann = await web.addUser('Ann Lee')
    const path = web.pageOf(ann)
    await using opened = await web.openAs(web.admin, path, { colorScheme: 'dark', locale: 'de' })
    const { page } = opened
    await press(page, 'Benutzer löschen')
    const asked = dialog(page, 'Benutzer löschen')
    const field = asked.getByLabel(`Geben Sie zur Bestätigung ${ann} ein`)
    await field.fill('bob@example.com')
    await asked.getByRole('button', { name: 'Benutzer löschen' }).click()
    await asked
      .getByRole('alert')
      .filter({ hasText: `Das ist eine andere Adresse. Geben Sie ${ann} ein.` })
      .waitFor()
    await asked.locator('input:focus').waitFor()
    await assertGood(opened)
    const isLeft = web.idOf(ann)

    await field.fill(`  ${ann.toUpperCase()} `)
    await asked.getByRole('button', { name: 'Benutzer löschen' }).click()
    await heading(page, 'Benutzer')
    await said(page, `(${ann}) wurde gelöscht.`)
    await assertGood(opened)

    assert.ok(isLeft > 0)
    assert.deepEqual(web.sql('select id from users where email = ?', ann), [])
    await page.goto(web.url + path)
    await heading(page, 'Diesen Benutzer gibt es nicht')
    await assertGood(opened)
    assert.deepEqual(opened.complaints(), [])
  })

  test('keeps a dialog open until what was confirmed is done', async () => {
    const ann = await web.addUser()
    await using opened = await web.openAs(web.admin, web.pageOf(ann))
    const { page } = opened
    const release = await holdDeletions(page)
    const asked = dialog(page, 'Delete the user')
    const cancel = asked.getByRole('button', { name: 'Cancel' })
    await confirmDeletion(page, ann)

    // Without the check of Playwright, which finds that it is disabled.
    await cancel.dispatchEvent('click')
    for (let presses = 0; presses < 3; presses++) await page.keyboard.press('Escape')
    // The last Escape closes it for a moment.
    await asked.waitFor()
    const isDisabled = await cancel.isDisabled()
    await assertGood(opened)
    release()
    await heading(page, 'Users')
    await said(page, `${ann} was deleted.`)

    assert.ok(isDisabled)
    assert.deepEqual(opened.complaints(), [])
  })

  test('leads nobody away who has left the page before an act was done', async () => {
    const ann = await web.addUser()
    const list = `/console/users?q=${encodeURIComponent(ann)}`
    await using opened = await web.openAs(web.admin, list)
    const { page } = opened
    await page.getByRole('link', { name: ann }).click()
    const release = await holdDeletions(page)
    await confirmDeletion(page, ann)
    await page.goBack()
    await heading(page, 'Users')
    const visited: string[] = []
    page.on('framenavigated', (frame) => visited.push(new URL(frame.url()).pathname))

    const answered = page.waitForResponse((answer) => answer.request().method() === 'DELETE')
    release()
    await (await answered).finished()
    await page.getByRole('link', { name: 'Jobs' }).click()
    await card(page, 'Clean-up').waitFor()

    assert.deepEqual(visited, ['/console/jobs'])
    assert.equal(await page.getByText(`${ann} was deleted.`).count(), 0)
    assert.deepEqual(opened.complaints(), [])
  })

  test('says that there is no user of a number that nobody has, or of no number', async () => {
    await using opened = await web.openAs(web.admin, '/console/users/999999')
    const { page } = opened
    await heading(page, 'There is no such user')
    for (const id of ['0', 'abc', '-1', '1.5', '99999999999999999999']) {
      await page.goto(`${web.url}/console/users/${id}`)
      await heading(page, 'There is no such user')
    }
    await assertGood(opened)
    assert.deepEqual(opened.complaints(), [])
  })

  test('sends an invitation again, after which the first link is dead, and revokes it', async () => {
    const ann = await invite('admin')
    await using opened = await web.openAs(web.admin, web.pageOf(ann), { viewport: DESKTOP })
    const { page } = opened
    await page.getByText(/^as an admin, until /).waitFor()
    const offered = await card(page, 'Actions').getByRole('button').allTextContents()
    const first = await linkTo(ann, 'Invitation')
    await act(page, 'Send the invitation again')
    await said(page, `The invitation is on its way to ${ann}.`)
    const second = await linkTo(ann, 'Invitation', 1)
    await card(page, 'Timeline').getByText('The invitation as an admin was sent again').waitFor()
    await assertGood(opened)

    await press(page, 'Revoke the invitation')
    await assertGood(opened)
    await dialog(page, 'Revoke the invitation').getByRole('button').first().click()
    await heading(page, 'Users')
    await said(page, `The invitation of ${ann} was revoked.`)

    assert.deepEqual(offered, [
      'Edit the name',
      'Send the invitation again',
      'Revoke the invitation',
      'Disable the account',
      'Delete the user',
    ])
    for (const link of [first, second]) {
      await using hers = await web.open(link)
      await hers.page.locator('[autocomplete=new-password]').fill(NEW_PASSWORD)
      await hers.page.locator('[type=submit]').click()
      await heading(hers.page, 'This invitation is no longer valid')
    }
    assert.deepEqual(opened.complaints(), [])
  })

  test('keeps the account of a revoked invitation with which somebody signed up', async () => {
    const ann = await invite()
    await send('/auth/signup', { email: ann, password: PASSWORD })
    await using opened = await web.openAs(web.admin, web.pageOf(ann))
    const { page } = opened

    await act(page, 'Revoke the invitation')
    await said(page, `The invitation of ${ann} was revoked.`)
    await act(page, 'Send the code again')
    await said(page, `The code is on its way to ${ann}.`)

    const offered = await card(page, 'Actions').getByRole('button').allTextContents()
    await card(page, 'Timeline').getByText('The verification code was sent again').waitFor()
    await assertGood(opened)
    assert.deepEqual(offered, [
      'Edit the name',
      'Send the code again',
      'Disable the account',
      'Delete the user',
    ])
    assert.deepEqual(opened.complaints(), [])
  })

  test('an invitation that was accepted meanwhile is refused in words, and the page is read again', async () => {
    const ann = await invite()
    await using opened = await web.openAs(web.admin, web.pageOf(ann))
    const { page } = opened
    await press(page, 'Revoke the invitation')
    const token = /token=([^&]+)/.exec(await linkTo(ann, 'Invitation'))?.[1]
    await send('/auth/password/reset', { token, password: NEW_PASSWORD })

    const asked = dialog(page, 'Revoke the invitation')
    await asked.getByRole('button', { name: 'Revoke the invitation' }).click()
    await asked.getByRole('alert').filter({ hasText: 'This user is verified already.' }).waitFor()
    await assertGood(opened)
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'Make an admin' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Revoke the invitation' }).count(), 0)
    assert.deepEqual(opened.complaints(), [])
  })

  test('asks for the password once where the login is old, and goes on with what was begun', async () => {
    const zoe = await addAdmin()
    const [ann, bob] = [await web.addUser(), await web.addUser()]
    await using opened = await web.openAs(zoe, web.pageOf(ann))
    const { page } = opened
    await heading(page, ann)
    web.makeLoginsOld(zoe)

    await act(page, 'Make an admin')
    const proof = dialog(page, PROOF)
    await proof.getByRole('button', { name: 'Cancel' }).click()
    await dialog(page, 'Make an admin').getByText('Confirm your password to do this.').waitFor()
    const unchanged = web.sql('select role from users where id = ?', web.idOf(ann))
    await assertGood(opened)
    await dialog(page, 'Make an admin').getByRole('button', { name: 'Make an admin' }).click()
    await proof.getByLabel('Password', { exact: true }).fill('wrong')
    await proof.getByRole('button', { name: 'Confirm' }).click()
    await proof.getByText('The current password is wrong. Enter it again.').waitFor()
    await assertGood(opened)
    await proof.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await proof.getByRole('button', { name: 'Confirm' }).click()
    await said(page, `${ann} is an admin now.`)
    await page.goto(web.url + web.pageOf(bob))
    await act(page, 'Make an admin')
    await said(page, `${bob} is an admin now.`)

    assert.deepEqual(
      unchanged.map(({ role }) => role),
      ['user'],
    )
    assert.equal(await proof.count(), 0)
    assert.deepEqual(opened.complaints(), [])
  })

  test('changes a name, tells which one cannot be, and removes it', async () => {
    const ann = await web.addUser('Ann')
    await using opened = await web.openAs(web.admin, web.pageOf(ann), { locale: 'de-DE' })
    const { page } = opened
    const rename = async (name: string) => {
      await page.getByRole('dialog').getByLabel('Name').fill(name)
      await page.getByRole('dialog').getByRole('button', { name: 'Speichern' }).click()
    }
    await press(page, 'Namen ändern')
    await rename('Ann\u202eeel')
    await page.getByText('Das enthält ein ungültiges Zeichen.').waitFor()
    await assertGood(opened)
    await rename(' Ann Lee ')
    await heading(page, 'Ann Lee')
    await said(page, `Der Name von ${ann} wurde gespeichert.`)
    await page.locator('[role=status]:focus').waitFor()

    await press(page, 'Namen ändern')
    await rename('')
    await heading(page, ann)
    assert.deepEqual(opened.complaints(), [])
  })

  test('says on her own page what an admin cannot do to herself, and where the rest is', async () => {
    await using opened = await web.openAs(web.admin, web.pageOf(web.admin))
    const { page } = opened
    await page.getByText('Nobody can change their own role or disable themselves.').waitFor()
    const offered = await card(page, 'Actions').getByRole('button').allTextContents()
    await assertGood(opened)

    await page.getByRole('link', { name: 'your account page' }).click()
    await page.getByText(web.admin).first().waitFor()

    assert.deepEqual(offered, ['Edit the name'])
    assert.equal(new URL(page.url()).pathname, '/')
    assert.deepEqual(opened.complaints(), [])
  })

  test('shows the login lock, and lifts it', async () => {
    const ann = await web.addUser()
    web.sql(
      `insert into audit_events (at, event, subject_id, changes)
       values (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'login.failed', ?, '{"reason":"login_locked"}')`,
      web.idOf(ann),
    )
    await using opened = await web.openAs(web.admin, web.pageOf(ann), { colorScheme: 'dark' })
    const { page } = opened
    const lock = page.getByText('Logins were refused after too many wrong passwords')
    await lock.waitFor()
    await assertGood(opened)

    await act(page, 'Lift the login lock')
    await said(page, `Logins of ${ann} are not locked.`)
    await lock.waitFor({ state: 'detached' })

    await card(page, 'Timeline').getByText('The lock after wrong passwords was lifted.').waitFor()
    assert.deepEqual(opened.complaints(), [])
  })

  test('sends a message again that failed, and says why it did', async () => {
    const ann = await web.addUser()
    // The worker writes how it went after it has printed the code.
    await until('a sent code', () => {
      const states = web.sql(
        "select state from outbox where user_id = ? and kind = 'verification'",
        web.idOf(ann),
      )
      return states[0]?.['state'] === 'sent'
    })
    web.sql(
      `update outbox set state = 'bounced', last_error = '550 5.1.1 no such user' where user_id = ? and kind = 'verification'`,
      web.idOf(ann),
    )
    await using opened = await web.openAs(web.admin, web.pageOf(ann))
    const { page } = opened
    const mail = card(page, 'Messages of the last 30 days')
    await mail.getByText('550 5.1.1 no such user').waitFor()
    await assertGood(opened)

    await press(page, `Send again: Verification code, ${ann}`)
    await said(page, 'On its way again: Verification code.')
    await mail.getByText('Rejected by').waitFor({ state: 'detached' })

    await card(page, 'Timeline').getByText('sent again: Verification code.').waitFor()
    assert.deepEqual(opened.complaints(), [])
  })

  test('tells the timeline in words, newest first, with its links, more on demand', async () => {
    const ann = await web.addUser()
    const id = web.idOf(ann)
    for (let index = 0; index < 30; index++)
      web.sql(
        `insert into audit_events (at, event, subject_id, changes)
         values (strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day'), 'password.refused', ?, '{}')`,
        id,
      )
    web.sql(
      `insert into audit_events (at, event, actor_id, subject_id, changes)
       values ('2099-01-01T00:00:00.000Z', 'newer.event', ?, ?, '{}')`,
      web.idOf(web.admin),
      id,
    )
    await using opened = await web.openAs(web.admin, web.pageOf(ann), { viewport: DESKTOP })
    const { page } = opened
    const timeline = card(page, 'Timeline')
    const rows = timeline.getByRole('row')
    await timeline.getByText('newer.event').waitFor()
    const [atFirst, newest] = [await rows.count(), await rows.nth(1).textContent()]
    const nobody = await timeline.getByText('somebody not signed in').count()

    await press(page, 'Show more')
    await rows.nth(33).waitFor()
    const isAll = (await page.getByRole('button', { name: 'Show more' }).count()) === 0
    await assertGood(opened)
    const further: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/audit?') && request.url().includes('after='))
        further.push(request.url())
    })
    await act(page, 'Lift the login lock')
    await timeline.getByText('The lock after wrong passwords was lifted.').waitFor()
    const afterAct = await rows.count()
    await timeline
      .getByRole('link', { name: `admin #${web.idOf(web.admin)}` })
      .first()
      .click()
    await heading(page, web.admin)
    await page
      .getByRole('link', { name: `user #${id}` })
      .first()
      .waitFor()

    assert.deepEqual([atFirst, isAll, afterAct], [21, true, 21])
    assert.deepEqual(further, [])
    assert.match(newest ?? '', /newer\.event/)
    assert.equal(nobody, 2)
    assert.deepEqual(opened.complaints(), [])
  })

  test('is found, disabled, enabled again and deleted by keyboard alone', async () => {
    const ann = await web.addUser()
    await using opened = await web.openAs(web.admin, '/console/users', { viewport: DESKTOP })
    const { page } = opened
    const focused = () => page.evaluate<string>('document.activeElement.textContent')
    const tabTo = async (name: string) => {
      // The title of a dialog, which has the focus at first, may say what its button does.
      for (let presses = 0; presses === 0 || (await focused()) !== name; presses++) {
        assert.ok(presses < 100, `${name} has never the focus`)
        await page.keyboard.press('Tab')
      }
    }
    const disable = dialog(page, 'Disable the account')
    // From then on the page listens to its keys.
    await page.locator('h1:focus', { hasText: 'Users' }).waitFor()

    await page.keyboard.press('/')
    await page.keyboard.type(ann)
    await page.getByRole('link', { name: ann }).waitFor()
    await page.getByRole('row').filter({ hasNotText: ann }).nth(1).waitFor({ state: 'detached' })
    await tabTo(ann)
    await page.keyboard.press('Enter')
    await heading(page, ann)
    await card(page, 'Timeline').getByRole('row').first().waitFor()
    await tabTo('Disable the account')
    await page.keyboard.press('Enter')
    await disable.waitFor()
    await page.keyboard.press('Escape')
    await disable.waitFor({ state: 'detached' })
    const afterEscape = await focused()
    await page.keyboard.press('Enter')
    await disable.waitFor()
    await tabTo('Disable the account')
    await page.keyboard.press('Enter')
    await said(page, `${ann} is disabled`)
    await page.locator('[role=status]:focus').waitFor()
    await page.keyboard.press('Tab')
    const next = await focused()
    await page.keyboard.press('Enter')
    await said(page, `${ann} is enabled`)
    await tabTo('Delete the user')
    await page.keyboard.press('Enter')
    await dialog(page, 'Delete the user').waitFor()
    await page.locator('dialog input:focus').waitFor()
    await page.keyboard.type(ann)
    await page.keyboard.press('Enter')
    await said(page, `${ann} was deleted.`)

    assert.deepEqual([afterEscape, next], ['Disable the account', 'Undo'])
    assert.deepEqual(opened.complaints(), [])
  })
})

interface Sent {
  /** Who signs in for it. */
  readonly as?: string
  readonly method?: string
}
