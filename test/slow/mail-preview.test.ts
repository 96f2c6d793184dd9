import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { exampleMails } from '../../server/messages/examples.ts'
import { contrast, LAUNCH, missingBrowser, PATIENCE_MS } from '../support/browser.ts'
import { startProgram } from '../support/process.ts'
import { SETTINGS } from '../support/service.ts'
import { SHOP } from '../support/settings.ts'

const PUBLIC_URL = 'https://shop.example'

interface Painted {
  readonly text: string
  readonly colors: readonly string[]
  readonly width: number
}

/** Text and colours of a mail as the browser paints them, and how wide it became. */
const PAINTED = `({
  text: document.body.innerText,
  colors: [...document.querySelectorAll('p, a')].map((of) => getComputedStyle(of).color),
  width: document.documentElement.scrollWidth,
})`

/** Every mail of the page, painted in a scheme, and whatever the browser had to complain about. */
async function look(browser: Browser, url: string, colorScheme: 'light' | 'dark') {
  const page = await browser.newPage({ colorScheme, viewport: { width: 360, height: 800 } })
  page.setDefaultTimeout(PATIENCE_MS)
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => complaints.push(request.url()))
  await page.goto(url)
  const [main, ...frames] = page.frames()
  assert.ok(main)
  const mails = await Promise.all(frames.map((frame) => frame.evaluate<Painted>(PAINTED)))
  await page.close()
  return { mails, complaints: complaints.filter((text) => text !== url) }
}

describe('the page of mails in a browser', { skip: missingBrowser }, () => {
  // What Chromium paints behind a page that names both schemes.
  for (const [colorScheme, ground] of [
    ['light', 'rgb(255, 255, 255)'],
    ['dark', 'rgb(18, 18, 18)'],
  ] as const) {
    test(`shows each mail, readable in ${colorScheme} and on a phone, and asks nobody for anything`, async () => {
      const env = { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:', PORT: '0', PUBLIC_URL }
      await using program = startProgram({ env, args: ['--dev'] })
      const url = await program.url()
      const browser = await chromium.launch(LAUNCH)
      try {
        const { mails, complaints } = await look(browser, `${url}/dev/mails`, colorScheme)

        const examples = exampleMails(SHOP, PUBLIC_URL)
        assert.equal(mails.length, examples.length)
        for (const [index, { text, colors, width }] of mails.entries()) {
          const lastLine = examples[index]?.mail.text.trimEnd().split('\n').at(-1) ?? '?'
          assert.ok(text.includes(lastLine), text)
          assert.ok(width <= 360, `${width} pixels wide`)
          for (const color of colors) {
            assert.ok(contrast(color, ground) >= 4.5, `${color} on ${ground}`)
          }
        }
        assert.deepEqual(complaints, [])
      } finally {
        await browser.close()
      }
    })
  }
})
