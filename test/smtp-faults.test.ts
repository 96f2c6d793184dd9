import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { SECOND_MS } from '../server/lib/units.ts'
import { ID, MAIL, faultOf, mailerFor, trustTestCertificate } from './support/smtp-mailers.ts'
import { type Script, startSmtpServer } from './support/smtp-server.ts'

const LOGIN = { user: 'shop', password: 'canary-password' }
const COPY = `${ID}@example.com`

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
    assert.equal(server.copiesOf(COPY).length, 1)
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
    assert.equal(server.copiesOf(COPY).length, 1)
  })

  test('but closes before its 250: a copy may have arrived, and no second one was sent', async () => {
    await using server = await startSmtpServer()
    await using mailer = mailerFor(server.url())
    await mailer.send(MAIL, 'warms-the-connection-up')
    server.behave({ data: 'drop' })

    const error = await faultOf(mailer.send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', true])
    assert.equal(server.copiesOf(COPY).length, 1)
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

  test('no STARTTLS, with ?tls=off: sent as it is', async () => {
    await using server = await startSmtpServer({ tls: 'none', login: LOGIN })
    await using mailer = mailerFor(server.url('?tls=off'))

    await mailer.send(MAIL, ID)

    assert.deepEqual(
      server.received.map(({ encrypted, user }) => [encrypted, user]),
      [[false, LOGIN.user]],
    )
  })

  test('a certificate that nobody trusts, with ?tls=off: not looked at', async () => {
    await using server = await startSmtpServer({ badCertificate: true })
    await using mailer = mailerFor(server.url('?tls=off'))

    await mailer.send(MAIL, ID)

    assert.deepEqual(
      server.received.map(({ encrypted }) => encrypted),
      [false],
    )
  })

  for (const tls of ['starttls', 'at-once'] as const) {
    test(`a certificate that nobody trusts (${tls}): transport, and no password is told`, async () => {
      await using server = await startSmtpServer({ tls, login: LOGIN })
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
    await using server = await startSmtpServer({ login: LOGIN })
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
