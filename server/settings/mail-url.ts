import { isIP } from 'node:net'
import { asciiEmail } from '../lib/emails.ts'

// As in types.ts, error messages never repeat the value.

/** `starttls`: required; `at-once`: implicit TLS; `off`: for a local mail sink. */
export type SmtpTls = 'starttls' | 'at-once' | 'off'

export interface SmtpUrl {
  readonly kind: 'smtp'
  readonly host: string
  readonly port: number
  readonly tls: SmtpTls
  readonly login?: { readonly user: string; readonly password: string }
}
export interface SendGridUrl {
  readonly kind: 'sendgrid'
  /** `https://host`, with a port unless it is the default. */
  readonly origin: string
  readonly key: string
}
export type MailUrl = { readonly kind: 'console' } | SmtpUrl | SendGridUrl

export interface MailAddress {
  /** Empty when MAIL_FROM is a bare address. */
  readonly name: string
  readonly address: string
  readonly domain: string
}

const EXPECTED =
  'must be console:, smtp://user:password@host:587, smtps://user:password@host:465 or sendgrid://KEY@api.sendgrid.com; percent-encode special characters'

export function mailUrl(value: string): MailUrl {
  if (value === 'console:') return { kind: 'console' }
  if (!URL.canParse(value)) throw new Error(EXPECTED)
  const url = new URL(value)
  const host = url.hostname.replace(/^\[(.+)\]$/, '$1')
  const plainHost = isIP(host) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)
  if (!plainHost || !['', '/'].includes(url.pathname) || url.hash !== '' || url.port === '0') {
    throw new Error(EXPECTED)
  }
  if (!['', '?tls=off'].includes(url.search)) throw new Error('accepts no option but ?tls=off')
  const unencrypted = url.search !== ''
  if (url.protocol === 'sendgrid:') return sendGridUrl(url, unencrypted)
  if (url.protocol === 'smtps:' && unencrypted) throw new Error('is smtps:// with ?tls=off')
  if (url.protocol !== 'smtps:' && url.protocol !== 'smtp:') throw new Error(EXPECTED)
  const secure = url.protocol === 'smtps:'
  return {
    kind: 'smtp',
    host,
    port: Number(url.port || (secure ? 465 : 587)),
    tls: secure ? 'at-once' : unencrypted ? 'off' : 'starttls',
    ...loginOf(url),
  }
}

/** `shop@example.com` or `Coffee Shop <shop@example.com>`. */
export function mailAddress(value: string): MailAddress {
  const named = /^"?([^"<>]*?)"? *<([^<>]+)>$/.exec(value)
  const typed = named?.[2] ?? value
  const name = (named?.[1] ?? '').trim()
  const address = asciiEmail(typed)
  if (address === undefined || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) {
    throw new Error('must be an address or: Name <address>')
  }
  return { name, address, domain: address.slice(address.lastIndexOf('@') + 1) }
}

function sendGridUrl(url: URL, unencrypted: boolean): SendGridUrl {
  const key = decode(url.username)
  // The key is sent as a header.
  if (!/^[\x21-\x7e]+$/.test(key) || url.password !== '') {
    throw new Error('must be sendgrid://KEY@api.sendgrid.com')
  }
  return { kind: 'sendgrid', origin: `${unencrypted ? 'http' : 'https'}://${url.host}`, key }
}

function loginOf(url: URL): Pick<SmtpUrl, 'login'> {
  const user = decode(url.username)
  const password = decode(url.password)
  if ((user === '') !== (password === '')) {
    throw new Error('must have both user and password, or neither')
  }
  return user === '' ? {} : { login: { user, password } }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error(EXPECTED)
  }
}
