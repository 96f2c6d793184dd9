import { localeOf } from '../lib/locales.ts'
import type { Shop } from './layout.ts'
import { TEXTS } from './texts.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'

/**
 * The code that proves a number, in one segment: 160 characters of the GSM alphabet. It names no
 * account: numbers are mistyped, and change hands.
 */
export function phoneCodeSms(
  shop: Shop,
  { to, code, locale }: { to: string; code: string; locale: string | null },
): Sms {
  return {
    to,
    text: TEXTS[localeOf(locale)].phoneCode(shop.name, { code }),
    consoleLine: `🔑 Phone code for ${to}: ${code}`,
  }
}
