import { canonicalEmail } from '../lib/emails.ts'

/** What is guessed: big, and long enough for one slip to be no other name. */
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

/** Never a typo, though some look like one; nor a guess, for most are too short. */
const OTHERS = `
  aol.com email.com fastmail.com freenet.de gmx.at gmx.ch gmx.com gmx.de gmx.net
  hotmail.co.uk hotmail.de hotmail.fr hotmail.it live.com mail.com mail.de mail.ru me.com
  msn.com outlook.de proton.me posteo.de qq.com rocketmail.com web.de yahoo.ca yahoo.co.uk
  yahoo.de yahoo.fr yandex.com ymail.com zohomail.com
`
  .trim()
  .split(/\s+/)

const KNOWN = new Set([...PROVIDERS, ...OTHERS])

/** More than one slip, or a name too short to guess at; their top-level domains do not exist. */
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
 * The address that was probably meant, when the domain is one slip (a letter too many, too few, wrong
 * or swapped with its neighbour) from a big provider's; the local part stays as typed. It reads the
 * address and nothing else: what is registered has no say in it.
 */
export function didYouMean(typed: string): string | undefined {
  const canonical = canonicalEmail(typed)
  if (canonical === undefined) return undefined
  const domain = canonical.slice(canonical.lastIndexOf('@') + 1)
  if (KNOWN.has(domain)) return undefined
  const meant = TYPOS.get(domain) ?? PROVIDERS.find((provider) => isOneSlip(domain, provider))
  return meant && `${typed.slice(0, typed.lastIndexOf('@'))}@${meant}`
}

/** True for texts that differ by one letter added, left out or replaced, or two neighbours swapped. */
function isOneSlip(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || a === b) return false
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  let end = 0
  const shorter = Math.min(a.length, b.length) - start
  while (end < shorter && a.at(-1 - end) === b.at(-1 - end)) end++
  const left = a.slice(start, a.length - end)
  const right = b.slice(start, b.length - end)
  if (left.length <= 1 && right.length <= 1) return true
  return right.length === 2 && left === `${right[1]}${right[0]}`
}
