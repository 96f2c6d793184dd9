import { domainToASCII } from 'node:url'

const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
/** A domain before IDNA: letters and digits of any script, marks, hyphens, dots. */
const DOMAIN_AS_TYPED = /^[\p{L}\p{N}\p{M}.-]+$/u

export const EMAIL_MAX_LENGTH = 254

/**
 * The canonical form, in which addresses are compared and unique; undefined for an invalid address.
 * Valid: an ASCII dot-atom of 1–64 characters, `@`, an IDNA domain of at least two labels; at most 254.
 * Never done in SQL: PostgreSQL folds U+212A (Kelvin) to `k`, SQLite does not.
 */
export function canonicalEmail(typed: string): string | undefined {
  // Before any regular expression, to bound their work.
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
 * The form for mail servers: the local part as typed, because its case may matter to the receiving
 * server, and the ASCII domain. Undefined for an invalid address.
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
  // A numeric last label makes it an IPv4 address (`127.1` becomes `127.0.0.1`).
  return valid && !/^[0-9]+$/.test(labels.at(-1) ?? '') ? domain : undefined
}
