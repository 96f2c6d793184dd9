import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { mailAddress, mailUrl, type SendGridUrl } from '../../server/settings/mail-url.ts'
import { smsUrl } from '../../server/settings/sms-url.ts'
import { MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import type { DeliveryFault } from '../../server/outbox/transports/delivery-error.ts'
import { post } from '../../server/outbox/transports/post.ts'
import { createSendGridMailer } from '../../server/outbox/transports/sendgrid.ts'
import { phoneCodeSms } from '../../server/messages/sms.ts'
import { createTwilio } from '../../server/outbox/transports/twilio.ts'
import { CERTIFICATE, CERTIFICATE_KEY } from '../support/certificate.ts'
import { answer, FETCH_HEADERS, type Reply, startHttpServer } from '../support/http-server.ts'
import { faultOf, ID, MAIL } from '../support/smtp-mailers.ts'
import { ACCEPTED, refusal, SID, smsUrlOf, TOKEN } from '../support/twilio-server.ts'
import { SHOP } from '../support/settings.ts'

const KEY = 'SG.canary-key_0.abc'
const TO = '+4915123456789'
const SMS = { to: TO, text: 'Ünïcode & 100 % + more = 123456' }

/** For what never ends; all else has as long as a busy machine may take. */
const SHORT = { timeoutMs: SECOND_MS }

interface Options {
  readonly timeoutMs?: number
  readonly tls?: boolean
  readonly from?: string
}

function sendGridOn(
  host: string,
  { timeoutMs = 20 * SECOND_MS, tls = false, from = 'Shop <shop@example.com>' }: Options = {},
) {
  const url = mailUrl(`sendgrid://${KEY}@${host}${tls ? '' : '?tls=off'}`) as SendGridUrl
  const mailer = createSendGridMailer(url, mailAddress(from), { timeoutMs })
  return { ...mailer, send: (to = MAIL.to) => mailer.send({ ...MAIL, to }, ID) }
}

function twilioOn(host: string, { timeoutMs = 20 * SECOND_MS, tls = false }: Options = {}) {
  const account = smsUrl(tls ? smsUrlOf(host, '') : smsUrlOf(host))
  assert.ok(account.kind === 'twilio')
  const sender = createTwilio(account, { timeoutMs })
  return { ...sender, send: () => sender.send(SMS, ID) }
}

for (const [name, transportOn] of [
  ['SendGrid', sendGridOn],
  ['Twilio', twilioOn],
] as const) {
  describe(`without an answer of ${name}`, () => {
    for (const [why, reply] of [
      ['it hangs', () => {}],
      ['it closes the connection', (response: ServerResponse) => response.destroy()],
    ] as const) {
      test(`${why}: transport, and a copy may be on its way`, async () => {
        await using server = await startHttpServer(reply)

        const error = await faultOf(transportOn(server.host, SHORT).send())

        assert.deepEqual([error.fault, error.unconfirmed], ['transport', true])
        assert.equal(server.asked.length, 1)
        const told = `${error.stack} ${String(error.cause)}`
        assert.ok(![KEY, TOKEN].some((secret) => told.includes(secret)), told)
      })
    }

    test('the process stops meanwhile: at once, and a copy may be on its way', async () => {
      const asked = Promise.withResolvers<void>()
      await using server = await startHttpServer(() => asked.resolve())
      const transport = transportOn(server.host, { timeoutMs: MINUTE_MS })
      const failing = faultOf(transport.send())
      await asked.promise

      await transport.close?.()
      const { fault, unconfirmed } = await failing

      assert.deepEqual([fault, unconfirmed], ['transport', true])
      assert.equal((await faultOf(transport.send())).unconfirmed, false)
      assert.equal(server.asked.length, 1)
    })

    test('it is down: transport, and nothing is in doubt', async () => {
      const server = await startHttpServer(() => {})
      await server[Symbol.asyncDispose]()

      const error = await faultOf(transportOn(server.host).send())

      assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
      assert.match(error.message, /ECONNREFUSED/)
    })

    test('DNS does not know it: transport, and nothing is in doubt', async () => {
      const error = await faultOf(transportOn('nowhere.invalid').send())

      assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
      assert.match(error.message, /getaddrinfo E\w+ nowhere\.invalid/)
    })

    test('it speaks no TLS: transport, and nothing was sent', async () => {
      await using server = await startHttpServer(answer(202))

      const error = await faultOf(transportOn(server.host, { tls: true }).send())

      assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
      assert.deepEqual(server.asked, [])
    })

    test('a certificate that nobody trusts: transport, and no secret is told', async () => {
      let told = ''
      const server = createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (socket) =>
        socket.on('data', (bytes: Buffer) => (told += bytes)),
      )
      server.on('tlsClientError', () => {}).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo

      const sending = transportOn(`127.0.0.1:${port}`, { tls: true }).send()
      const error = await faultOf(sending).finally(() => server.close())

      assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
      assert.match(error.message, /self-signed certificate/)
      assert.equal(told, '')
    })

    test('a redirect, which is not followed: secrets go nowhere else', async () => {
      await using other = await startHttpServer(answer(202))
      await using server = await startHttpServer(answer(307, '', { location: other.url }))

      const error = await faultOf(transportOn(server.host).send())

      assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
      assert.deepEqual(other.asked, [])
    })
  })
}

