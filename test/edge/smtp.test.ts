import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { SECOND_MS } from '../../server/lib/units.ts'
import { ID, MAIL, faultOf, mailerFor, trustTestCertificate } from '../support/smtp-mailers.ts'
import { type Script, startSmtpServer } from '../support/smtp-server.ts'

const LOGIN = { user: 'shop', password: 'p/w#?%:@' }
const CANARY = { user: 'shop', password: 'canary-password' }
const MESSAGE_ID = `${ID}@example.com`

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
    assert.equal(headers['Message-ID'], `<${MESSAGE_ID}>`)
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

    assert.equal(server.copiesOf(MESSAGE_ID).length, 2)
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

describe('what a server answers', () => {
  trustTestCertificate()

  for (const [why, script, fault] of [
    ['450 to the recipient', { recipient: () => '450 4.2.1 try later' }, 'later'],
    ['451 to the recipient', { recipient: () => '451 4.7.1 greylisted' }, 'later'],
    ['452 to the recipient', { recipient: () => '452 4.2.2 mailbox full' }, 'later'],
    ['550 to the recipient', { recipient: () => '550 5.1.1 no such user' }, 'refused'],
    ['552 to the recipient', { recipient: () => '552 5.2.2 over quota' }, 'refused'],
    ['421 to the recipient', { recipient: () => '421 4.7.0 too many mails' }, 'transport'],
    ['530 to the recipient', { recipient: () => '530 5.7.0 log in first' }, 'transport'],
    ['451 to the message', { data: '451 4.3.0 try later' }, 'later'],
    ['554 to the message', { data: '554 5.7.1 spam' }, 'refused'],
    ['552 to the message', { data: '552 5.3.4 too big' }, 'refused'],
    ['421 to the message', { data: '421 4.3.2 shutting down' }, 'transport'],
    ['550 to the sender', { mailFrom: '550 5.7.1 not your address' }, 'transport'],
    ['451 to the sender', { mailFrom: '451 4.3.0 disk full' }, 'transport'],
    ['421 as its greeting', { connect: '421 4.3.2 too busy' }, 'transport'],
    ['554 as its greeting', { connect: '554 5.7.1 your network is blocked' }, 'transport'],
  ] as [string, Script, string][]) {
    test(`${why} is a fault of the kind ${fault}, and nothing is in doubt`, async () => {
      await using server = await startSmtpServer()
      await using mailer = mailerFor(server.url())
      server.behave(script)

      const error = await faultOf(mailer.send(MAIL, ID))

      assert.equal(error.fault, fault)
      assert.equal(error.unconfirmed, false)
      assert.match(error.message, new RegExp(`\\b${/\d{3}/.exec(why)?.[0]} `))
      server.behave({})
      await mailer.send(MAIL, ID)
    })
  }

  test('to one recipient says nothing of another at the same time', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())
    const replies = {
      'bad@example.com': '550 5.1.1 no',
      'grey@example.com': '450 4.7.1 no',
    } as const
    server.behave({ recipient: (address) => replies[address as keyof typeof replies] })

    const sent = await Promise.allSettled(
      ['bad@example.com', 'good@example.com', 'grey@example.com', 'fine@example.com'].map((to) =>
        mailer.send({ ...MAIL, to }, ID),
      ),
    )

    assert.deepEqual(
      sent.map((one) => (one.status === 'fulfilled' ? 'sent' : one.reason.fault)),
      ['refused', 'sent', 'later', 'sent'],
    )
  })

  test('421 over a kept connection is asked once more over a new one', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())
    await mailer.send(MAIL, 'warms-the-connection-up')
    let asked = 0
    server.behave({ recipient: () => (asked++ === 0 ? '421 4.3.2 bye' : undefined) })

    await mailer.send(MAIL, ID)

    assert.equal(asked, 2)
    assert.equal(server.copiesOf(MESSAGE_ID).length, 1)
  })

  test('is told without the address and without what could be a code', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())
    server.behave({ data: '554 5.7.1 <ann@example.com> spam: “It is 123456.”' })

    const { message, cause } = await faultOf(mailer.send(MAIL, ID))

    assert.equal(message, 'DATA was answered 554 5.7.1 <…@…> spam: “It is ….”')
    assert.equal(cause, undefined)
  })
})

