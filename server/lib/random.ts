import { randomBytes, randomUUID } from 'node:crypto'

/** A UUID version 4: 122 random bits (RFC 9562 section 5.4). */
export function newId(): string {
  return randomUUID()
}

/** 384 random bits as base64url, 64 characters: a SECRET_KEY. */
export function newSecret(): string {
  return randomBytes(48).toString('base64url')
}

/** 128 random bits for one `Content-Security-Policy` (CSP 3 section 8.3). */
export function newNonce(): string {
  return randomBytes(16).toString('base64')
}

/** Uniform between 0 and twice the mean, so that colliding processes do not collide again. */
export function jitterMs(meanMs: number): number {
  // Not security-relevant.
  return Math.random() * 2 * meanMs
}
