import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missingBrowser } from '../support/browser.ts'
import { DESKTOP, heading, press, startWebApp } from '../support/web-app.ts'

// One way through the web app, so that the quick suite notices a build that shows nothing.

test('an admin signs in, searches the users, and signs out', async (t) => {
  if (missingBrowser) return t.skip(missingBrowser)
  await using web = await startWebApp()
  const other = await web.addUser('Ann Lee')

  await using opened = await web.openAs(web.admin, '/console', { viewport: DESKTOP })
  const { page, complaints } = opened
  await heading(page, 'Overview')
  await page.goto(`${web.url}/console/users?q=${other}`)
  await page.getByText('1 user', { exact: true }).waitFor()
  await page.getByRole('link', { name: other }).waitFor()
  await press(page, 'Sign out')
  await heading(page, 'Sign in')

  assert.deepEqual(complaints(), [])
})
