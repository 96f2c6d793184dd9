import { existsSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { MINUTE_MS } from '../../server/lib/units.ts'

export const CHROMIUM = '/usr/bin/chromium'

/** Why a test in a browser is skipped, or false. */
export const missingBrowser =
  !existsSync(CHROMIUM) && process.env['CI'] !== 'true' && `${CHROMIUM} is absent`

/** For what a page must come to show: it ends a hang, and no slow machine. */
export const PATIENCE_MS = 2 * MINUTE_MS

export const LAUNCH = {
  executablePath: CHROMIUM,
  timeout: PATIENCE_MS,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
}

/** Everything that a page may not do: complain, break the CSP, or ask anybody else. */
export function watch(page: Page, origin: string): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => {
    // Aborted is what the next page, which the test opens, ends.
    const isAborted = request.failure()?.errorText === 'net::ERR_ABORTED'
    if (!isAborted) complaints.push(`failed: ${request.url()}`)
  })
  page.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url())
    if (protocol !== 'data:' && asked !== origin) complaints.push(`left: ${request.url()}`)
  })
  return complaints
}

/** What an admin sees who authorizes in Swagger UI and tries `GET /users` out. */
export async function tryListOfUsers(
  page: Page,
  { docs, email, password }: { docs: string; email: string; password: string },
): Promise<string> {
  await page.goto(docs)
  await page.getByText('/api/v1/users', { exact: true }).first().waitFor()
  await page.getByRole('button', { name: 'Authorize' }).first().click()
  const dialog = page.locator('.dialog-ux')
  await dialog.getByLabel('username:').fill(email)
  await dialog.locator('#oauth_password').fill(password)
  await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor()
  await dialog.locator('.close-modal').click()
  const operation = page.locator('#operations-Users-listUsers')
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const live = operation.locator('.live-responses-table')
  await live.getByText('200', { exact: true }).waitFor()
  return (await live.locator('.response-col_description pre').first().textContent()) ?? ''
}

/** The WCAG 2.2 contrast of a colour against a ground, both `rgb(r, g, b)`. */
export function contrast(color: string, ground: string): number {
  const luminance = (of: string): number => {
    const parts = (of.match(/[0-9.]+/g) ?? []).map((part) => Number(part) / 255)
    const [r = 0, g = 0, b = 0] = parts.map((part) =>
      part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [dark = 0, light = 0] = [luminance(color), luminance(ground)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}
