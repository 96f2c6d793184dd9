import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { missingBrowser, PATIENCE_MS, watch } from '../support/browser.ts'
import { PASSWORD } from '../support/service.ts'
import { until } from '../support/until.ts'
import {
  DESKTOP,
  fill,
  heading,
  press,
  REFUSED,
  signIn,
  startWebApp,
  type WebApp,
} from '../support/web-app.ts'

const PROOF = 'Confirm your password'
const NAME = 'Name (optional)'

describe('answers that come late, in a browser', { skip: missingBrowser }, () => {
  let web: WebApp
  before(async () => void (web = await startWebApp()))
  after(() => web?.[Symbol.asyncDispose]())

  const roleOf = (email: string) =>
    web.sql('select role from users where email = ?', email)[0]?.['role']
  async function addAdmin(): Promise<string> {
    const email = await web.addUser()
    web.sql(`update users set role = 'admin' where email = ?`, email)
    return email
  }

  /** Tabs of one browser, and what is wrong with any of them. */
  async function openTabs() {
    const context = await web.browser.newContext({ locale: 'en-GB', viewport: DESKTOP })
    context.setDefaultTimeout(PATIENCE_MS)
    const complaints: string[][] = []
    return {
      complaints: () => complaints.flat().filter((text) => !REFUSED.test(text)),
      async tab(path = '/'): Promise<Page> {
        const page = await context.newPage()
        complaints.push(watch(page, web.url))
        await page.goto(web.url + path)
        return page
      },
      [Symbol.asyncDispose]: () => context.close(),
    }
  }

  /** The service does at once what is asked first; the page hears of it when the test says so. */
  async function holdAnswer(page: Page, method: string, path: string) {
    const done = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const given = Promise.withResolvers<void>()
    let isHeld = false
    await page.route(`${web.url}/api/v1${path}`, async (route) => {
      if (isHeld || route.request().method() !== method) return route.fallback()
      isHeld = true
      const response = await route.fetch()
      done.resolve()
      await released.promise
      await route.fulfill({ response })
      given.resolve()
    })
    return {
      done: done.promise,
      async release() {
        released.resolve()
        await given.promise
      },
    }
  }

  const dialog = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true })
  const said = (page: Page, text: string) =>
    page.getByRole('status').filter({ hasText: text }).waitFor()
  /** Asks for an act and confirms it. */
  async function act(page: Page, name: string) {
    await press(page, name)
    await dialog(page, name).getByRole('button', { name, exact: true }).click()
  }
  async function signInAs(page: Page, email: string) {
    await heading(page, 'Sign in')
    await signIn(page, email)
    await page.getByText(email).first().waitFor()
  }
  /** A page of somebody who is signed in takes what its user does. */
  async function saveName(page: Page, name: string) {
    await fill(page, NAME, name)
    await press(page, 'Save')
    await said(page, 'Your name is saved.')
  }
  /** As a browser tells it to a page that is shown again. */
  const comeBack = (page: Page) =>
    page.evaluate(`document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`)

  test('a late change of Alice is none of Bob’s, who has signed in in another tab', async () => {
    const [alice, bob] = [await web.addUser('Alice'), await web.addUser('Bob')]
    await using tabs = await openTabs()
    const [first, second] = [await tabs.tab(), await tabs.tab()]
    await signInAs(first, alice)
    const answer = await holdAnswer(first, 'PATCH', '/me')
    await fill(first, NAME, 'Alice Lee')
    await press(first, 'Save')
    await answer.done
    await press(second, 'Sign out')
    await signInAs(second, bob)
    await first.getByText(bob).waitFor()

    await answer.release()
    await press(first, 'Delete my account')

    const asked = dialog(first, 'Delete your account?')
    await asked.getByText(`type ${bob} and your password`).waitFor()
    assert.equal(await first.getByText(alice).count(), 0)
    assert.equal(await first.getByLabel(NAME).inputValue(), 'Bob')
    assert.deepEqual(tabs.complaints(), [])
  })

  test('a late deletion of Alice neither signs Bob out nor tells him that he is deleted', async () => {
    const [alice, bob] = [await web.addUser(), await web.addUser()]
    await using tabs = await openTabs()
    const first = await tabs.tab()
    await signInAs(first, alice)
    const answer = await holdAnswer(first, 'DELETE', '/me')
    await press(first, 'Delete my account')
    const asked = dialog(first, 'Delete your account?')
    await asked.getByLabel('Your email address').fill(alice)
    await asked.getByLabel('Current password', { exact: true }).fill(PASSWORD)
    await asked.getByRole('button', { name: 'Delete for good' }).click()
    await answer.done
    const second = await tabs.tab()
    await signInAs(second, bob)
    await first.getByText(bob).waitFor()

    await answer.release()
    await saveName(first, 'Bob Lee')
    await second.reload()
    await second.getByText(bob).waitFor()

    assert.deepEqual(web.sql('select id from users where email = ?', alice), [])
    assert.equal(await first.getByText('Your account and your data are deleted.').count(), 0)
    assert.equal(await first.getByText(bob).count(), 1)
    assert.deepEqual(tabs.complaints(), [])
  })

  test('a late export of Alice is not saved on the device of Bob', async () => {
    const [alice, bob] = [await web.addUser(), await web.addUser()]
    await using tabs = await openTabs()
    const page = await tabs.tab()
    await signInAs(page, alice)
    const answer = await holdAnswer(page, 'GET', '/me/export')
    await press(page, 'Download my data')
    await answer.done
    await press(page, 'Sign out')
    await signInAs(page, bob)
    const downloaded = page.waitForEvent('download')

    await answer.release()
    await press(page, 'Download my data')

    const file = await readFile(await (await downloaded).path(), 'utf8')
    assert.ok(file.includes(bob))
    assert.ok(!file.includes(alice))
    assert.deepEqual(tabs.complaints(), [])
  })

  test('a password confirms nothing that was begun on the page of another user', async () => {
    const [admin, ann, bob] = [await addAdmin(), await web.addUser(), await addAdmin()]
    await using opened = await web.openAs(admin, web.pageOf(bob), { viewport: DESKTOP })
    const { page } = opened
    await heading(page, bob)
    web.makeLoginsOld(admin)
    await page.getByRole('link', { name: 'Users', exact: true }).click()
    await page.getByRole('link', { name: ann, exact: true }).click()
    const answer = await holdAnswer(page, 'PATCH', `/users/${web.idOf(ann)}`)
    await act(page, 'Make an admin')
    await answer.done
    await page.goBack()
    await page.goBack()
    await heading(page, bob)
    await act(page, 'End all sessions')
    const proof = dialog(page, PROOF)
    await proof.getByLabel('Password', { exact: true }).fill(PASSWORD)

    await answer.release()
    await proof.getByRole('button', { name: 'Confirm' }).click()
    await said(page, `All sessions of ${bob} were ended.`)

    assert.equal(await proof.count(), 0)
    assert.equal(roleOf(ann), 'user')
    assert.deepEqual(opened.complaints(), [])
  })

  test('who is signed in next is not asked to confirm what another admin began', async () => {
    const [alice, bob, ann] = [await addAdmin(), await addAdmin(), await addAdmin()]
    await using tabs = await openTabs()
    const [first, second] = [await tabs.tab(web.pageOf(ann)), await tabs.tab()]
    await signInAs(second, alice)
    await heading(first, ann)
    web.makeLoginsOld(alice)
    const answer = await holdAnswer(first, 'PATCH', `/users/${web.idOf(ann)}`)
    await act(first, 'Take the admin role away')
    await answer.done
    await press(second, 'Sign out')
    await signInAs(second, bob)
    web.makeLoginsOld(bob)
    await heading(first, ann)
    await act(first, 'End all sessions')
    const proof = dialog(first, PROOF)
    await proof.getByLabel('Password', { exact: true }).fill(PASSWORD)

    await answer.release()
    await proof.getByRole('button', { name: 'Confirm' }).click()
    await said(first, `All sessions of ${ann} were ended.`)

    assert.equal(await proof.count(), 0)
    assert.equal(roleOf(ann), 'admin')
    assert.deepEqual(tabs.complaints(), [])
  })

  test('a question for the password goes with the page that asked it', async () => {
    const [admin, ann] = [await addAdmin(), await web.addUser()]
    await using opened = await web.openAs(admin, '/console/users', { viewport: DESKTOP })
    const { page } = opened
    await page.getByRole('link', { name: ann, exact: true }).click()
    await heading(page, ann)
    web.makeLoginsOld(admin)
    await act(page, 'Make an admin')
    await dialog(page, PROOF).waitFor()

    await page.goBack()
    await heading(page, 'Users')
    await dialog(page, PROOF).waitFor({ state: 'detached' })

    assert.equal(roleOf(ann), 'user')
    assert.deepEqual(opened.complaints(), [])
  })

  test('two clicks at once send one invitation', async () => {
    const email = web.newEmail()
    await using opened = await web.openAs(await addAdmin(), '/console/users/new')
    const { page } = opened
    const sent: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/users')) sent.push(request.url())
    })
    await heading(page, 'Invite a user')
    await fill(page, 'Email', email)

    const submit = page.getByRole('button', { name: 'Send the invitation' })
    await submit.evaluate((button: { click: () => void }) => {
      button.click()
      button.click()
    })
    await heading(page, 'The invitation is on its way')

    assert.equal(sent.length, 1)
    assert.deepEqual(opened.complaints(), [])
  })

  test('a held Enter opens a dialog and does not confirm it', async () => {
    const ann = await web.addUser()
    await using opened = await web.openAs(await addAdmin(), web.pageOf(ann), { viewport: DESKTOP })
    const { page } = opened
    await page.getByRole('button', { name: 'Disable the account' }).focus()

    await page.keyboard.down('Enter')
    const asked = dialog(page, 'Disable the account')
    await asked.locator('h2:focus').waitFor()
    await page.keyboard.down('Enter')
    await page.keyboard.up('Enter')
    await page.keyboard.press('Escape')
    await asked.waitFor({ state: 'detached' })
    await press(page, 'Make an admin')

    assert.deepEqual(web.sql('select disabled_at from users where email = ?', ann), [
      { __proto__: null, disabled_at: null },
    ])
    assert.deepEqual(opened.complaints(), [])
  })

  test('who comes back to a page sees what another tab has changed, and keeps what was typed', async () => {
    const ann = await web.addUser('Ann')
    await using tabs = await openTabs()
    const [first, second] = [await tabs.tab(), await tabs.tab()]
    await signInAs(first, ann)
    await second.getByText(ann).waitFor()
    const name = first.getByLabel(NAME)

    await saveName(second, 'Ann Lee')
    await comeBack(first)
    await until('the new name', async () => (await name.inputValue()) === 'Ann Lee')
    await name.fill('Ann Lee M')
    web.sql(`update users set full_name = 'Anna', role = 'admin' where email = ?`, ann)
    await comeBack(first)
    await first.getByRole('link', { name: 'Open the console' }).waitFor()

    assert.equal(await name.inputValue(), 'Ann Lee M')
    assert.deepEqual(tabs.complaints(), [])
  })

  test('what was asked before a name is saved does not bring the former name back', async () => {
    const ann = await web.addUser('Ann')
    await using opened = await web.openAs(ann, '/', { viewport: DESKTOP })
    const { page } = opened
    await heading(page, 'Your account')
    const answer = await holdAnswer(page, 'GET', '/me')
    await comeBack(page)
    await answer.done
    await saveName(page, 'Ann Lee')

    await answer.release()
    await press(page, 'Download my data')
    await said(page, 'is downloaded.')

    assert.equal(await page.getByLabel(NAME).inputValue(), 'Ann Lee')
    assert.deepEqual(opened.complaints(), [])
  })

  test('a deletion is told once, is not kept in the history, and is counted', async () => {
    const [admin, ann] = [await addAdmin(), await web.addUser('Ann Lee')]
    const count = () => Number(web.sql('select count(*) as count from users')[0]?.['count'])
    await using opened = await web.openAs(admin, '/console/users', { viewport: DESKTOP })
    const { page } = opened
    await said(page, `${count()} users`)
    await page.getByRole('link', { name: ann, exact: true }).click()
    await press(page, 'Delete the user')
    await dialog(page, 'Delete the user').getByLabel(`Type ${ann} to confirm`).fill(ann)
    await dialog(page, 'Delete the user').getByRole('button', { name: 'Delete the user' }).click()
    await heading(page, 'Users')
    const told = page.getByText(`(${ann}) was deleted.`)
    await told.waitFor()
    await said(page, `${count()} users`)
    await until('an empty state', () => page.evaluate<boolean>('history.state === null'))
    await page.reload()
    await said(page, `${count()} users`)

    assert.equal(await told.count(), 0)
    assert.deepEqual(opened.complaints(), [])
  })
})
