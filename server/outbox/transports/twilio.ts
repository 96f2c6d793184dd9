import type { TwilioAccount } from '../../settings/sms-url.ts'
import { MINUTE_MS } from '../../lib/units.ts'
import { type DeliveryFault, DeliveryError } from './delivery-error.ts'
import { post } from './post.ts'
import type { Sms, SmsSender } from './sms-sender.ts'

/**
 * Errors of the sender, not of the recipient's number: an invalid `From`, or a full queue
 * (https://www.twilio.com/docs/api/errors).
 */
const SENDER_CODES = new Set([21212, 21267, 21603, 21606, 21607, 21611, 21659, 21660, 21661])

/** Twilio's Messages API, version 2010-04-01. */
export function createTwilio(
  account: TwilioAccount,
  { timeoutMs }: { timeoutMs?: number } = {},
): SmsSender {
  const { origin, sid, token, from } = account
  const url = new URL(`/2010-04-01/Accounts/${sid}/Messages.json`, origin)
  const headers = {
    accept: 'application/json',
    authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const closing = new AbortController()
  return {
    timeoutMs: MINUTE_MS,
    async send({ to, text }: Sms) {
      const answer = await post(url, {
        provider: 'Twilio',
        headers,
        body: new URLSearchParams({ To: to, From: from, Body: text }).toString(),
        timeoutMs,
        signal: closing.signal,
      })
      if (answer.status >= 200 && answer.status < 300) return
      const code = codeIn(answer.body)
      // Twilio's message contains the phone number, which must not be logged.
      const why = `Twilio answered ${answer.status}${code === undefined ? '' : ` with code ${code}`}`
      throw new DeliveryError(faultOf(answer.status, code), why)
    },
    close: async () => closing.abort(),
  }
}

/** Codes 21000 to 21999 concern one message; other errors concern the account or Twilio. */
function faultOf(status: number, code = 0): DeliveryFault {
  const aboutMessage = status < 500 && status !== 429 && code >= 21_000 && code < 22_000
  if (aboutMessage) return SENDER_CODES.has(code) ? 'transport' : 'refused'
  // Unknown cause: one message must not pause the transport.
  return status === 400 ? 'later' : 'transport'
}

function codeIn(body: string): number | undefined {
  try {
    const { code } = JSON.parse(body) as { code?: unknown }
    return Number.isSafeInteger(code) ? (code as number) : undefined
  } catch {
    return undefined
  }
}
