import { canonicalEmail } from '../lib/emails.ts'

/** Suggested domains: large providers with names long enough that one slip yields no other known name. */
const PROVIDERS = [
  'gmail.com',
  'googlemail.com',
  'hotmail.com',
  'outlook.com',
  'yahoo.com',
  'icloud.com',
  'protonmail.com',
  't-online.de',
]

/** Known domains: never treated as typos, never suggested, because most are too short. */
const OTHERS = `
  aol.com email.com fastmail.com freenet.de gmx.at gmx.ch gmx.com gmx.de gmx.net
  hotmail.co.uk hotmail.de hotmail.fr hotmail.it live.com mail.com mail.de mail.ru me.com
  msn.com outlook.de proton.me posteo.de qq.com rocketmail.com web.de yahoo.ca yahoo.co.uk
  yahoo.de yahoo.fr yandex.com ymail.com zohomail.com
`
  .trim()
  .split(/\s+/)

const KNOWN = new Set([...PROVIDERS, ...OTHERS])

/** Typos with more than one slip, or of short names. Their top-level domains do not exist. */
const TYPOS: ReadonlyMap<string, string> = new Map([
  ['gmal.con', 'gmail.com'],
  ['gmial.con', 'gmail.com'],
  ['gamil.con', 'gmail.com'],
  ['gnail.con', 'gmail.com'],
  ['gmail.cmo', 'gmail.com'],
  ['hotmial.con', 'hotmail.com'],
  ['hotnail.con', 'hotmail.com'],
  ['homtail.con', 'hotmail.com'],
  ['yaho.con', 'yahoo.com'],
  ['yhoo.con', 'yahoo.com'],
  ['outlok.con', 'outlook.com'],
  ['iclod.con', 'icloud.com'],
  ['aol.con', 'aol.com'],
  ['gmx.dee', 'gmx.de'],
  ['gmx.ed', 'gmx.de'],
  ['gmx.ent', 'gmx.net'],
  ['web.ed', 'web.de'],
])

/**
 * Suggests an address when the domain is one slip (an extra, missing, wrong or transposed letter) away
 * from a large provider's; the local part stays as typed. Depends on the address alone, never on
 * registered accounts.
 */
export function didYouMean(typed: string): string | undefined {
  const canonical = canonicalEmail(typed)
  if (canonical === undefined) return undefined
  const domain = canonical.slice(canonical.lastIndexOf('@') + 1)
  if (KNOWN.has(domain)) return undefined
  const suggested = TYPOS.get(domain) ?? PROVIDERS.find((provider) => isOneSlip(domain, provider))
  return suggested && `${typed.slice(0, typed.lastIndexOf('@'))}@${suggested}`
}

/** True for texts that differ by one letter added, left out or replaced, or two neighbours swapped. */
function isOneSlip(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || a === b) return false
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  let end = 0
  const shorter = Math.min(a.length, b.length) - start
  while (end < shorter && a.at(-1 - end) === b.at(-1 - end)) end++
  const differenceA = a.slice(start, a.length - end)
  const differenceB = b.slice(start, b.length - end)
  if (differenceA.length <= 1 && differenceB.length <= 1) return true
  return differenceB.length === 2 && differenceA === `${differenceB[1]}${differenceB[0]}`
}
