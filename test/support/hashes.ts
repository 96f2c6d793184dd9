import type { Service } from './service.ts'

/** Counts the hashes that a service is asked for from now on; they are computed as ever. */
export function countHashes({ ctx: { hasher } }: Service): { made: number; verified: number } {
  const counts = { made: 0, verified: 0 }
  const { hash, verify } = hasher
  hasher.hash = (...given) => {
    counts.made++
    return hash(...given)
  }
  hasher.verify = (...given) => {
    counts.verified++
    return verify(...given)
  }
  return counts
}

/** Has something happen once, when the next password was compared and before anybody knows. */
export function afterVerify({ ctx: { hasher } }: Service, happen: () => Promise<unknown>): void {
  const { verify } = hasher
  hasher.verify = async (...args) => {
    hasher.verify = verify
    const matches = await verify(...args)
    await happen()
    return matches
  }
}

/** Has something happen once, when the next password was hashed and before anything is written. */
export function afterHash({ ctx: { hasher } }: Service, happen: () => Promise<unknown>): void {
  const { hash } = hasher
  hasher.hash = async (...args) => {
    hasher.hash = hash
    const made = await hash(...args)
    await happen()
    return made
  }
}

/** Settings with which one hash takes some tenths of a second, one at a time. */
export const SLOW_HASHES = {
  ARGON2_MEMORY_KIB: '65536',
  ARGON2_PASSES: '8',
  HASH_CONCURRENCY: '1',
}
