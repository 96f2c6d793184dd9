import { asciiEmail } from '../../lib/emails.ts'
import type { MailAddress, SendGridUrl } from '../../settings/mail-url.ts'
import { MINUTE_MS } from '../../lib/units.ts'
import { DeliveryError, type DeliveryFault } from './delivery-error.ts'
import type { Mailer, Mail } from './mailer.ts'
import { post } from './post.ts'
import { quotable } from './replies.ts'

const CLAIM_MS = MINUTE_MS
const ACCEPTED = 202
/** Errors of this mail; every other status concerns the key, the sender or SendGrid itself. */
const REFUSED = new Set([400, 413])

/** SendGrid’s Web API v3. */
export function createSendGridMailer(
  { origin, key }: SendGridUrl,
  from: MailAddress,
  { timeoutMs }: { timeoutMs?: number } = {},
): Mailer {
  const url = new URL('/v3/mail/send', origin)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const closing = new AbortController()
  return {
    timeoutMs: CLAIM_MS,
    async send(mail, id) {
      const { status, body } = await post(url, {
        provider: 'SendGrid',
        headers,
        body: JSON.stringify(toRequest(mail, id, from)),
        timeoutMs,
        signal: closing.signal,
      })
      if (status === ACCEPTED) return
      const fault: DeliveryFault = REFUSED.has(status) ? 'refused' : 'transport'
      throw new DeliveryError(fault, `SendGrid answered ${status} ${quotable(body)}`.trim())
    },
    close: async () => closing.abort(),
  }
}

function toRequest(mail: Mail, id: string, from: MailAddress) {
  return {
    // nodemailer converts domains to ASCII, SendGrid does not.
    personalizations: [{ to: [{ email: asciiEmail(mail.to) ?? mail.to }] }],
    from: { email: from.address, ...(from.name === '' ? {} : { name: from.name }) },
    subject: mail.subject,
    content: [
      { type: 'text/plain', value: mail.text },
      { type: 'text/html', value: mail.html },
    ],
    headers: { 'Message-ID': `<${id}@${from.domain}>`, 'Auto-Submitted': 'auto-generated' },
    // SendGrid’s events contain it; `npm run cli -- mail show` takes it.
    custom_args: { mail_id: id },
    // Tracking would rewrite links to a third-party server.
    tracking_settings: {
      click_tracking: { enable: false, enable_text: false },
      open_tracking: { enable: false },
      subscription_tracking: { enable: false },
      ganalytics: { enable: false },
    },
  }
}
