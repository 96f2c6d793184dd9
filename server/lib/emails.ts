import { domainToASCII } from 'node:url'

const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
/** What a domain as typed may hold: letters and digits of any script, marks, hyphens, dots. */
const DOMAIN_AS_TYPED = /^[\p{L}\p{N}\p{M}.-]+$/u

export const EMAIL_MAX_LENGTH = 254

/**
 * The form in which addresses are compared and are unique, or undefined for what is not an address:
 * an ASCII dot-atom of 1–64, `@`, an IDNA domain of at least two labels; lower case; at most 254.
 * Done here and never in SQL: PostgreSQL folds U+212A (Kelvin) to `k`, SQLite does not.
 */
export function canonicalEmail(typed: string): string | undefined {
  // Before any regular expression: an address longer than this is refused unread.
  if (typed.length > EMAIL_MAX_LENGTH) return undefined
  const at = typed.lastIndexOf('@')
  const local = typed.slice(0, Math.max(at, 0))
  if (local.length > 64 || !LOCAL_PART.test(local)) return undefined
  const domain = canonicalDomain(typed.slice(at + 1))
  if (domain === undefined) return undefined
  const canonical = `${local.toLowerCase()}@${domain}`
  return canonical.length <= EMAIL_MAX_LENGTH ? canonical : undefined
}

/**
 * What is handed to a mail server: the local part as typed, for only its owner's server knows whether
 * case matters there, and the ASCII domain. Undefined for what is not an address.
 */
export function asciiEmail(typed: string): string | undefined {
  const canonical = canonicalEmail(typed)
  if (canonical === undefined) return undefined
  return typed.slice(0, typed.lastIndexOf('@')) + canonical.slice(canonical.lastIndexOf('@'))
}

function canonicalDomain(typed: string): string | undefined {
  if (!DOMAIN_AS_TYPED.test(typed)) return undefined
  const domain = domainToASCII(typed)
  const labels = domain.split('.')
  const valid = labels.length >= 2 && labels.every((label) => LABEL.test(label))
  // A last label of digits only is an IPv4 address (`127.1` becomes `127.0.0.1`), not a name.
  return valid && !/^[0-9]+$/.test(labels.at(-1) ?? '') ? domain : undefined
}
