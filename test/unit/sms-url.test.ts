import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { configWarnings, readConfig } from '../../server/config.ts'
import { smsUrl } from '../../server/lib/sms-url.ts'
import { BASE, problemsOf } from '../support/settings.ts'

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

  for (const [why, value] of [
    ['another scheme', 'https://api.twilio.com?from=+15550100200'],
    ['no URL', 'twilio'],
    ['no host', `twilio://${SID}:t0ken@?from=+15550100200`],
    ['no sender', url('api.twilio.com')],
    ['a sender that is no number', url('api.twilio.com?from=+0555')],
    ['a name of twelve letters', url('api.twilio.com?from=CoffeeShopXY')],
    ['two senders', url('api.twilio.com?from=+15550100200&from=+15550100200')],
    ['no token', `twilio://${SID}@api.twilio.com?from=+15550100200`],
    ['a SID that is none', 'twilio://AC123:t0ken@api.twilio.com?from=+15550100200'],
    ['a SID with a path in it', `twilio://${SID}%2F..:t0ken@api.twilio.com?from=+15550100200`],
    [
      'a token that is not percent-encoded',
      `twilio://${SID}:t%zz@api.twilio.com?from=+15550100200`,
    ],
    ['a path', url('api.twilio.com/2010?from=+15550100200')],
    ['a fragment', url('api.twilio.com?from=+15550100200#t0ken')],
    ['an unknown option', url('api.twilio.com?from=+15550100200&tsl=off')],
    ['tls=no', url('api.twilio.com?from=+15550100200&tls=no')],
  ] as const) {
    test(`refuses ${why} in one line that does not repeat the token`, () => {
      const [problem = '', ...more] = problemsOf({ ...BASE, SMS_URL: value })

      assert.match(problem, /^SMS_URL \w/)
      assert.doesNotMatch(problem, /t0ken/)
      assert.deepEqual(more, [])
    })
  }
})
