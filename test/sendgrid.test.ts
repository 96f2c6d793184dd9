import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { MINUTE_MS } from '../server/lib/units.ts'
import { mailAddress, mailUrl, type SendGridUrl } from '../server/lib/mail-settings.ts'
import { createSendGridMailer } from '../server/mail/sendgrid.ts'
import { CERTIFICATE, CERTIFICATE_KEY } from './support/certificate.ts'
import { faultOf, ID, MAIL } from './support/smtp-mailers.ts'

const KEY = 'SG.canary-key_0.abc'
const TIMEOUTS = { connectMs: 300, totalMs: 600 }

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A local server in SendGrid’s place. */
async function startSendGrid(respond: (response: ServerResponse) => void) {
  const asked: Asked[] = []
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request
    asked.push({ method, url, headers, body: await text(request) })
    respond(response)
  }
  const server = createServer((request, response) => void take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    asked,
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
const answerWith =
  (status: number, body = '', headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(body)

function mailerOn(
  host: string,
  { query = '?tls=off', from = 'Shop <shop@example.com>', totalMs = TIMEOUTS.totalMs } = {},
) {
  const url = mailUrl(`sendgrid://${KEY}@${host}${query}`) as SendGridUrl
  return createSendGridMailer(url, mailAddress(from), { timeouts: { ...TIMEOUTS, totalMs } })
}

describe('a mail by SendGrid', () => {
  test('is exactly one request of their Web API v3', async () => {
    await using sendGrid = await startSendGrid(answerWith(202))

    await mailerOn(sendGrid.host).send(MAIL, ID)

    const [request] = sendGrid.asked
    assert.equal(sendGrid.asked.length, 1)
    assert.equal(`${request?.method} ${request?.url}`, 'POST /v3/mail/send')
    assert.deepEqual(request?.headers, {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(request?.body ?? '')),
      host: sendGrid.host,
      connection: 'close',
    })
    assert.deepEqual(JSON.parse(request.body), {
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

  test('is the same request at every try', async () => {
    await using sendGrid = await startSendGrid(answerWith(202))
    const mailer = mailerOn(sendGrid.host)

    await mailer.send(MAIL, ID)
    await mailer.send(MAIL, ID)

    assert.deepEqual(sendGrid.asked[1], sendGrid.asked[0])
  })

  test('names its sender by address alone when MAIL_FROM has no name', async () => {
    await using sendGrid = await startSendGrid(answerWith(202))

    await mailerOn(sendGrid.host, { from: 'shop@example.com' }).send(MAIL, ID)

    const { from } = JSON.parse(sendGrid.asked[0]?.body ?? '')
    assert.deepEqual(from, { email: 'shop@example.com' })
  })

  test('goes to the address as typed, its domain in ASCII', async () => {
    await using sendGrid = await startSendGrid(answerWith(202))

    await mailerOn(sendGrid.host).send({ ...MAIL, to: 'Ann@Bücher.de' }, ID)

    const { personalizations } = JSON.parse(sendGrid.asked[0]?.body ?? '')
    assert.deepEqual(personalizations, [{ to: [{ email: 'Ann@xn--bcher-kva.de' }] }])
  })

  test('has one recipient, whatever the address holds', async () => {
    await using sendGrid = await startSendGrid(answerWith(202))

    await mailerOn(sendGrid.host).send({ ...MAIL, to: 'ann,eve@example.com' }, ID)

    const { personalizations } = JSON.parse(sendGrid.asked[0]?.body ?? '')
    assert.deepEqual(personalizations, [{ to: [{ email: 'ann,eve@example.com' }] }])
  })
})

describe('what SendGrid answers', () => {
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
    test(`${status} is a fault of the kind ${fault}, and nothing is in doubt`, async () => {
      await using sendGrid = await startSendGrid(answerWith(status, '{"errors":[]}'))

      const error = await faultOf(mailerOn(sendGrid.host).send(MAIL, ID))

      assert.deepEqual([error.fault, error.unconfirmed], [fault, false])
      assert.equal(error.message, `SendGrid answered ${status} {"errors":[]}`)
    })
  }

  test('is told without the address and without what could be a code', async () => {
    const body = '{"errors":[{"message":"Bad: ann@example.com\\n 123456"}]}'
    await using sendGrid = await startSendGrid(answerWith(400, body))

    const { message } = await faultOf(mailerOn(sendGrid.host).send(MAIL, ID))

    assert.match(message, /Bad: …@…/)
    assert.doesNotMatch(message, /ann@|123456|canary/)
  })

  test('a redirect is not followed: the key goes nowhere else', async () => {
    await using other = await startSendGrid(answerWith(202))
    const location = `http://${other.host}/v3/mail/send`
    await using sendGrid = await startSendGrid(answerWith(307, '', { location }))

    const error = await faultOf(mailerOn(sendGrid.host).send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.deepEqual(other.asked, [])
  })
})

describe('without an answer', () => {
  for (const [why, respond] of [
    ['it hangs', () => {}],
    ['it closes the connection', (response: ServerResponse) => void response.destroy()],
  ] as const) {
    test(`${why}: transport, and a copy may be on its way`, async () => {
      await using sendGrid = await startSendGrid(respond)

      const error = await faultOf(mailerOn(sendGrid.host).send(MAIL, ID))

      assert.deepEqual([error.fault, error.unconfirmed], ['transport', true])
      assert.equal(sendGrid.asked.length, 1)
      assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /canary/)
    })
  }

  test('the process stops meanwhile: at once, and a copy may be on its way', async () => {
    const asked = Promise.withResolvers<void>()
    await using sendGrid = await startSendGrid(() => asked.resolve())
    const mailer = mailerOn(sendGrid.host, { totalMs: MINUTE_MS })
    const failing = faultOf(mailer.send(MAIL, ID))
    await asked.promise

    await mailer.close?.()
    const { fault, unconfirmed } = await failing

    assert.deepEqual([fault, unconfirmed], ['transport', true])
    assert.equal((await faultOf(mailer.send(MAIL, ID))).unconfirmed, false)
    assert.equal(sendGrid.asked.length, 1)
  })

  test('it is down: transport, and nothing is in doubt', async () => {
    const sendGrid = await startSendGrid(answerWith(202))
    await sendGrid[Symbol.asyncDispose]()

    const error = await faultOf(mailerOn(sendGrid.host).send(MAIL, ID))

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.match(error.message, /ECONNREFUSED/)
  })

  test('a certificate that nobody trusts: transport, and the key is not told', async () => {
    let told = ''
    const server = createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (socket) =>
      socket.on('data', (bytes: Buffer) => (told += bytes)),
    )
    server.on('tlsClientError', () => {}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo

    const mailer = mailerOn(`127.0.0.1:${port}`, { query: '' })
    const error = await faultOf(mailer.send(MAIL, ID)).finally(() => server.close())

    assert.deepEqual([error.fault, error.unconfirmed], ['transport', false])
    assert.match(error.message, /self-signed certificate/)
    assert.equal(told, '')
  })
})
