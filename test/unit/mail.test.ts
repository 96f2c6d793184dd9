import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OutputStuckError } from '../../server/lib/log.ts'
import { DeliveryError } from '../../server/outbox/transports/delivery-error.ts'
import { createConsoleMailer } from '../../server/outbox/transports/mailer.ts'
import { originOf, writeMail } from '../../server/messages/mails.ts'
import { createSmsSender } from '../../server/outbox/transports/sms-sender.ts'
import { SHOP } from '../support/settings.ts'

const verification = {
  to: 'user@example.com',
  locale: null,
  code: '123456',
  until: '2026-01-02T12:00:59.999Z',
  signedUpAt: '2026-01-01T12:00:00.000Z',
  from: originOf({ ip: '203.0.113.7', userAgent: 'curl/8.14' }),
}

/** An output that says what reached it, and when. */
function createRecorder() {
  const events: string[] = []
  return {
    events,
    write: (text: string) => void events.push(text),
    flush: async () => void events.push('flushed'),
  }
}

describe('verification mail', () => {
  test('rounds down until when it works, and says so when network and device are unknown', () => {
    const { text } = writeMail(SHOP, 'verification', {
      ...verification,
      from: originOf({ ip: null, userAgent: null }),
    })

    assert.match(text, /is valid until 2026-01-02 12:00 UTC\./)
    assert.match(text, /from an unknown network with an unknown device\./)
  })
})

describe('console mail', () => {
  test('a verification mail is exactly one line', async () => {
    const output = createRecorder()

    await createConsoleMailer(output).send(writeMail(SHOP, 'verification', verification), 'id')

    assert.deepEqual(output.events, [
      '🔑 Verification code for user@example.com: 123456\n',
      'flushed',
    ])
  })

  test('any other mail is printed whole', async () => {
    const output = createRecorder()
    const mail = writeMail(SHOP, 'alreadyRegistered', {
      to: 'user@example.com',
      locale: null,
      link: 'https://shop.test',
    })

    await createConsoleMailer(output).send(mail, 'id')

    const [printed = ''] = output.events
    assert.ok(printed.startsWith(`✉️  To user@example.com: ${mail.subject}\n`))
    for (const line of mail.text.trimEnd().split('\n')) assert.ok(printed.includes(`   ${line}\n`))
  })

  test('rejects when what it printed did not get out: the mail is tried again', async () => {
    const output = { write: () => {}, flush: () => Promise.reject(new Error('nobody reads')) }

    const sending = createConsoleMailer(output).send(
      writeMail(SHOP, 'verification', verification),
      'id',
    )

    await assert.rejects(sending, /nobody reads/)
  })

  /** An output whose flushes end in these ways, one after the other, and then well. */
  function createFaulty(failures: Error[]) {
    const written: string[] = []
    return {
      written,
      write: (text: string) => void written.push(text),
      async flush() {
        const failure = failures.shift()
        if (failure !== undefined) throw failure
      },
    }
  }

  test('is not written again while it waits for a reader, and again once it was read', async () => {
    const output = createFaulty([new OutputStuckError(), new OutputStuckError()])
    const mailer = createConsoleMailer(output)
    const mail = writeMail(SHOP, 'verification', verification)

    await assert.rejects(mailer.send(mail, 'id'), DeliveryError)
    await assert.rejects(mailer.send(mail, 'id'), DeliveryError)
    await mailer.send(mail, 'id')
    const whileItWaited = output.written.length
    await mailer.send(mail, 'id')

    assert.equal(whileItWaited, 1)
    assert.equal(output.written.length, 2)
  })

  for (const [what, failure, nextId] of [
    ['another mail than the one that waits', new OutputStuckError(), 'other'],
    ['a mail that was lost', new Error('broken pipe'), 'id'],
  ] as const) {
    test(`${what} is written`, async () => {
      const output = createFaulty([failure])
      const mailer = createConsoleMailer(output)
      const mail = writeMail(SHOP, 'verification', verification)

      await assert.rejects(mailer.send(mail, 'id'), DeliveryError)
      await mailer.send(mail, nextId)

      assert.equal(output.written.length, 2)
    })
  }
  test('a text message is not written again either, and its fault is the transport', async () => {
    const output = createFaulty([new OutputStuckError()])
    const sender = createSmsSender({ secrets: { smsUrl: { kind: 'console' } }, output })
    const sms = { to: '+4915123456789', text: 'hello' }

    await assert.rejects(sender.send(sms, 'id'), { name: 'DeliveryError', fault: 'transport' })
    await sender.send(sms, 'id')

    assert.deepEqual(output.written, ['📱 To +4915123456789: hello\n'])
  })
})
