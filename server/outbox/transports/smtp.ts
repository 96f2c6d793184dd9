import { PassThrough } from 'node:stream'
import { createTransport, type SendMailOptions } from 'nodemailer'
import type { MailAddress, SmtpUrl } from '../../settings/mail-url.ts'
import { MINUTE_MS, SECOND_MS } from '../../lib/units.ts'
import { DeliveryError, type DeliveryFault } from './delivery-error.ts'
import type { Mailer, Mail } from './mailer.ts'
import { quotable } from './replies.ts'

const TIMEOUTS = {
  connectMs: 5 * SECOND_MS,
  greetingMs: 5 * SECOND_MS,
  /** Per response. */
  socketMs: 20 * SECOND_MS,
  /** Per mail; shorter than the claim, so that a message is not sent after another worker claimed it. */
  sendMs: 50 * SECOND_MS,
}
const CLAIM_MS = MINUTE_MS
const CONNECTIONS_MAX = 4
/** RFC 4954 and RFC 5321: errors of the login or the session, whichever command they answer. */
const NOT_ABOUT_THE_MAIL = new Set([421, 454, 503, 530, 534, 535, 538])

/** nodemailer's errors. */
interface SmtpError extends Error {
  readonly code?: string
  /** The SMTP command that failed; `API` if none was sent. */
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
}

/** Sends through a pool of connections to one SMTP server; without TLS only if the URL says so. */
export function createSmtpMailer(
  url: SmtpUrl,
  from: MailAddress,
  timeouts: typeof TIMEOUTS = TIMEOUTS,
): Mailer {
  const transport = createTransport(transportOptions(url, timeouts))
  const closing = new AbortController()
  /** Signals of the mails whose last byte was written to the connection. */
  const whole = new WeakSet<object>()
  transport.use('stream', (sending, done) => {
    const { signal } = sending.data
    // A new stream for each attempt of the pool.
    const end = () =>
      new PassThrough({
        flush(flushed) {
          if (signal) whole.add(signal)
          flushed()
        },
      })
    sending.message.transform(end)
    done()
  })

  return {
    timeoutMs: CLAIM_MS,
    async send(mail, id) {
      const signal = AbortSignal.any([AbortSignal.timeout(timeouts.sendMs), closing.signal])
      try {
        await transport.sendMail({ ...toMessage(mail, id, from), signal })
      } catch (error) {
        throw toDeliveryError(error as SmtpError, whole.has(signal))
      }
    },
    async close() {
      closing.abort()
      transport.close()
    },
  }
}

function transportOptions(url: SmtpUrl, timeouts: typeof TIMEOUTS) {
  return {
    pool: true as const,
    host: url.host,
    port: url.port,
    secure: url.tls === 'at-once',
    requireTLS: url.tls === 'starttls',
    ignoreTLS: url.tls === 'off',
    // Forced: nodemailer would send without authentication if the server does not offer it.
    ...(url.login === undefined
      ? {}
      : { auth: { user: url.login.user, pass: url.login.password }, forceAuth: true }),
    maxConnections: CONNECTIONS_MAX,
    // One retry when a pooled connection was lost before the mail was sent.
    maxRequeues: 1,
    connectionTimeout: timeouts.connectMs,
    dnsTimeout: timeouts.connectMs,
    greetingTimeout: timeouts.greetingMs,
    socketTimeout: timeouts.socketMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** Addresses are objects: in a string, a comma would separate two recipients. */
function toMessage(mail: Mail, id: string, from: MailAddress): SendMailOptions {
  return {
    from: { name: from.name, address: from.address },
    to: { name: '', address: mail.to },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: `<${id}@${from.domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

/** `whole`: the mail was sent completely, but not confirmed. */
function toDeliveryError(error: SmtpError, whole: boolean): DeliveryError {
  const { code, command = '', response, responseCode = 0 } = error
  if (response !== undefined) {
    const reason = `${command} was answered ${quotable(response)}`
    // 4xx and 5xx are refusals; any other reply leaves the outcome unknown.
    const unconfirmed = whole && responseCode < 400
    return new DeliveryError(faultOf(command, responseCode), reason, { unconfirmed })
  }
  // For example a line break in the address, or a mail that exceeds the server's size limit.
  if (code === 'EENVELOPE' || (code === 'EMESSAGE' && command === 'MAIL FROM')) {
    return new DeliveryError('refused', 'the mail cannot be sent as it is')
  }
  const reason = code === 'EABORT' ? 'given up: the server took too long' : error.message
  return new DeliveryError('transport', reason, { cause: error, unconfirmed: whole })
}

function faultOf(command: string, responseCode: number): DeliveryFault {
  if (!/^(RCPT TO|DATA)$/.test(command) || NOT_ABOUT_THE_MAIL.has(responseCode)) return 'transport'
  if (responseCode >= 500) return 'refused'
  return responseCode >= 400 ? 'later' : 'transport'
}
