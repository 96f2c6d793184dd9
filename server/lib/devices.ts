/** What a user agent says it is, in words of ours. */
export interface Device {
  /** Null: some app that is not a browser. */
  readonly program: string | null
  readonly system: string | null
}

/** The first that fits: most browsers name those they descend from, too. */
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

/** A product and its version (RFC 9110 section 10.1.5), as programs without a browser begin. */
const APP = /^(?!Mozilla\/)[\w.-]+\/[0-9]/
/** Android's and Apple's views of web pages inside an app. */
const WEB_VIEW =
  /; wv\)|\biP(hone|ad)\b.*AppleWebKit(?!.*\b(Safari|CriOS|FxiOS|EdgiOS|OPT|OPiOS)\/)/

/**
 * Null for what no row of the tables knows. Nothing of the text itself comes back: who signs somebody
 * else up chooses it, and would write "call this number" into a mail of ours.
 */
export function deviceOf(userAgent: string | null): Device | null {
  if (userAgent === null) return null
  const known = PROGRAMS.find(([pattern]) => pattern.test(userAgent))?.[1]
  const inApp = WEB_VIEW.test(userAgent) || (known === undefined && APP.test(userAgent))
  if (known === undefined && !inApp) return null
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? null
  return { program: inApp ? null : (known ?? null), system }
}
