import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { smsUrl } from '../server/lib/sms-url.ts'
import { MINUTE_MS } from '../server/lib/units.ts'
import { DeliveryError, type DeliveryFault } from '../server/mail/delivery-error.ts'
import { phoneCodeSms } from '../server/sms/messages.ts'
import type { SmsSender } from '../server/sms/sender.ts'
import { createTwilio } from '../server/sms/twilio.ts'
import {
  ACCEPTED,
  answer,
  refusal,
  type Reply,
  SID,
  smsUrlOf,
  startTwilio,
  TOKEN,
} from './support/twilio-server.ts'

const TO = '+4915123456789'
const sms = { to: TO, text: 'Ünïcode & 100 % + more = 123456' }

function senderFor(url: string, totalMs = 300): SmsSender {
  const account = smsUrl(url)
  assert.ok(account.kind === 'twilio')
  return createTwilio(account, { timeouts: { connectMs: 2000, totalMs } })
}

/** The error with which a send fails. */
async function failure(sender: SmsSender): Promise<DeliveryError> {
  const error = await sender.send(sms, 'id').then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof DeliveryError, String(error))
  return error
}

describe('a text message by Twilio', () => {
  test('is one POST to the Messages API, with To, From and Body as a form and Basic auth', async () => {
    await using api = await startTwilio(ACCEPTED)

    await senderFor(api.url).send(sms, 'id')

    const [request, ...more] = api.received
    assert.deepEqual(more, [])
    assert.equal(request?.method, 'POST')
    assert.equal(request.url, `/2010-04-01/Accounts/${SID}/Messages.json`)
    assert.deepEqual(
      { ...request.headers },
      {
        host: `127.0.0.1:${api.port}`,
        accept: 'application/json',
        authorization: `Basic ${Buffer.from(`${SID}:${TOKEN}`).toString('base64')}`,
        connection: 'close',
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(request.body.length),
      },
    )
    assert.equal(
      request.body,
      'To=%2B4915123456789&From=%2B15550100200&Body=%C3%9Cn%C3%AFcode+%26+100+%25+%2B+more+%3D+123456',
    )
  })

  for (const [why, reply, fault] of [
    ['an invalid number', refusal(400, 21211), 'refused'],
    ['a number that unsubscribed', refusal(400, 21610), 'refused'],
    ['a landline', refusal(400, 21614), 'refused'],
    ['a country that we do not send to', refusal(403, 21408), 'refused'],
    ['a From that is not ours', refusal(400, 21659), 'transport'],
    ['a full queue of our From', refusal(400, 21611), 'transport'],
    ['a wrong token', refusal(401, 20003), 'transport'],
    ['a suspended account', refusal(403, 20005), 'transport'],
    ['an unknown account or path', refusal(404, 20404), 'transport'],
    ['too many requests', refusal(429, 20429), 'transport'],
    ['a redirect', answer(307, '', { location: 'http://127.0.0.1:1/' }), 'transport'],
    ['a 500', refusal(500, 21211), 'transport'],
    ['a 503 in HTML', answer(503, '<h1>Busy</h1>'), 'transport'],
    ['a 400 that nobody understands', answer(400, 'x'), 'later'],
    ['a 400 whose code is a text', answer(400, '{"code":"21211"}'), 'later'],
  ] as const satisfies readonly (readonly [string, Reply, DeliveryFault])[]) {
    test(`fails as ${fault} for ${why}, without repeating the number`, async () => {
      await using api = await startTwilio(reply)

      const error = await failure(senderFor(api.url))

      assert.equal(error.fault, fault)
      assert.equal(error.unconfirmed, false)
      assert.ok(!error.message.includes(TO) && !error.message.includes(TOKEN), error.message)
      assert.equal(api.received.length, 1)
    })
  }

  test('names status and code in the error, for whoever mends it', async () => {
    await using api = await startTwilio(refusal(400, 21211))
    assert.equal((await failure(senderFor(api.url))).message, 'Twilio answered 400 with code 21211')
  })

  for (const [why, reply] of [
    ['no answer comes', () => {}],
    ['the connection ends before the answer', (response: ServerResponse) => response.destroy()],
  ] as const) {
    test(`fails as transport, unconfirmed, when ${why}`, async () => {
      await using api = await startTwilio(reply)

      const error = await failure(senderFor(api.url))

      assert.equal(error.fault, 'transport')
      assert.equal(error.unconfirmed, true)
    })
  }

  test('fails as transport, unconfirmed and at once, when the process stops meanwhile', async () => {
    const asked = Promise.withResolvers<void>()
    await using api = await startTwilio(() => asked.resolve())
    const sender = senderFor(api.url, MINUTE_MS)
    const failing = failure(sender)
    await asked.promise

    await sender.close?.()
    const { fault, unconfirmed } = await failing

    assert.deepEqual([fault, unconfirmed], ['transport', true])
    assert.equal((await failure(sender)).unconfirmed, false)
    assert.equal(api.received.length, 1)
  })

  test('fails as transport, and nothing was sent, when there is no server', async () => {
    const api = await startTwilio(() => {})
    await api[Symbol.asyncDispose]()

    const error = await failure(senderFor(api.url))

    assert.equal(error.fault, 'transport')
    assert.equal(error.unconfirmed, false)
  })

  test('fails as transport, and nothing was sent, when the server speaks no TLS', async () => {
    await using api = await startTwilio(answer(201, ''))

    const error = await failure(senderFor(smsUrlOf(`127.0.0.1:${api.port}`, '')))

    assert.equal(error.fault, 'transport')
    assert.equal(error.unconfirmed, false)
    assert.deepEqual(api.received, [])
  })

  for (const [why, reply] of [
    [
      'cut off',
      (response: ServerResponse) => {
        response.writeHead(201, { 'content-length': 100 }).write('{')
        setImmediate(() => response.destroy())
      },
    ],
    ['never ended', (response: ServerResponse) => response.writeHead(201).write('{')],
  ] as const) {
    test(`counts as sent once the status is 201, though the answer is ${why}`, async () => {
      await using api = await startTwilio(reply)

      await senderFor(api.url).send(sms, 'id')

      assert.equal(api.received.length, 1)
    })
  }
})

test('of an answer without end no more is read than it needs, and the message counts as sent', async () => {
  let written = 0
  const endless: Reply = (response) => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const more = () => {
      written += chunk.length
      if (response.write(chunk)) setImmediate(more)
      else response.once('drain', more)
    }
    response.writeHead(201)
    more()
  }
  await using api = await startTwilio(endless)

  await senderFor(api.url, 3000).send(sms, 'id')

  // What two sockets buffer, and far from what fits into three seconds.
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes`)
})

describe('the text with the code', () => {
  for (const locale of [null, 'en', 'de']) {
    test(`is one segment of the GSM alphabet in ${locale}`, () => {
      const { text, to, consoleLine } = phoneCodeSms({ to: TO, code: '012345', locale })

      assert.ok(text.length <= 160, String(text.length))
      assert.match(text, /^012345 [A-Za-z0-9 .,;:?!'-]+$/)
      assert.equal(to, TO)
      assert.equal(consoleLine, `🔑 Phone code for ${TO}: 012345`)
    })
  }

  test('is German for who reads German, else English', () => {
    const text = (locale: string | null) => phoneCodeSms({ to: TO, code: '012345', locale }).text
    assert.match(text('de'), / ist Ihr /)
    assert.match(text('en'), / is your /)
    assert.equal(text(null), text('en'))
  })
})
