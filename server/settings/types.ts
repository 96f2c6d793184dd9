import { everRuns } from '../lib/cron.ts'
import { canonicalEmail } from '../lib/emails.ts'
import { rangesOf } from '../lib/networks.ts'
import { guessBits } from '../passwords/strength.ts'

// Readers of settings. Their errors name the expected form and never repeat the value, which may be a
// secret.

export interface Reader<T> {
  (value: string): T
  /** The accepted values in a few words, for the documentation. */
  readonly allowed?: string
}

export const text = () => (value: string) => value

export function integer(min: number, max: number): Reader<number> {
  const read = (value: string) => {
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= min && number <= max)) {
      throw new Error(`must be a whole number from ${min} to ${max}`)
    }
    return number
  }
  return Object.assign(read, { allowed: `${min} to ${max}` })
}

/** A number of processes; `auto` is one for each available core. */
export function processCount(max: number): Reader<number | 'auto'> {
  const read = (value: string) => {
    if (value === 'auto') return value
    if (/^[0-9]{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= max)
      return Number(value)
    throw new Error(`must be auto, or a whole number from 1 to ${max}`)
  }
  return Object.assign(read, { allowed: `1 to ${max}, \`auto\`` })
}

export function decimal(min: number, max: number): Reader<number> {
  const read = (value: string) => {
    const number = /^[0-9]{1,9}(\.[0-9]{1,6})?$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= min && number <= max)) throw new Error(`must be a number from ${min} to ${max}`)
    return number
  }
  return Object.assign(read, { allowed: `${min} to ${max}` })
}

export function choice<const T extends string>(...values: readonly T[]): Reader<T> {
  const read = (value: string) => {
    const found = values.find((known) => known === value)
    if (found === undefined)
      throw new Error(`must be ${values.join(', ')}`.replace(/, (?=[^,]*$)/, ' or '))
    return found
  }
  return Object.assign(read, { allowed: values.map((value) => `\`${value}\``).join(', ') })
}

export const onOff: Reader<boolean> = Object.assign(readSwitch, { allowed: '`on`, `off`' })

function readSwitch(value: string): boolean {
  if (['on', 'true'].includes(value)) return true
  if (['off', 'false'].includes(value)) return false
  throw new Error('must be on or off')
}

/** Safe for headers and pages, and short enough for a text message of 160 characters with a code. */
export function shopName(value: string): string {
  const name = value.trim().normalize('NFC')
  const length = [...name].length
  if (length < 1 || length > 40 || /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) {
    throw new Error('must have 1 to 40 characters, without control characters')
  }
  return name
}

export function email(value: string): string {
  if (canonicalEmail(value) === undefined) throw new Error('must be an email address')
  return value
}

export function cron(value: string): string {
  const expected = 'must be a cron expression of five or six fields, like 0 0 * * *'
  let occurs: boolean
  try {
    occurs = everRuns(value)
  } catch (error) {
    throw new Error(expected, { cause: error })
  }
  if (!occurs) throw new Error(`${expected}, and must match a future time`)
  return value
}

export function httpUrl(value: string): string {
  const url = parseUrl(value, 'must be an http:// or https:// URL')
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new Error('must be an http:// or https:// URL without user, query or fragment')
  }
  return value.replace(/\/+$/, '')
}

/** A base URL with a final slash; `http:` only on loopback. */
export function rangeUrl(value: string): string {
  const expected = 'must be an https:// URL without user, query or fragment'
  const url = parseUrl(value, expected)
  const loopback = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/.test(url.hostname)
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && loopback)
  if (!secure || url.username || url.password || url.search || url.hash) throw new Error(expected)
  return url.href.endsWith('/') ? url.href : `${url.href}/`
}

export function redisUrl(value: string): string {
  const expected = 'must be redis://host:6379 or rediss://user:password@host:6380'
  const url = parseUrl(value, expected)
  const isDatabase = /^(?:\/\d{0,3})?$/.test(url.pathname)
  const isRedis = /^rediss?:$/.test(url.protocol) && url.hostname !== '' && isDatabase
  if (!isRedis || url.search || url.hash) throw new Error(expected)
  if (/%(?![0-9a-f]{2})/i.test(url.username + url.password))
    throw new Error(`${expected}; percent-encode special characters`)
  return value
}

export function originList(value: string): readonly string[] {
  return list(value).map((origin) => {
    const problem = originProblem(origin)
    if (problem !== undefined) throw new Error(`must list exact origins: ${problem}`)
    return origin
  })
}

/** Names the spelling that browsers send: an origin is no secret, but what stands around it could be. */
function originProblem(text: string): string | undefined {
  if (text.includes('*')) return '* is refused, because it would admit pages that are not yours'
  if (/^(?:null$|file:|data:)/.test(text))
    return 'null is refused, because any page can have that origin, in a file or a frame'
  const url = URL.canParse(text) ? new URL(text) : undefined
  // The `origin` of a web view's own scheme, as in capacitor://localhost, is the text `null`.
  const exact =
    url?.origin === 'null' && url.host !== '' ? `${url.protocol}//${url.host}` : url?.origin
  if (exact === undefined || exact === 'null')
    return 'write each like https://shop.example or capacitor://localhost'
  return exact === text ? undefined : `write ${exact}, as browsers send it, and nothing after it`
}

export function cidrList(value: string): readonly string[] {
  const ranges = list(value)
  try {
    // A prefix of 0 would trust every client.
    if (!ranges.every((range) => /^[^/]+\/[1-9][0-9]{0,2}$/.test(range))) throw new Error('prefix')
    rangesOf(ranges)
  } catch {
    throw new Error('must list CIDR ranges like 10.0.0.0/8')
  }
  return ranges
}

/** Placeholders from documentation; refused at any length. */
const PLACEHOLDERS =
  /your-?_?(super-?_?)?secret|change-?_?(me|this)|placeholder|example-?_?key|insert-?_?key/i

/** Also for a key that was in use before, and for one that is refused by its strength today. */
export function previousKey(value: string): string {
  if ([...value].length < 32) throw new Error('must have at least 32 characters')
  if (PLACEHOLDERS.test(value) || new Set(value).size < 8) {
    throw new Error('is a placeholder; generate one with: openssl rand -base64 48')
  }
  return value
}

/**
 * Of 60 000 random keys of 128 bits in hexadecimal, the shortest form of one, the lowest estimate was 92;
 * forty keys of words, rows, dates and repetitions were below 82.
 */
const KEY_MIN_BITS = 85

export const secretKey = strongKey('SECRET_KEY_PREVIOUS')
export const jwtSecretKey = strongKey('JWT_SECRET_KEY_PREVIOUS')

/** A refused key may be in use: sessions continue if it is accepted as the previous one. */
function strongKey(previous: string): Reader<string> {
  return (value) => {
    if (guessBits(previousKey(value)) >= KEY_MIN_BITS) return value
    throw new Error(
      `is easy to guess; generate one with: openssl rand -base64 48. If this key was in use, set it as ${previous} and remove it later`,
    )
  }
}

function parseUrl(value: string, expected: string): URL {
  if (!URL.canParse(value)) throw new Error(expected)
  return new URL(value)
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
