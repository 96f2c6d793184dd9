import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LOCALES } from '../../server/lib/locales.ts'
import { exampleMails } from '../../server/messages/examples.ts'
import { layOut } from '../../server/messages/layout.ts'
import { homeLink, originOf, writeMail } from '../../server/messages/mails.ts'
import { phoneCodeSms } from '../../server/messages/sms.ts'
import { SHOP } from '../support/settings.ts'

const PUBLIC_URL = 'https://shop.example/coffee'
/** The service itself, and its page that sets passwords: a secret only behind the `#`, where no server sees it. */
const OURS =
  /^https:\/\/shop\.example\/coffee(\/reset(#(token|undo)=[\w.-]+(&(amp;)?(for=invitation|email=[\w.%-]+))*)?)?$/
const examples = exampleMails(SHOP, PUBLIC_URL)

const mail = {
  to: 'user@example.com',
  locale: null,
  code: '123456',
  until: '2026-01-02T12:00:00.000Z',
  signedUpAt: '2026-01-01T12:00:00.000Z',
  endedAt: '2026-01-01T12:00:00.000Z',
  from: originOf({ ip: '203.0.113.7', userAgent: 'curl/8.14' }),
  link: PUBLIC_URL,
}

/** What a reader sees of an HTML mail, apart from its head. */
function readable(html: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
  }
  return (html.split('<body')[1] ?? '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&[^;]+;/g, (entity) => entities[entity] ?? entity)
}

describe('every mail', () => {
  for (const { kind, locale, mail } of examples) {
    test(`${kind}, ${locale}: HTML of no more than paragraphs and links from PUBLIC_URL`, () => {
      const elements = [...mail.html.matchAll(/<\/?([a-z]+)/g)].map(([, name]) => name)
      const links = [...mail.html.matchAll(/(?:href|src|action|url\()=?["']?([^"'>\s]*)/g)]

      const known = new Set(['html', 'head', 'meta', 'title', 'body', 'div', 'p', 'br', 'a'])
      assert.deepEqual(
        elements.filter((name) => !known.has(name ?? '')),
        [],
      )
      for (const [, url] of links) assert.match(url ?? '', OURS)
      for (const [url] of mail.text.matchAll(/\S*:\/\/\S*|www\S*/g)) assert.match(url, OURS)
      assert.match(mail.html, new RegExp(`^<!doctype html>\n<html lang="${locale}">`))
      assert.ok(mail.html.includes('<meta name="color-scheme" content="light dark">'))
      // Each program's own pair of text and ground: what sets one of them must set the other.
      assert.doesNotMatch(mail.html, /[";](background[a-z-]*|color)\s*:/)
    })

    test(`${kind}, ${locale}: says the same as text and as HTML`, () => {
      const words = (text: string) => text.match(/[\p{L}\p{N}]+/gu) ?? []
      const html = words(readable(mail.html)).join(' ')

      for (const line of mail.text.split(/\n|(?<=[.:?]) /)) {
        assert.ok(html.includes(words(line).join(' ')), line)
      }
      assert.ok(!mail.subject.includes('\n'))
      assert.doesNotMatch(mail.subject + mail.text, /undefined|\[object/)
    })
  }

  test('exists in each language, and no two languages say the same', () => {
    const kinds = new Set(examples.map(({ kind }) => kind))
    assert.equal(examples.length, kinds.size * LOCALES.length)
    for (const of of [
      (one: (typeof examples)[number]) => one.mail.text,
      (one: (typeof examples)[number]) => one.mail.html,
    ]) {
      assert.equal(new Set(examples.map(of)).size, examples.length)
    }
  })

  for (const [locale, subject] of [
    ['de', 'Ihr Bestätigungscode für Coffee Shop'],
    ['de-AT', 'Ihr Bestätigungscode für Coffee Shop'],
    ['en', 'Your Coffee Shop verification code'],
    ['fr', 'Your Coffee Shop verification code'],
    [null, 'Your Coffee Shop verification code'],
  ] as const) {
    test(`is in the language of ${locale}`, () => {
      assert.equal(writeMail(SHOP, 'verification', { ...mail, locale }).subject, subject)
    })
  }
})

describe('text of others', () => {
  const MARKUP = `"><script>alert('x')</script><img src=x onerror=a()> & &lt;`

  for (const name of ['verification', 'sessionReplayed', 'reminder'] as const) {
    for (const locale of LOCALES) {
      for (const said of [
        MARKUP,
        'http://evil.example/win',
        '//evil',
        'evil。example',
        'a@evil',
        'Your account was hacked, call 555 0100',
      ]) {
        test(`is left out of ${name}, ${locale}: ${said}`, () => {
          const sentBy = (userAgent: string) =>
            writeMail(SHOP, name, { ...mail, locale, from: originOf({ ip: null, userAgent }) })
          const unknown = sentBy(said)
          const known = sentBy(`Mozilla/5.0 (${said}) Firefox/140.0`)

          for (const { html, text } of [unknown, known])
            assert.doesNotMatch(html + text, /evil|script|img|onerror|hacked|555/)
          assert.match(known.text, / with Firefox\.|, Firefox\)\./)
        })
      }
    }
  }

  test('is escaped wherever a text can stand, the link and the title included', () => {
    const html = layOut(
      SHOP,
      {
        subject: MARKUP,
        blocks: [
          MARKUP,
          { warning: MARKUP },
          { before: MARKUP, code: MARKUP, after: MARKUP },
          { before: MARKUP, link: MARKUP },
        ],
      },
      'en',
    ).html

    assert.equal(html.match(/&quot;&gt;&lt;script&gt;alert\(&#39;x&#39;\)/g)?.length, 9)
    assert.equal(html.match(/&amp; &amp;lt;/g)?.length, 9)
    assert.doesNotMatch(html, /<script|<img|alert\('/)
  })
})

describe('the shop', () => {
  const shop = { name: `<b>&"'`, url: 'https://shop.example/<b>&"' }
  const [name, url] = ['&lt;b&gt;&amp;&quot;&#39;', 'https://shop.example/&lt;b&gt;&amp;&quot;']

  for (const { kind, locale, mail: written } of exampleMails(shop, PUBLIC_URL)) {
    test(`is named in the subject, and linked at the end: ${kind}, ${locale}`, () => {
      const { subject, text, html } = written

      assert.ok(subject.includes(shop.name))
      assert.ok(text.endsWith(`\n\n${shop.name}\n${shop.url}\n`))
      assert.ok(html.includes(`>${name}</p>`))
      assert.ok(html.includes(`${name}<br><a href="${url}">${url}</a></p>`))
      assert.doesNotMatch(html, /<b>|&"|Coffee/)
    })
  }

  for (const name of ['alreadyRegistered', 'reminder'] as const) {
    test(`is where ${name} leads, and without a URL the service is`, () => {
      for (const here of [shop, SHOP]) {
        const link = homeLink({ shop: here, publicUrl: PUBLIC_URL })
        assert.equal(link, here.url ?? PUBLIC_URL)
        assert.ok(writeMail(here, name, { ...mail, link }).text.includes(`:\n${link}\n`))
      }
    })
  }
})

describe('the reminder', () => {
  for (const locale of LOCALES) {
    test(`has no code, and says until when the account lives: ${locale}`, () => {
      const { text, html, subject, consoleLine } = writeMail(SHOP, 'reminder', {
        ...mail,
        locale,
        until: '2026-01-03T12:00:00.000Z',
      })

      assert.equal(consoleLine, undefined)
      assert.doesNotMatch(text + subject + readable(html), /\b[0-9]{6}\b/)
      assert.match(
        text,
        locale === 'en'
          ? /deleted on 2026-01-03 12:00 UTC/
          : /03\.01\.2026 um 12:00 Uhr UTC gelöscht/,
      )
      assert.ok(text.includes(`\n${PUBLIC_URL}\n`))
    })
  }
})

describe('the code for a phone', () => {
  /** GSM 03.38 without the characters that count twice: anything else halves what fits. */
  const GSM = /^[\n\r @£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*$/

  for (const locale of LOCALES) {
    test(`is one message, begins with the code and names nobody: ${locale}`, () => {
      const sms = phoneCodeSms(SHOP, { to: '+4915123456789', code: '042137', locale })

      assert.ok(sms.text.length <= 160, `${sms.text.length} characters`)
      assert.match(sms.text, GSM)
      assert.match(sms.text, /^042137 /)
      assert.ok(!sms.text.includes('+49'))
      assert.equal(sms.to, '+4915123456789')
    })

    test(`has room for the longest name of a shop: ${locale}`, () => {
      const shop = { name: 'x'.repeat(40), url: undefined }
      const { text } = phoneCodeSms(shop, { to: '+4915123456789', code: '042137', locale })

      assert.ok(text.length <= 160, `${text.length} characters`)
      assert.ok(text.includes(shop.name))
    })
  }
})
