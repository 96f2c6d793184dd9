import type { MailAddress, SendGridUrl } from '../lib/mail-settings.ts'
import { MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { DeliveryError, type DeliveryFault } from './delivery-error.ts'
import { post } from './http-post.ts'
import type { Mailer } from './mailer.ts'
import type { Mail } from './messages.ts'
import { quotable } from './replies.ts'

const CLAIM_MS = MINUTE_MS
const ACCEPTED = 202
/** They are about this mail; every other status is about our key, our sender or their service. */
const REFUSED = new Set([400, 413])

/** SendGrid’s Web API v3. */
export function createSendGridMailer(
  { origin, key }: SendGridUrl,
  from: MailAddress,
  timeoutMs: number = 20 * SECOND_MS,
): Mailer {
  return {
    timeoutMs: CLAIM_MS,
    async send(mail, id) {
      const { status, text } = await post(`${origin}/v3/mail/send`, {
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(toRequest(mail, id, from)),
        timeoutMs,
      })
      if (status === ACCEPTED) return
      const fault: DeliveryFault = REFUSED.has(status) ? 'refused' : 'transport'
      throw new DeliveryError(fault, `SendGrid answered ${status} ${quotable(text)}`.trim())
    },
  }
}

function toRequest(mail: Mail, id: string, from: MailAddress) {
  return {
    personalizations: [{ to: [{ email: mail.to }] }],
    from: { email: from.address, ...(from.name === '' ? {} : { name: from.name }) },
    subject: mail.subject,
    content: [
      { type: 'text/plain', value: mail.text },
      { type: 'text/html', value: mail.html },
    ],
    headers: { 'Message-ID': `<${id}@${from.domain}>`, 'Auto-Submitted': 'auto-generated' },
    // Comes back in SendGrid’s events: what `npm run cli -- mail show` is asked for.
    custom_args: { mail_id: id },
    // A rewritten link leads through somebody else’s server.
    tracking_settings: {
      click_tracking: { enable: false, enable_text: false },
      open_tracking: { enable: false },
      subscription_tracking: { enable: false },
      ganalytics: { enable: false },
    },
  }
}
