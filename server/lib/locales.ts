/** The languages of messages; the first is the default. */
export const LOCALES = ['en', 'de'] as const
export type Locale = (typeof LOCALES)[number]

/** Bounds the work on client input; browsers send less. */
const HEADER_MAX = 1000
const RANGES_MAX = 32
const RANGE = /^([a-z]{1,8})(?:-[a-z0-9]{1,8})*$/
const QUALITY = /^q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/

/**
 * The supported language that `Accept-Language` prefers, or null if it names none. Invalid ranges are
 * ignored; of equal qualities the first one wins (RFC 9110 section 12.5.4).
 */
export function preferredLocale(header: string | undefined): Locale | null {
  if (header === undefined || header.length > HEADER_MAX) return null
  const ranges = header.toLowerCase().split(',', RANGES_MAX)
  const wanted = ranges.map(parseRange).filter((range) => range !== undefined)
  const [best] = wanted.toSorted((a, b) => b.quality - a.quality)
  return best?.locale ?? null
}

/** Matches the primary subtag (BCP 47): `de-AT` is German; the default is English. */
export function localeOf(tag: string | null): Locale {
  const [primary] = (tag ?? '').toLowerCase().split(/[-_]/, 1)
  return LOCALES.find((known) => known === primary) ?? LOCALES[0]
}

function parseRange(text: string): { locale: Locale; quality: number } | undefined {
  const [tag = '', weight = 'q=1', ...rest] = text.split(';').map((part) => part.trim())
  const primary = RANGE.exec(tag)?.[1]
  const locale = LOCALES.find((known) => known === primary)
  const quality = Number(QUALITY.exec(weight)?.[1] ?? 0)
  return locale !== undefined && quality > 0 && rest.length === 0 ? { locale, quality } : undefined
}
