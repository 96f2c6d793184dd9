import { fieldError } from '../errors.ts'

export const FULL_NAME_MAX_LENGTH = 200
/** Controls, bidi embeddings, overrides and isolates, line and paragraph separators. */
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

/** Normalizes to NFC. Throws `validation_failed` for a name that is too long or could spoof a line. */
export function normalFullName(typed: string | null): string | null {
  if (typed === null) return null
  const name = typed.normalize('NFC')
  if (NOT_IN_NAMES.test(name)) {
    throw fieldError(
      '/full_name',
      'characters',
      'Control, line break and bidi characters are not allowed in a name.',
    )
  }
  if ([...name].length > FULL_NAME_MAX_LENGTH) {
    throw fieldError(
      '/full_name',
      'maxLength',
      `This must be at most ${FULL_NAME_MAX_LENGTH} characters long.`,
    )
  }
  return name
}