describe('a mail by SendGrid', () => {
  const bodyOf = (asked: { body: string } | undefined) => JSON.parse(asked?.body ?? '')

  test('is exactly one request of their Web API v3, the same at every try', async () => {
    await using server = await startHttpServer(answer(202))
    const mailer = sendGridOn(server.host)

    await mailer.send()
    await mailer.send()

    const [request, again, ...more] = server.asked
    assert.deepEqual([again, more], [request, []])
    assert.equal(`${request?.method} ${request?.url}`, 'POST /v3/mail/send')
    assert.deepEqual(request?.headers, {
      ...FETCH_HEADERS,
      accept: '*/*',
      'user-agent': 'node',
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(request?.body ?? '')),
      host: server.host,
      connection: 'close',
    })
    assert.deepEqual(bodyOf(request), {
      personalizations: [{ to: [{ email: MAIL.to }] }],
      from: { email: 'shop@example.com', name: 'Shop' },
      subject: MAIL.subject,
      content: [
        { type: 'text/plain', value: MAIL.text },
        { type: 'text/html', value: MAIL.html },
      ],
      headers: { 'Message-ID': `<${ID}@example.com>`, 'Auto-Submitted': 'auto-generated' },
      custom_args: { mail_id: ID },
      tracking_settings: {
        click_tracking: { enable: false, enable_text: false },
        open_tracking: { enable: false },
        subscription_tracking: { enable: false },
        ganalytics: { enable: false },
      },
    })
  })

  test('names its sender by address alone when MAIL_FROM has no name', async () => {
    await using server = await startHttpServer(answer(202))

    await sendGridOn(server.host, { from: 'shop@example.com' }).send()

    assert.deepEqual(bodyOf(server.asked[0]).from, { email: 'shop@example.com' })
  })

  for (const [why, to, email] of [
    ['goes to the address as typed, its domain in ASCII', 'Ann@Bücher.de', 'Ann@xn--bcher-kva.de'],
    ['has one recipient, whatever the address holds', 'ann,eve@example.com', 'ann,eve@example.com'],
  ] as const) {
    test(why, async () => {
      await using server = await startHttpServer(answer(202))

      await sendGridOn(server.host).send(to)

      assert.deepEqual(bodyOf(server.asked[0]).personalizations, [{ to: [{ email }] }])
    })
  }

  for (const [status, fault] of [
    [400, 'refused'],
    [413, 'refused'],
    [401, 'transport'],
    [403, 'transport'],
    [404, 'transport'],
    [429, 'transport'],
    [500, 'transport'],
    [503, 'transport'],
    // Sandbox mode: checked and thrown away.
    [200, 'transport'],
  ] as const) {
    test(`that is answered ${status} is a fault of the kind ${fault}, and nothing is in doubt`, async () => {
      await using server = await startHttpServer(answer(status, '{"errors":[]}'))

      const error = await faultOf(sendGridOn(server.host).send())

      assert.deepEqual([error.fault, error.unconfirmed], [fault, false])
      assert.equal(error.message, `SendGrid answered ${status} {"errors":[]}`)
    })
  }

  test('that is refused is told of without the address and without what could be a code', async () => {
    const body = '{"errors":[{"message":"Bad: ann@example.com\\n 123456"}]}'
    await using server = await startHttpServer(answer(400, body))

    const { message } = await faultOf(sendGridOn(server.host).send())

    assert.match(message, /Bad: …@…/)
    assert.doesNotMatch(message, /ann@|123456|canary/)
  })
})

