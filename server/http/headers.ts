import type { Config } from '../settings/config.ts'

/** For every response, including those to malformed requests (OWASP REST Cheat Sheet). */
export function securityHeaders(config: Pick<Config, 'hsts'>): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    // Files and documents set their own; all other responses are personal or volatile.
    'cache-control': 'no-store',
    ...(config.hsts ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  }
}

/** For keys and metadata of token verifiers; shorter than the time that a key is published before it signs. */
export const CACHED_BY_VERIFIERS = 'public, max-age=600'

/** For HTML pages: own files only, nothing inline. Swagger UI loads icons from data: URLs. */
export const PAGE_CSP =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/**
 * For the web app. Styles that its components make at run time carry the nonce; scripts are files. The app's
 * one policy of trusted types lets text into a style and never markup into the page.
 */
export function appCsp(nonce: string): string {
  return `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default`
}
