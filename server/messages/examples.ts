import { type Locale, LOCALES } from '../lib/locales.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import { KINDS } from './kinds.ts'
import type { Shop } from './layout.ts'

const FACTS = {
  to: `ann.o'neil&co@example.com`,
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
}

/** Everything that an example may say. */
export type Example = typeof FACTS & { readonly locale: Locale; readonly publicUrl: string }

export interface ExampleMail {
  readonly kind: string
  readonly locale: Locale
  readonly mail: Mail
}

/** An example of every mail in every language, for the preview and the snapshots. */
export function exampleMails(shop: Shop, publicUrl: string): ExampleMail[] {
  const kinds = Object.values(KINDS).filter((kind) => kind.channel === 'mail')
  return LOCALES.flatMap((locale) =>
    kinds
      .flatMap((kind) => Object.entries(kind.examples(shop, { ...FACTS, locale, publicUrl })))
      .map(([kind, mail]) => ({ kind, locale, mail })),
  )
}

/** Every text message in every language. */
export function exampleSms(shop: Shop): { kind: string; locale: Locale; sms: Sms }[] {
  const kinds = Object.values(KINDS).filter((kind) => kind.channel === 'sms')
  return LOCALES.flatMap((locale) =>
    kinds
      .flatMap((kind) => Object.entries(kind.examples(shop, { ...FACTS, locale, publicUrl: '' })))
      .map(([kind, sms]) => ({ kind, locale, sms })),
  )
}