describe('a server that says nothing', () => {
  trustTestCertificate()

  test('after the whole message: a copy may have arrived', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url(), { timeouts: { socketMs: SECOND_MS } })
    server.behave({ data: 'hang' })

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', true])
    assert.equal(server.copiesOf(MESSAGE_ID).length, 1)
  })

  test('but closes before its 250: a copy may have arrived, and no second one was sent', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())
    await mailer.send(MAIL, 'warms-the-connection-up')
    server.behave({ data: 'drop' })

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', true])
    assert.equal(server.copiesOf(MESSAGE_ID).length, 1)
  })

  test('as its greeting: nothing is in doubt', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url(), { timeouts: { greetingMs: SECOND_MS / 2 } })
    server.behave({ connect: 'hang' })

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
  })

  test('is not waited for longer than the whole sending may take', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url(), { timeouts: { sendMs: SECOND_MS } })
    server.behave({ data: 'hang' })

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', true])
    assert.match(error.message, /too long/)
  })

  test('is not waited for when the mailer is closed', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())
    server.behave({ data: 'hang' })

    const sending = faultOf(mailer.send(MAIL, ID))
    await server.got(1)
    await mailer.close?.()
    const error = await sending

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', true])
    assert.match(error.message, /^given up/)
  })

  test('because DNS does not know it: transport, and nothing is in doubt', async () => {
    await using mailer = mailerFor('smtp://nowhere.invalid:587')

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.match(error.message, /nowhere\.invalid/)
  })

  test('because it is down: nothing is in doubt, and it is tried anew when it is back', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())
    await server.goDown()

    const error = await faultOf(mailer.send(MAIL, ID))
    await server.comeUp()
    await mailer.send(MAIL, ID)

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.match(error.message, /ECONNREFUSED/)
    assert.equal(server.received.length, 1)
  })
})

describe('without trust there is no mail', () => {
  trustTestCertificate()

  test('no STARTTLS: transport, and not a byte of the mail', async () => {
    await using server = await startSmtpServer({ tls: 'none' })
    await using mailer = mailerFor(server.url())

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.match(error.message, /STARTTLS/)
    assert.deepEqual([server.recipients, server.received], [[], []])
  })

  for (const [why, options, user] of [
    ['no STARTTLS', { tls: 'none', login: CANARY }, CANARY.user],
    ['a certificate that nobody trusts', { badCertificate: true }, undefined],
  ] as const) {
    test(`${why}, with ?tls=off: sent as it is`, async () => {
      await using server = await startSmtpServer(options)
      await using mailer = mailerFor(server.url('?tls=off'))

      await mailer.send(MAIL, ID)

      const [received, ...more] = server.received
      assert.deepEqual([received?.encrypted, received?.user, more], [false, user, []])
    })
  }

  for (const tls of ['starttls', 'at-once'] as const) {
    test(`a certificate that nobody trusts (${tls}): transport, and no password is told`, async () => {
      await using server = await startSmtpServer({ tls, login: CANARY })
      await using mailer = mailerFor(server.url())
      const trusted = getCACertificates('default')
      setDefaultCACertificates(getCACertificates('bundled'))

      const error = await faultOf(mailer.send(MAIL, ID)).finally(() =>
        setDefaultCACertificates(trusted),
      )

      assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
      assert.match(error.message, /self-signed certificate/)
      assert.deepEqual([server.logins(), server.received], [0, []])
    })
  }

  test('a certificate for another name: transport', async () => {
    await using server = await startSmtpServer({ host: '127.0.0.2' })
    await using mailer = mailerFor(server.url())

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.match(error.message, /altnames/)
    assert.deepEqual(server.received, [])
  })

  test('a refused login: transport, and the password is in no message', async () => {
    await using server = await startSmtpServer({ login: CANARY })
    await using mailer = mailerFor(server.url().replace('canary', 'canary-wrong'))

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.match(error.message, /AUTH \w+ was answered 535/)
    assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /canary/)
    assert.deepEqual(server.recipients, [])
  })

  test('a login that the server does not offer: transport, not a mail without it', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url().replace('//', '//shop:canary-password@'))

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.deepEqual(server.recipients, [])
  })
})
