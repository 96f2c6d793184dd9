import { guessBits } from './strength.ts'
import { isCommon } from './word-lists.ts'

const MAX_LENGTH = 256
const MAX_BYTES = 1024
const ADMIN_MIN_LENGTH = 15
/**
 * Refuses repetitions, sequences, rows of the keyboard and known passwords with digits, which the length
 * alone admits: `aaaaaaaaaaaaaaa` has 0 bits, `Password12345678` 14, 15 random digits 50, four common words 60.
 */
const ADMIN_MIN_BITS = 40
const SERVICE_WORDS = ['coffeeshop', 'coffeeshopapi']

export interface PasswordContext {
  readonly role: 'user' | 'admin'
  /** In code points; the minimum for admins is 15. */
  readonly minLength: number
  /** In canonical form. */
  readonly email: string
  readonly fullName: string | null
}

export interface PasswordProblem {
  readonly code: 'too_short' | 'too_long' | 'malformed' | 'blocklisted'
  readonly detail: string
}

/** What admins need, where everybody needs this many code points. */
export const adminMinLength = (minLength: number) => Math.max(minLength, ADMIN_MIN_LENGTH)

/**
 * The reason why a password is refused, or undefined. Checks the length in code points of the NFC form,
 * well-formed Unicode, a blocklist of whole passwords, and an admin’s password by an estimate. No
 * composition rules (NIST SP 800-63B-4 section 3.1.1.2, ASVS 5.0 V6.2).
 */
export function passwordProblem(
  typed: string,
  context: PasswordContext,
): PasswordProblem | undefined {
  const minLength = context.role === 'admin' ? adminMinLength(context.minLength) : context.minLength
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
  if (context.role === 'admin' && guessBits(password) < ADMIN_MIN_BITS) {
    return {
      code: 'blocklisted',
      detail:
        'The password is too easy to guess: it repeats itself, or is a sequence, a row of keys or a common word; choose several words at random.',
    }
  }
  return undefined
}

const tooLong: PasswordProblem = {
  code: 'too_long',
  detail: `The password must have at most ${MAX_LENGTH} characters and ${MAX_BYTES} bytes.`,
}

/** False if too long, or with a lone surrogate, which would be hashed as U+FFFD. */
export function isHashable(password: string): boolean {
  return Buffer.byteLength(password) <= MAX_BYTES && password.isWellFormed()
}

function contextWords({ email, fullName }: PasswordContext): Set<string> {
  const [local = '', domain = ''] = email.split('@')
  const parts = [email, local, ...local.split(/[.+_-]/), ...domain.split('.'), domain]
  const names = fullName === null ? [] : [fullName, ...fullName.split(/\s+/)]
  const words = [...parts, ...names].map(bareWord)
  return new Set([...SERVICE_WORDS, ...words.filter((word) => word !== '')])
}

/** Lower-case letters and digits without trailing digits: `Ann.Lee-1990` becomes `annlee`. */
function bareWord(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replace(/\p{N}+$/u, '')
}
