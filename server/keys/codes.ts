import type { KeyObject } from 'node:crypto'
import type { CodePurpose } from '../database/schema.ts'
import { findKeySet, type KeyRing, macBytes } from './key-ring.ts'

const CODES = 1_000_000
/** The largest multiple of a million within 32 bits; words above it would bias towards low codes. */
const UNBIASED_BELOW = Math.floor(2 ** 32 / CODES) * CODES

/**
 * Derives the six-digit code of an id: HMAC-SHA256 over `code:<purpose>:<id>`, unbiased by rejection
 * sampling. It is deterministic, so no code is stored.
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

/** The code of a row; undefined once its key has been removed. */
export function codeOf(
  keys: KeyRing,
  purpose: CodePurpose,
  row: { readonly id: string; readonly key_id: string },
): string | undefined {
  const set = findKeySet(keys, row.key_id)
  return set && deriveCode(set.of.code, purpose, row.id)
}
