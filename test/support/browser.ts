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
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  page.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url())
    if (protocol !== 'data:' && asked !== origin) complaints.push(`left: ${request.url()}`)
  })
  return complaints
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
