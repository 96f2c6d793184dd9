import type { Secrets } from '../../settings/config.ts'
import type { Output } from '../../lib/log.ts'
import { SECOND_MS } from '../../lib/units.ts'
import { createPrinter } from './printer.ts'
import { createTwilio } from './twilio.ts'

/** One text message to one number, ready to send. */
export interface Sms {
  /** E.164. */
  readonly to: string
  readonly text: string
  /** The console prints this in place of the whole message. */
  readonly consoleLine?: string
}

export interface SmsSender {
  /** The longest that one send takes; a claim lasts as long. */
  readonly timeoutMs: number
  /** Resolves once the message was handed over. Throws only DeliveryError. */
  send(sms: Sms, id: string): Promise<void>
  /** Gives up what is in hand: each `send` throws at once. */
  close?(): Promise<void>
}

/** The sender that SMS_URL names. */
export function createSmsSender({
  secrets: { smsUrl },
  output,
}: {
  secrets: Pick<Secrets, 'smsUrl'>
  output: Pick<Output, 'write' | 'flush'>
}): SmsSender {
  return smsUrl.kind === 'twilio' ? createTwilio(smsUrl) : createConsoleSms(output)
}

/** Prints text messages. */
function createConsoleSms(output: Pick<Output, 'write' | 'flush'>): SmsSender {
  const print = createPrinter(output)
  return {
    timeoutMs: 2 * SECOND_MS,
    send: (sms, id) => print(sms.consoleLine ?? `📱 To ${sms.to}: ${sms.text}`, id),
  }
}
