import { randomBytes, randomUUID } from 'node:crypto'

/** A UUID version 4: 122 random bits (RFC 9562 section 5.4). */
export function newId(): string {
  return randomUUID()
}

/** 384 random bits as base64url, 64 characters: a SECRET_KEY. */
export function newSecret(): string {
  return randomBytes(48).toString('base64url')
}

/** Between nothing and twice the mean, so that those who collided once do not meet again. */
export function jitterMs(meanMs: number): number {
  // No secret depends on it.
  return Math.random() * 2 * meanMs
}
