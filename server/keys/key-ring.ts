import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'

/** Each purpose has its own derived key, so that a MAC is valid for one purpose only. */
export type KeyPurpose = 'code' | 'refresh' | 'cursor' | 'link' | 'limit'

const PURPOSES = [
  'code',
  'refresh',
  'cursor',
  'link',
  'limit',
] as const satisfies readonly KeyPurpose[]

/** The keys derived from one SECRET_KEY. */
export interface KeySet {
  /** Identifies the secret without revealing it; stored with each row whose code is derived from it. */
  readonly id: string
  /** The UTF-8 bytes of the secret itself, which services that verify HS256 access tokens hold, too. */
  readonly accessToken: KeyObject
  readonly of: Readonly<Record<KeyPurpose, KeyObject>>
}

/** A key of HS256 access tokens. */
export type TokenKey = Pick<KeySet, 'id' | 'accessToken'> & {
  /** Unix milliseconds; without it, its tokens are accepted as long as they live. */
  readonly acceptedUntilMs?: number
}

/** `current` signs; `all` of them verify. */
export interface TokenKeys {
  readonly current: TokenKey
  readonly all: readonly TokenKey[]
}

/** `all`: the current secret's keys, then those of previous secrets. */
export interface KeyRing {
  readonly current: KeySet
  readonly all: readonly KeySet[]
}

/** Derives one key per purpose by HKDF-SHA256 (RFC 5869). Secrets have 32 characters or more. */
export function createKeyRing(
  secret: string,
  ...previous: readonly (string | undefined)[]
): KeyRing {
  const current = deriveKeySet(secret)
  const others = previous.filter((key) => key !== secret).filter((key) => key !== undefined)
  return { current, all: [current, ...others.map((key) => deriveKeySet(key))] }
}

/** The keys with this id; undefined once their secret has been removed. */
export function findKeySet(keys: KeyRing, id: string): KeySet | undefined {
  return keys.all.find((set) => set.id === id)
}

/** This process lacks the key of a row: it was not restarted in a rotation, or the key has been removed. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError'
  readonly keyId: string

  constructor(keyId: string) {
    super('the key of this code or link is missing')
    this.keyId = keyId
  }
}

/** The keys with this id. Throws MissingKeyError. */
export function keySetOf(keys: KeyRing, id: string): KeySet {
  const set = findKeySet(keys, id)
  if (set === undefined) throw new MissingKeyError(id)
  return set
}

/** HMAC-SHA256 (RFC 2104) of a text as base64url, 43 characters. */
export function mac(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** HMAC-SHA256 of a text as 32 bytes. */
export function macBytes(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Compares two texts in constant time. */
export function equalTexts(a: string, b: string): boolean {
  const bytesA = Buffer.from(a)
  const bytesB = Buffer.from(b)
  return bytesA.length === bytesB.length && timingSafeEqual(bytesA, bytesB)
}

function deriveKeySet(secret: string): KeySet {
  const derive = (info: string) =>
    Buffer.from(hkdfSync('sha256', secret, '', `coffee-shop-api/${info}`, 32))
  const entries = PURPOSES.map((purpose) => [purpose, createSecretKey(derive(purpose))])
  return {
    id: derive('key-id').toString('base64url').slice(0, 8),
    accessToken: createSecretKey(Buffer.from(secret, 'utf8')),
    of: Object.fromEntries(entries) as KeySet['of'],
  }
}
