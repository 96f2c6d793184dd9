/** A recognised user agent. */
export interface Device {
  /** Null for an app that is not a browser. */
  readonly program: string | null
  readonly system: string | null
}

/** The first match wins: most browsers also name the ones they are derived from. */
const PROGRAMS: readonly (readonly [pattern: RegExp, program: string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|OPT|OPiOS|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bYaBrowser\//, 'Yandex'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bVersion\/\S+ (Mobile\/\S+ )?Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
  [/^Wget\//, 'Wget'],
]

const SYSTEMS: readonly (readonly [pattern: RegExp, system: string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\b(Macintosh|macOS)\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

/** A product and its version (RFC 9110 section 10.1.5), the usual form of non-browsers. */
const APP = /^(?!Mozilla\/)[\w.-]+\/[0-9]/
/** Web views inside Android and iOS apps. */
const WEB_VIEW =
  /; wv\)|\biP(hone|ad)\b.*AppleWebKit(?!.*\b(Safari|CriOS|FxiOS|EdgiOS|OPT|OPiOS)\/)/

/**
 * Null for an unknown user agent. Never returns text from it: an attacker who signs up another
 * person's address could put "call this number" into the mail.
 */
export function deviceOf(userAgent: string | null): Device | null {
  if (userAgent === null) return null
  const known = PROGRAMS.find(([pattern]) => pattern.test(userAgent))?.[1]
  const inApp = WEB_VIEW.test(userAgent) || (known === undefined && APP.test(userAgent))
  if (known === undefined && !inApp) return null
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? null
  return { program: inApp ? null : (known ?? null), system }
}
