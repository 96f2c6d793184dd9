import type { KeyObject } from 'node:crypto'
import type { CodePurpose } from '../database/schema.ts'
import { findKeySet, type KeyRing, macBytes } from './key-ring.ts'

const CODES = 1_000_000
/** The largest multiple of a million that 32 bits hold: words above it would favour low codes. */
const UNBIASED_BELOW = Math.floor(2 ** 32 / CODES) * CODES

/**
 * The six digits that belong to an id: HMAC-SHA256 over `code:<purpose>:<id>`, unbiased by rejection.
 * The same key, purpose and id always give the same code, so nothing secret needs to be stored.
 */
export function deriveCode(key: KeyObject, purpose: CodePurpose, id: string): string {
  for (let round = 0; ; round++) {
    const suffix = round === 0 ? '' : `:${round}`
    const bytes = macBytes(key, `code:${purpose}:${id}${suffix}`)
    for (let offset = 0; offset < bytes.length; offset += 4) {
      const word = bytes.readUInt32BE(offset)
      if (word < UNBIASED_BELOW) return String(word % CODES).padStart(6, '0')
    }
  }
}

/** The code that belongs to a row; undefined once the key it was derived with is gone. */
export function codeOf(
  keys: KeyRing,
  purpose: CodePurpose,
  row: { readonly id: string; readonly key_id: string },
): string | undefined {
  const set = findKeySet(keys, row.key_id)
  return set && deriveCode(set.of.code, purpose, row.id)
}
