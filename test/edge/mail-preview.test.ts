import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { createApp } from '../../server/app.ts'
import { apiDocument } from '../../server/api/public/documentation.ts'
import { exampleMails, exampleSms } from '../../server/messages/examples.ts'
import { startProgram } from '../support/process.ts'
import { assertProblem } from '../support/problem.ts'
import { SETTINGS, startService } from '../support/service.ts'
import { SHOP } from '../support/settings.ts'

const PAGE = '/dev/mails'

describe(`GET ${PAGE}`, () => {
  test('200 with each mail in each language: subject, text, and HTML in a frame without rights', async () => {
    await using service = await startService({ PUBLIC_URL: 'https://shop.example' })
    await using app = createApp(service.ctx, { isDevelopment: true })

    const page = await app.inject(PAGE)

    assert.equal(page.statusCode, 200)
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    const examples = exampleMails(SHOP, 'https://shop.example')
    const frames = [...page.body.matchAll(/<iframe [^>]*sandbox="" srcdoc="([^"]*)"/g)]
    assert.equal(frames.length, examples.length)
    for (const [index, { kind, locale, mail }] of examples.entries()) {
      assert.ok(page.body.includes(`<h2>${kind}, ${locale}</h2>`))
      assert.ok(unescaped(page.body).includes(mail.text))
      assert.equal(unescaped(frames[index]?.[1] ?? ''), mail.html)
      assert.ok(unescaped(page.body).includes(`Subject: <b>${mail.subject}</b>`))
    }
    for (const { sms } of exampleSms(SHOP)) assert.ok(unescaped(page.body).includes(sms.text))
  })

  test('has a policy of its own, which allows inline styles and nothing else', async () => {
    await using service = await startService()
    await using app = createApp(service.ctx, { isDevelopment: true })

    const { headers, body } = await app.inject(PAGE)

    assert.equal(
      headers['content-security-policy'],
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['cache-control'], 'no-store')
    assert.doesNotMatch(body, /<script|<b>"R&D"|<img/)
  })

  test('404 not_found without it, under the API in any case, and in no document', async () => {
    await using service = await startService()
    await using app = createApp(service.ctx, { isDevelopment: true })

    assertProblem(await service.get(PAGE), 'not_found')
    assert.equal((await app.inject(`/api/v1${PAGE}`)).statusCode, 404)
    assert.ok(!JSON.stringify(await apiDocument(app)).includes(PAGE))
  })
})

describe('the process', () => {
  test('shows the page when it is started with --dev, as npm run dev does, and only then', async () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    const env = { ...SETTINGS, DATABASE_URL: 'sqlite:///:memory:', PORT: '0' }
    await using dev = startProgram({ env, args: ['--dev'] })
    await using start = startProgram({ env })

    const shown = await fetch(`${await dev.url()}${PAGE}`)
    const hidden = await fetch(`${await start.url()}${PAGE}`)

    assert.equal(shown.status, 200)
    assert.equal(hidden.status, 404)
    assert.match(scripts.dev, / scripts\/dev\.ts$/)
    assert.match(readFileSync('scripts/dev.ts', 'utf8'), /'server\/main\.ts', '--dev'\]/)
  })
})

function unescaped(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
