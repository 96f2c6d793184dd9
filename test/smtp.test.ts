import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ID, MAIL, faultOf, mailerFor, trustTestCertificate } from './support/smtp-mailers.ts'
import { startSmtpServer } from './support/smtp-server.ts'

const LOGIN = { user: 'shop', password: 'p/w#?%:@' }

const headersOf = (raw: string) => raw.slice(0, raw.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/)

describe('a mail by SMTP', () => {
  trustTestCertificate()

  for (const tls of ['starttls', 'at-once'] as const) {
    test(`goes out once, encrypted (${tls}), after the login`, async () => {
      await using server = await startSmtpServer({ tls, login: LOGIN })
      await using mailer = mailerFor(server.url())

      await mailer.send(MAIL, ID)

      const [received] = server.received
      assert.equal(server.received.length, 1)
      assert.equal(received?.encrypted, true)
      assert.equal(received.user, LOGIN.user)
      assert.equal(received.from, 'shop@example.com')
      assert.deepEqual(received.to, [MAIL.to])
    })
  }

  test('has a fixed set of headers, a Message-ID made of its id, text first and then HTML', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())

    await mailer.send(MAIL, ID)

    const raw = server.received[0]?.raw ?? ''
    const headers = Object.fromEntries(headersOf(raw).map((line) => line.split(/: ?([^]*)/, 2)))
    assert.deepEqual(Object.keys(headers).toSorted(), [
      'Auto-Submitted',
      'Content-Type',
      'Date',
      'From',
      'MIME-Version',
      'Message-ID',
      'Subject',
      'To',
    ])
    assert.equal(headers['Message-ID'], `<${ID}@example.com>`)
    assert.equal(headers['Auto-Submitted'], 'auto-generated')
    assert.equal(headers['From'], 'Coffee Shop <shop@example.com>')
    assert.equal(headers['To'], 'ann@example.com')
    assert.match(headers['Content-Type'] ?? '', /^multipart\/alternative;/)
    const parts = [...raw.matchAll(/^Content-Type: (text\/\w+); charset=utf-8\r$/gm)]
    assert.deepEqual(
      parts.map(([, type]) => type),
      ['text/plain', 'text/html'],
    )
    assert.ok(raw.includes('\r\nIt is 123456.\r\n'))
    assert.ok(raw.includes('<b>123456</b>'))
  })

  test('has the same Message-ID at every try', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())

    await mailer.send(MAIL, ID)
    await mailer.send(MAIL, ID)

    assert.equal(server.copiesOf(`${ID}@example.com`).length, 2)
  })

  test('goes over a kept connection, and over a new one when the server has ended it', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())

    for (let n = 0; n < 3; n++) await mailer.send(MAIL, ID)
    const kept = server.connections()
    await server.goDown()
    await server.comeUp()
    await mailer.send(MAIL, ID)

    assert.equal(kept, 1)
    assert.equal(server.connections(), 2)
    assert.equal(server.received.length, 4)
  })

  test('says everything in UTF-8', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url(), { from: 'Café Süß <shop@example.com>' })

    await mailer.send({ ...MAIL, subject: 'Dein Code für später ☕' }, ID)

    const headers = headersOf(server.received[0]?.raw ?? '')
    assert.ok(headers.some((line) => line.startsWith('Subject: =?UTF-8?')))
    assert.ok(headers.some((line) => /^From: =\?UTF-8\?.*<shop@example\.com>$/.test(line)))
    assert.ok(/^[\r\n\t\x20-\x7e]*$/.test(headers.join('\r\n')))
  })
})

describe('what a mail holds changes nothing on the wire', () => {
  trustTestCertificate()

  for (const [why, change] of [
    ['a subject with line breaks', { subject: 'Hi\r\nBcc: eve@example.com\r\n\r\nX' }],
    ['a subject that looks encoded', { subject: '=?utf-8?Q?=0D=0ABcc:_eve@example.com?=' }],
    ['a subject of 400 characters', { subject: 'A '.repeat(200) }],
    ['a text that ends the message', { text: 'a\n.\nQUIT\n' }],
    ['a text that ends it with CRLF', { text: 'a\r\n.\r\nMAIL FROM:<eve@example.com>\r\n' }],
    ['a text that ends it with LF and CRLF', { text: 'a\n.\r\nRCPT TO:<eve@example.com>\r\n' }],
    ['a text that ends it with CR only', { text: 'a\r.\rRCPT TO:<eve@example.com>\r' }],
    ['a text with a MIME boundary', { text: '--boundary\nContent-Type: text/html\n\n<b>' }],
    ['an address of a template', { to: 'a{{7*7}}@example.com' }],
    ['an address with an encoded line break', { to: 'a%0d%0ab@example.com' }],
  ] as const) {
    test(`${why}: one message, one recipient, the same headers`, async () => {
      await using server = await startSmtpServer()
      await using mailer = mailerFor(server.url())
      const mail = { ...MAIL, ...change }

      await mailer.send(MAIL, ID)
      await mailer.send(mail, ID)

      const [usual, odd] = server.received
      assert.equal(server.received.length, 2)
      assert.deepEqual(server.recipients, [MAIL.to, mail.to])
      assert.deepEqual(odd?.to, [mail.to])
      const names = (raw = '') => headersOf(raw).map((line) => line.split(':', 1)[0])
      assert.deepEqual(names(odd.raw), names(usual?.raw))
    })
  }

  test('an address with a comma is one recipient', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())

    await mailer.send({ ...MAIL, to: 'ann,eve@example.com' }, ID)

    assert.deepEqual(server.recipients, ['"ann,eve"@example.com'])
  })

  test('lines that begin with a dot arrive as they were', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())

    await mailer.send({ ...MAIL, text: '.\n..a\n.b\n' }, ID)

    assert.ok(server.received[0]?.raw.includes('\r\n.\r\n..a\r\n.b\r\n'))
  })

  for (const to of [
    'ann@example.com>\r\nRCPT TO:<eve@example.com',
    'ann@example.com\nBcc: eve',
    'ann<eve@example.com',
    '',
  ]) {
    test(`refused, for nobody gets it: ${JSON.stringify(to)}`, async () => {
      await using server = await startSmtpServer()
      await using mailer = mailerFor(server.url())

      const error = await faultOf(mailer.send({ ...MAIL, to }, ID))

      assert.equal(error.fault, 'refused')
      assert.deepEqual(server.received, [])
      assert.ok(!server.recipients.some((address) => address.includes('eve')))
    })
  }

  for (const [what, text] of [
    ['file', { path: import.meta.filename }],
    ['URL', { href: 'http://127.0.0.1:1/' }],
  ] as const) {
    test(`no ${what} is read for it, were it ever asked for`, async () => {
      await using server = await startSmtpServer()
      await using mailer = mailerFor(server.url())

      const error = await faultOf(mailer.send({ ...MAIL, text: text as never }, ID))

      assert.match(error.message, new RegExp(`${what} access`, 'i'))
      assert.deepEqual(server.received, [])
    })
  }
})
