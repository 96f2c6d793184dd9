import { localeOf } from '../lib/locales.ts'
import type { Shop } from './layout.ts'
import { TEXTS } from './texts.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'

/**
 * The code for a phone number, in one segment of 160 characters if the shop's name is in the GSM
 * alphabet. It does not identify the account, because the number may be mistyped or reassigned.
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
