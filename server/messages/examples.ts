import type { AdminAct } from '../accounts/admins.ts'
import { type Locale, LOCALES } from '../lib/locales.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Sms } from '../outbox/transports/sms-sender.ts'
import { KINDS } from './kinds.ts'
import type { Shop } from './layout.ts'
import {
  type Facts,
  homeLink,
  invitationLink,
  type MailName,
  originOf,
  resetLink,
  type SmsName,
  undoLink,
  writeMail,
} from './mails.ts'
import { TEXTS } from './texts.ts'

const TOKEN = `0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.${'A'.repeat(43)}`

/** An example of a mail; entries of `KINDS` set only what differs from the defaults. */
export interface Example {
  readonly text: MailName
  readonly link?: 'home' | 'reset' | 'undo' | 'invitation'
  readonly until?: string
  readonly verifies?: boolean
  readonly act?: AdminAct
  /** `unknown`: neither IP nor device is known. `service`: caused by the service itself. */
  readonly from?: 'unknown' | 'service'
}

type Takers = { [Name in MailName]: (facts: Facts<Name>) => void }[MailName]
/** Every fact of every text: a new one does not compile until it has an example below. */
type AllFacts = Takers extends (facts: infer Intersection) => void ? Intersection : never

function factsOf(example: Example, urls: Urls) {
  const { link = 'home', until, verifies = false, act = 'promoted', from } = example
  const origin = originOf({
    ip: '203.0.113.7',
    // An attacker controls the User-Agent header.
    userAgent: `Mozilla/5.0 (X11; Linux x86_64; <b>"R&D"</b> 'x') Firefox/140.0`,
  })
  const links = {
    home: homeLink(urls),
    reset: resetLink(urls, TOKEN),
    undo: undoLink(urls, TOKEN),
    invitation: invitationLink(urls, TOKEN),
  }
  return {
    to: `ann.o'neil&co@example.com`,
    code: '042137',
    signedUpAt: '2026-11-22T17:40:12.345Z',
    requestedAt: '2026-11-23T17:10:12.345Z',
    endedAt: '2026-11-22T18:05:59.999Z',
    at: '2026-11-22T18:05:59.999Z',
    until: until ?? (link === 'undo' ? '2026-11-25T18:05:59.999Z' : '2026-11-23T17:40:12.345Z'),
    link: links[link],
    from: from === undefined ? origin : from === 'service' ? null : { ip: null, device: null },
    verifies,
    act,
    subject: {
      id: 42,
      email: act === 'promoted' || act === 'invited' ? `bob.o'neil&co@example.com` : null,
    },
    actor: act === 'enabled' ? null : { id: 1, email: 'boss@example.com' },
  } satisfies Omit<AllFacts, 'from'> & { from: unknown; to: string }
}

interface Urls {
  readonly shop: Shop
  readonly publicUrl: string
}

export interface ExampleMail {
  readonly kind: string
  readonly locale: Locale
  readonly mail: Mail
}

/** An example of every mail in every language, for the preview and the snapshot tests. */
export function exampleMails(shop: Shop, publicUrl: string): ExampleMail[] {
  const examples = Object.values(KINDS)
    .filter((kind) => kind.channel === 'mail')
    .flatMap((kind) => Object.entries<Example>(kind.examples))
  return LOCALES.flatMap((locale) =>
    examples.map(([kind, example]) => {
      const facts = { ...factsOf(example, { shop, publicUrl }), locale }
      return { kind, locale, mail: writeMail(shop, example.text, facts as never) }
    }),
  )
}

/** An example of every text message in every language. */
export function exampleSms(shop: Shop): { kind: string; locale: Locale; sms: Sms }[] {
  const examples = Object.values(KINDS)
    .filter((kind) => kind.channel === 'sms')
    .flatMap((kind) => Object.entries<{ text: SmsName }>(kind.examples))
  return LOCALES.flatMap((locale) =>
    examples.map(([kind, { text }]) => {
      const sms = { to: '+4915123456789', text: TEXTS[locale][text](shop.name, { code: '042137' }) }
      return { kind, locale, sms }
    }),
  )
}
