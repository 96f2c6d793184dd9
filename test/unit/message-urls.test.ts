import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { configWarnings, readConfig } from '../../server/settings/config.ts'
import { mailAddress, mailUrl } from '../../server/settings/mail-url.ts'
import { smsUrl } from '../../server/settings/sms-url.ts'
import { BASE } from '../support/settings.ts'

// What is refused: test/unit/settings.test.ts.

const smtp = { kind: 'smtp', host: 'mail.example', port: 587, tls: 'starttls' }

describe('MAIL_URL', () => {
  for (const [value, expected] of [
    ['console:', { kind: 'console' }],
    ['smtp://mail.example', smtp],
    ['smtp://mail.example:25', { ...smtp, port: 25 }],
    [
      'smtp://ann%40shop.example:p%2F%23%3A%25w@mail.example',
      { ...smtp, login: { user: 'ann@shop.example', password: 'p/#:%w' } },
    ],
    ['smtp://mail.example?tls=off', { ...smtp, tls: 'off' }],
    ['smtp://[::1]:1025?tls=off', { kind: 'smtp', host: '::1', port: 1025, tls: 'off' }],
    ['smtps://mail.example', { ...smtp, port: 465, tls: 'at-once' }],
    [
      'sendgrid://SG.a.b@api.sendgrid.com',
      { kind: 'sendgrid', origin: 'https://api.sendgrid.com', key: 'SG.a.b' },
    ],
    [
      'sendgrid://SG.a.b@127.0.0.1:8025?tls=off',
      { kind: 'sendgrid', origin: 'http://127.0.0.1:8025', key: 'SG.a.b' },
    ],
  ] as const) {
    test(`${value} means what it says`, () => assert.deepEqual(mailUrl(value), expected))
  }
})

describe('MAIL_FROM', () => {
  const address = { address: 'shop@example.com', domain: 'example.com' }
  for (const [value, expected] of [
    ['shop@example.com', { name: '', ...address }],
    ['<shop@example.com>', { name: '', ...address }],
    ['Coffee Shop <shop@example.com>', { name: 'Coffee Shop', ...address }],
    ['"Shop, Inc." <shop@example.com>', { name: 'Shop, Inc.', ...address }],
    ['Café <Shop@Example.COM>', { name: 'Café', ...address, address: 'Shop@example.com' }],
    [
      'shop@bücher.example',
      { name: '', address: 'shop@xn--bcher-kva.example', domain: 'xn--bcher-kva.example' },
    ],
  ] as const) {
    test(`${value} is read as name and address`, () =>
      assert.deepEqual(mailAddress(value), expected))
  }
})

const SID = `AC${'0123456789abcdef'.repeat(2)}`
const url = (rest: string) => `twilio://${SID}:t0ken@${rest}`
const account = { kind: 'twilio', sid: SID, token: 't0ken', from: '+15550100200' } as const

describe('SMS_URL', () => {
  test('is the console without it, and with console:', () => {
    assert.deepEqual(readConfig(BASE).secrets.smsUrl, { kind: 'console' })
    assert.deepEqual(smsUrl('console:'), { kind: 'console' })
  })

  for (const [why, value, expected] of [
    ['Twilio itself', url('api.twilio.com?from=+15550100200'), 'https://api.twilio.com'],
    ['a + written as %2B', url('api.twilio.com?from=%2B15550100200'), 'https://api.twilio.com'],
    ['a slash', url('api.twilio.com/?from=+15550100200'), 'https://api.twilio.com'],
    [
      'another host and port',
      url('sms.example:8443?from=+15550100200'),
      'https://sms.example:8443',
    ],
    ['no TLS', url('127.0.0.1:80?from=+15550100200&tls=off'), 'http://127.0.0.1'],
    ['an IPv6 address', url('[::1]:8080?tls=off&from=+15550100200'), 'http://[::1]:8080'],
  ] as const) {
    test(`takes ${why}`, () => {
      assert.deepEqual(smsUrl(value), { ...account, origin: expected })
    })
  }

  for (const [tls, warnings] of [
    ['', 0],
    ['&tls=on', 0],
    ['&tls=off', 1],
  ] as const) {
    test(`warns of what travels readable ${warnings} times with ${tls || 'nothing said of TLS'}`, () => {
      const { config } = readConfig({ ...BASE, SMS_URL: url(`x.example?from=+15550100200${tls}`) })
      const told = configWarnings(config).filter((warning) => warning.startsWith('SMS_URL'))
      assert.equal(told.length, warnings)
    })
  }

  for (const from of ['12345', 'Coffee Shop', 'Shop1']) {
    test(`takes ${from} as the sender`, () => {
      const read = smsUrl(url(`api.twilio.com?from=${encodeURIComponent(from)}`))
      assert.ok(read.kind === 'twilio')
      assert.equal(read.from, from)
    })
  }

  test('takes a token that is percent-encoded', () => {
    const read = smsUrl(`twilio://${SID}:a%2Fb%40c@api.twilio.com?from=+15550100200`)
    assert.ok(read.kind === 'twilio')
    assert.equal(read.token, 'a/b@c')
  })
})
