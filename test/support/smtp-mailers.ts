import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { mailAddress, mailUrl, type SmtpUrl } from '../../server/settings/mail-url.ts'
import { SECOND_MS } from '../../server/lib/units.ts'
import { DeliveryError } from '../../server/outbox/transports/delivery-error.ts'
import type { Mail } from '../../server/outbox/transports/mailer.ts'
import { createSmtpMailer } from '../../server/outbox/transports/smtp.ts'
import { CERTIFICATE } from './certificate.ts'

export const ID = '0f8fad5b-d9cb-469f-a165-70867728950e'
export const MAIL: Mail = {
  to: 'ann@example.com',
  subject: 'Your code',
  text: 'It is 123456.\n',
  html: '<p>It is <b>123456</b>.</p>\n',
}
/** As long as a busy machine may take; tests of silence shorten the one that they are about. */
const PATIENT = {
  connectMs: 20 * SECOND_MS,
  greetingMs: 20 * SECOND_MS,
  socketMs: 20 * SECOND_MS,
  sendMs: 30 * SECOND_MS,
}

/** For the tests of the `describe` that calls it the certificate of the scripted server is as good as any. */
export function trustTestCertificate(): void {
  const usual = getCACertificates('default')
  before(() => setDefaultCACertificates([...usual, CERTIFICATE]))
  after(() => setDefaultCACertificates(usual))
}

/** The mailer that MAIL_URL and MAIL_FROM describe; closed at the end of the block. */
export function mailerFor(
  url: string,
  {
    from = 'Coffee Shop <shop@example.com>',
    timeouts,
  }: { from?: string; timeouts?: Partial<typeof PATIENT> } = {},
) {
  const mailer = createSmtpMailer(mailUrl(url) as SmtpUrl, mailAddress(from), {
    ...PATIENT,
    ...timeouts,
  })
  return { ...mailer, [Symbol.asyncDispose]: async () => mailer.close?.() }
}

/** What a sending that fails says of it. */
export async function faultOf(sending: Promise<unknown>): Promise<DeliveryError> {
  const error = await sending.then(
    () => assert.fail('it was sent'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof DeliveryError, String(error))
  return error
}
