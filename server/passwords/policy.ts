import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MAX_LENGTH = 256
const MAX_BYTES = 1024
const ADMIN_MIN_LENGTH = 15

/**
 * 49 233 passwords that attackers try first, kept as the JSON text that they come in: a Set of them
 * takes 20 MB, a search through the text less than a millisecond next to a hash of 15. (Not a score: zxcvbn's scorer
 * takes 61 ms for 60 characters.)
 */
const COMMON_PASSWORDS = readFileSync(
  fileURLToPath(import.meta.resolve('@zxcvbn-ts/language-common/src/passwords.json')),
  'latin1',
)
const SERVICE_WORDS = ['coffeeshop', 'coffeeshopapi']

export interface PasswordContext {
  readonly role: 'user' | 'admin'
  /** Code points; an admin's password has at least 15. */
  readonly minLength: number
  /** In canonical form. */
  readonly email: string
  readonly fullName: string | null
}

export interface PasswordProblem {
  readonly code: 'too_short' | 'too_long' | 'malformed' | 'blocklisted'
  readonly detail: string
}

/**
 * Why a password is refused, or undefined: length in code points of its NFC form, well-formed
 * Unicode, and a blocklist compared with the whole password. No rules on which characters
 * (NIST SP 800-63B-4 section 3.1.1.2, ASVS 5.0 V6.2).
 */
export function passwordProblem(
  typed: string,
  context: PasswordContext,
): PasswordProblem | undefined {
  const minLength = Math.max(context.minLength, context.role === 'admin' ? ADMIN_MIN_LENGTH : 0)
  if (typed.length > MAX_BYTES || Buffer.byteLength(typed) > MAX_BYTES) return tooLong
  if (!isHashable(typed)) {
    return { code: 'malformed', detail: 'The password must be well-formed Unicode.' }
  }
  const password = typed.normalize('NFC')
  const length = [...password].length
  if (length > MAX_LENGTH) return tooLong
  if (length < minLength) {
    return { code: 'too_short', detail: `The password must have at least ${minLength} characters.` }
  }
  if (isCommon(password) || isCommon(password.toLowerCase())) {
    return {
      code: 'blocklisted',
      detail: 'The password is too common; choose another.',
    }
  }
  if (contextWords(context).has(bareWord(password))) {
    return {
      code: 'blocklisted',
      detail:
        'The password consists of your address, your name or the name of this service; choose another.',
    }
  }
  return undefined
}

const tooLong: PasswordProblem = {
  code: 'too_long',
  detail: `The password must have at most ${MAX_LENGTH} characters and ${MAX_BYTES} bytes.`,
}

/** False for what no password of ours can be: longer than any, or with a lone surrogate (it would hash as U+FFFD). */
export function isHashable(password: string): boolean {
  return Buffer.byteLength(password) <= MAX_BYTES && password.isWellFormed()
}

function isCommon(password: string): boolean {
  return COMMON_PASSWORDS.includes(JSON.stringify(password))
}

function contextWords({ email, fullName }: PasswordContext): Set<string> {
  const [local = '', domain = ''] = email.split('@')
  const parts = [email, local, ...local.split(/[.+_-]/), ...domain.split('.'), domain]
  const names = fullName === null ? [] : [fullName, ...fullName.split(/\s+/)]
  const words = [...parts, ...names].map(bareWord)
  return new Set([...SERVICE_WORDS, ...words.filter((word) => word !== '')])
}

/** Lower case, letters and digits only, digits at the end ignored: `Ann.Lee-1990` is `annlee`. */
function bareWord(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replace(/\p{N}+$/u, '')
}
