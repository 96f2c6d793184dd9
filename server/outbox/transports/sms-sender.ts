import type { Secrets } from '../../settings/config.ts'
import type { Output } from '../../lib/log.ts'
import { SECOND_MS } from '../../lib/units.ts'
import type { Sender } from '../kind.ts'
import { createPrinter } from './printer.ts'
import { createTwilio } from './twilio.ts'

/** A composed text message to one number. */
export interface Sms {
  /** E.164. */
  readonly to: string
  readonly text: string
  /** The console prints this instead of the whole message. */
  readonly consoleLine?: string
}

export type SmsSender = Sender<Sms>

export function createSmsSender({
  secrets: { smsUrl },
  output,
}: {
  secrets: Pick<Secrets, 'smsUrl'>
  output: Pick<Output, 'write' | 'flush'>
}): SmsSender {
  return smsUrl.kind === 'twilio' ? createTwilio(smsUrl) : createConsoleSms(output)
}

function createConsoleSms(output: Pick<Output, 'write' | 'flush'>): SmsSender {
  const print = createPrinter(output)
  return {
    timeoutMs: 2 * SECOND_MS,
    send: (sms, id) => print(sms.consoleLine ?? `📱 To ${sms.to}: ${sms.text}`, id),
  }
}
