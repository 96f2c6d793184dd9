import type { Config } from '../settings/config.ts'

/** On every answer, also those that are written before a request exists (OWASP REST Cheat Sheet). */
export function securityHeaders(config: Pick<Config, 'hsts'>): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    // Everything but the documentation is personal or of the moment.
    'cache-control': 'no-store',
    ...(config.hsts ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  }
}

/** For the keys and metadata that verifiers of our tokens read: a key is published for longer before it signs. */
export const CACHED_BY_VERIFIERS = 'public, max-age=600'

/** For pages of ours: own files only, nothing inline. Swagger UI draws its icons from data: URLs. */
export const PAGE_CSP =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** For a page that takes a password: a form without its script sends nothing anywhere. */
export const FORM_PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