describe('a text message by Twilio', () => {
  test('is one POST to the Messages API, with To, From and Body as a form and Basic auth', async () => {
    await using api = await startHttpServer(ACCEPTED)

    await twilioOn(api.host).send()

    const [request, ...more] = api.asked
    assert.deepEqual(more, [])
    assert.equal(request?.method, 'POST')
    assert.equal(request.url, `/2010-04-01/Accounts/${SID}/Messages.json`)
    assert.deepEqual(request.headers, {
      ...FETCH_HEADERS,
      'user-agent': 'node',
      host: api.host,
      accept: 'application/json',
      authorization: `Basic ${Buffer.from(`${SID}:${TOKEN}`).toString('base64')}`,
      connection: 'close',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(request.body.length),
    })
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
    ['a 500', refusal(500, 21211), 'transport'],
    ['a 503 in HTML', answer(503, '<h1>Busy</h1>'), 'transport'],
    ['a 400 that nobody understands', answer(400, 'x'), 'later'],
    ['a 400 whose code is a text', answer(400, '{"code":"21211"}'), 'later'],
  ] as const satisfies readonly (readonly [string, Reply, DeliveryFault])[]) {
    test(`fails as ${fault} for ${why}, without repeating the number`, async () => {
      await using api = await startHttpServer(reply)

      const error = await faultOf(twilioOn(api.host).send())

      assert.deepEqual([error.fault, error.unconfirmed], [fault, false])
      assert.ok(!error.message.includes(TO) && !error.message.includes(TOKEN), error.message)
      assert.equal(api.asked.length, 1)
    })
  }

  test('names status and code in the error, for whoever mends it', async () => {
    await using api = await startHttpServer(refusal(400, 21211))
    const { message } = await faultOf(twilioOn(api.host).send())
    assert.equal(message, 'Twilio answered 400 with code 21211')
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
      await using api = await startHttpServer(reply)

      await twilioOn(api.host, SHORT).send()

      assert.equal(api.asked.length, 1)
    })
  }

  test('counts as sent when its answer has no end, of which no more is read than it needs', async () => {
    let written = 0
    await using api = await startHttpServer((response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const more = () => {
        written += chunk.length
        if (response.write(chunk)) setImmediate(more)
        else response.once('drain', more)
      }
      response.writeHead(201)
      more()
    })

    await twilioOn(api.host, { timeoutMs: 3 * SECOND_MS }).send()

    // What two sockets buffer, and far from what fits into three seconds.
    assert.ok(written < 32 * 1024 * 1024, `${written} bytes`)
  })

  for (const locale of [null, 'en', 'de']) {
    test(`is one segment of the GSM alphabet in ${locale}`, () => {
      const { text, to, consoleLine } = phoneCodeSms(SHOP, { to: TO, code: '012345', locale })

      assert.ok(text.length <= 160, String(text.length))
      assert.match(text, /^012345 [A-Za-z0-9 .,;:?!'-]+$/)
      assert.match(text, locale === 'de' ? / ist Ihr / : / is your /)
      assert.equal(to, TO)
      assert.equal(consoleLine, `🔑 Phone code for ${TO}: 012345`)
    })
  }
})

/** What a post to a server that does this with its connections fails with. */
async function failureOfPost(onConnection: (socket: Socket) => void, body: string) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}))
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const { signal } = new AbortController()
  try {
    return await faultOf(post(url, { provider: 'Ours', headers: {}, body, signal, ...SHORT }))
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

describe('a post without an answer', () => {
  test('that was sent whole is unconfirmed', async () => {
    const error = await failureOfPost((socket) => socket.resume(), 'short')
    assert.equal(error.unconfirmed, true)
  })

  test('of which the server never read the end is not unconfirmed', async () => {
    // More than two sockets buffer.
    const huge = 'x'.repeat(64 * 1024 * 1024)
    const error = await failureOfPost((socket) => socket.pause(), huge)
    assert.equal(error.unconfirmed, false)
  })

  test('ends when the server switches protocols, which nobody asked for', async () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'
    const error = await failureOfPost(
      (socket) => socket.once('data', () => socket.write(upgrade)),
      'a',
    )
    assert.equal(error.unconfirmed, true)
  })
})
