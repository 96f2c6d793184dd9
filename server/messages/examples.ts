import { type Locale, LOCALES } from '../lib/locales.ts'
import {
  accountDeletedMail,
  alreadyRegisteredMail,
  emailChangedMail,
  emailCodeMail,
  emailConfirmedMail,
  emailTakenMail,
  emailUndoneMail,
  leftAccountDeletedMail,
  leftPasswordChangedMail,
  newDeviceMail,
  passwordChangedMail,
  passwordResetMail,
  reminderMail,
  sessionReplayedMail,
  verificationMail,
} from './mails.ts'
import type { Shop } from './layout.ts'
import { phoneCodeSms } from './sms.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import type { Mail } from '../outbox/transports/mailer.ts'

export interface ExampleMail {
  readonly kind: string
  readonly locale: Locale
  readonly mail: Mail
}

/** An example of every mail in every language, for the preview and the snapshots. */
export function exampleMails(shop: Shop, publicUrl: string): ExampleMail[] {
  return LOCALES.flatMap((locale) => {
    const example = {
      to: `ann.o'neil&co@example.com`,
      locale,
      code: '042137',
      signedUpAt: '2026-11-22T17:40:12.345Z',
      expiresAt: '2026-11-23T17:40:12.345Z',
      deletedAt: '2026-11-24T17:40:12.345Z',
      endedAt: '2026-11-22T18:05:59.999Z',
      ip: '203.0.113.7',
      // An attacker can send anything as the name of the browser.
      userAgent: `Mozilla/5.0 (X11; Linux x86_64; <b>"R&D"</b> 'x') Firefox/140.0`,
      requestedAt: '2026-11-23T17:10:12.345Z',
      token: `0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.${'A'.repeat(43)}`,
      at: '2026-11-22T18:05:59.999Z',
      undoUntil: '2026-11-25T18:05:59.999Z',
      publicUrl,
    }
    const mails: Readonly<Record<string, Mail>> = {
      verification: verificationMail(shop, example),
      already_registered: alreadyRegisteredMail(shop, example),
      session_replayed: sessionReplayedMail(shop, example),
      new_device: newDeviceMail(shop, example),
      reminder: reminderMail(shop, example),
      password_reset: passwordResetMail(shop, { ...example, verifies: false }),
      password_reset_verifies: passwordResetMail(shop, { ...example, verifies: true }),
      password_reset_by_service: passwordResetMail(shop, {
        ...example,
        ip: null,
        userAgent: null,
        verifies: false,
      }),
      password_changed: passwordChangedMail(shop, example),
      password_changed_left: leftPasswordChangedMail(shop, example),
      account_deleted: accountDeletedMail(shop, example),
      account_deleted_left: leftAccountDeletedMail(shop, example),
      email_code: emailCodeMail(shop, example),
      email_taken: emailTakenMail(shop, example),
      email_changed: emailChangedMail(shop, example),
      email_confirmed: emailConfirmedMail(shop, example),
      email_undone: emailUndoneMail(shop, example),
      unknown_origin: verificationMail(shop, { ...example, ip: null, userAgent: null }),
    }
    return Object.entries(mails).map(([kind, mail]) => ({ kind, locale, mail }))
  })
}

/** Every text message in every language. */
export function exampleSms(shop: Shop): { kind: string; locale: Locale; sms: Sms }[] {
  return LOCALES.map((locale) => ({
    kind: 'phone_code',
    locale,
    sms: phoneCodeSms(shop, { to: '+4915123456789', code: '042137', locale }),
  }))
}
