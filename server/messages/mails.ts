import type { Client } from '../http/client.ts'
import { deviceOf } from '../lib/devices.ts'
import { localeOf } from '../lib/locales.ts'
import type { Mail } from '../outbox/transports/mailer.ts'
import type { Config } from '../settings/config.ts'
import { layOut, type Shop, type Wording } from './layout.ts'
import { type Origin, TEXTS, type Texts } from './texts.ts'

type NamesOf<Text> = {
  [Name in keyof Texts]: ReturnType<Texts[Name]> extends Text ? Name : never
}[keyof Texts]
/** The name of a mail's text. */
export type MailName = NamesOf<Wording>
/** The name of a text message. */
export type SmsName = NamesOf<string>
/** The parameters of a text besides the name of the shop. */
export type Facts<Name extends MailName> = Parameters<Texts[Name]>[1]

interface Recipient {
  readonly to: string
  /** BCP 47; null or unknown: English. */
  readonly locale: string | null
}

/** Writes a mail in the language of its recipient. */
export function writeMail<Name extends MailName>(
  shop: Shop,
  name: Name,
  { to, locale, ...facts }: Recipient & Facts<Name>,
): Mail {
  const language = localeOf(locale)
  const word = TEXTS[language][name] as (shop: string, of: object) => Wording
  const consoleLine = CONSOLE_LINES[name]?.({ to, ...facts } as never)
  const { link }: { link?: string } = facts
  const addressed = link === undefined ? facts : { ...facts, link: addressedLink(link, to) }
  const mail = { to, ...layOut(shop, word(shop.name, addressed), language) }
  return consoleLine === undefined ? mail : { ...mail, consoleLine }
}

/**
 * Tells the page whose password is set, so that a password manager files it under the address. Not in the
 * console, where scripts read the token up to the end of the line.
 */
const addressedLink = (link: string, to: string) =>
  link.includes('#token=') ? `${link}&${new URLSearchParams({ email: to }).toString()}` : link

const codeLine = ({ to, code }: { to: string; code: string }) =>
  `🔑 Verification code for ${to}: ${code}`

/** Printed instead of the whole mail with `MAIL_URL=console:`. */
const CONSOLE_LINES: Partial<Record<MailName, (mail: never) => string>> = {
  verification: codeLine,
  emailCode: codeLine,
  passwordReset: ({ to, link }: { to: string; link: string }) =>
    `🔑 Password reset link for ${to}: ${link}`,
  invitation: ({ to, link }: { to: string; link: string }) => `🔑 Invitation for ${to}: ${link}`,
}

type Urls = Pick<Config, 'shop' | 'publicUrl'>

/** The shop's website, or this service without one. */
export const homeLink = ({ shop, publicUrl }: Urls) => shop.url ?? publicUrl
// The token is in the fragment, which no server, log or Referer sees.
export const resetLink = ({ publicUrl }: Urls, token: string) => `${publicUrl}/reset#token=${token}`
// The page, which is that of a reset, words itself accordingly.
export const invitationLink = (urls: Urls, token: string) =>
  `${resetLink(urls, token)}&for=invitation`
export const undoLink = ({ publicUrl }: Urls, token: string) => `${publicUrl}/reset#undo=${token}`

export function originOf({ ip, userAgent }: Client): Origin {
  return { ip, device: deviceOf(userAgent) }
}
