export interface TwilioAccount {
  readonly kind: 'twilio'
  /** `https://api.twilio.com` */
  readonly origin: string
  readonly sid: string
  readonly token: string
  readonly from: string
}

export type SmsTransport = { readonly kind: 'console' } | TwilioAccount

const EXPECTED = 'must be console: or twilio://SID:TOKEN@api.twilio.com?from=+15550100200'
/** A number, a short code or an alphanumeric sender. */
const SENDER = /^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/

/** As in types.ts, error messages never repeat the value. */
export function smsUrl(value: string): SmsTransport {
  if (value === 'console:') return { kind: 'console' }
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'twilio:' || url.host === '' || url.hash !== '') throw new Error(EXPECTED)
  if (url.pathname !== '' && url.pathname !== '/') throw new Error(EXPECTED)
  // `+` means a space in a query, but starts the number here, usually unescaped.
  const query = new URLSearchParams(url.search.replaceAll('+', '%2B'))
  const { from = '', tls = 'on', ...unknown } = Object.fromEntries(query)
  const twice = query.size > new Set(query.keys()).size
  if (twice || Object.keys(unknown).length > 0) throw new Error('accepts from and tls, once each')
  if (tls !== 'on' && tls !== 'off') throw new Error('must have tls=on or tls=off')
  if (!SENDER.test(from)) {
    throw new Error('must name its sender: ?from=+15550100200, a short code or a name')
  }
  const [sid, token] = [decode(url.username), decode(url.password)]
  if (!/^AC[0-9a-f]{32}$/i.test(sid) || token === '') {
    throw new Error('must contain the account’s SID (AC and 32 hex digits) and its token')
  }
  const origin = `${tls === 'off' ? 'http' : 'https'}://${url.host}`
  return { kind: 'twilio', origin: new URL(origin).origin, sid, token, from }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error(EXPECTED)
  }
}
