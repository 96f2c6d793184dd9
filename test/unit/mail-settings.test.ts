import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mailAddress, mailUrl } from '../../server/lib/mail-settings.ts'

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
