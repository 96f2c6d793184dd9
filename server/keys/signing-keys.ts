import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type webcrypto,
} from 'node:crypto'
import { HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'

/** The asymmetric ones of JWA and RFC 8037; `EdDSA` is Ed25519 here. */
export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'RS256'

export interface SigningKey {
  readonly alg: SigningAlgorithm
  /** The thumbprint of the public key (RFC 7638). */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Unix milliseconds. It signs until the next one's time, and is published before and after. */
  readonly signsFromMs: number
}

/** Made from the public key alone, so that it has no private member. */
export interface PublicJwk {
  readonly kty: string
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly use: 'sig'
}

/** Two caches of ten minutes, one behind the other, and ten minutes until each replica has the file. */
export const PUBLISHED_AHEAD_MS = 30 * MINUTE_MS
/** The longest life of an access token, and the largest difference of clocks and of readings of the file. */
export const PUBLISHED_AFTER_MS = HOUR_MS + 5 * MINUTE_MS
/** RFC 7518 section 3.3; with more, a token grows too long for a header, and its signing too slow. */
const RSA_BITS = { min: 2048, max: 4096 }
const RSA_BITS_NEW = 3072

const NEEDED: Readonly<Record<SigningAlgorithm, string>> = {
  EdDSA: 'an Ed25519 key',
  ES256: 'an EC key on P-256',
  RS256: `an RSA key of ${RSA_BITS.min} to ${RSA_BITS.max} bits`,
}

/**
 * Reads a private key in PEM, or a JWK Set as `formatSigningKeys` writes it; the earliest to sign
 * comes first, and there is at least one. Throws an Error that goes on from “a file that …” and
 * repeats nothing of the text: no cause either, for a parser's message quotes what it read.
 */
export function parseSigningKeys(text: string, alg: SigningAlgorithm): readonly SigningKey[] {
  const found = text.trimStart().startsWith('{')
    ? readJwkSet(text)
    : [{ privateKey: readPem(text), signsFromMs: 0 }]
  const keys = found
    .map(({ privateKey, signsFromMs }) => toSigningKey(privateKey, alg, signsFromMs))
    .toSorted((a, b) => a.signsFromMs - b.signsFromMs)
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw new Error('holds a key twice')
  return keys
}

/** A private JWK Set (RFC 7517); `signs_from` is a member of ours. */
export function formatSigningKeys(keys: readonly SigningKey[]): string {
  const stored = keys.map(({ alg, kid, privateKey, signsFromMs }) => ({
    ...privateKey.export({ format: 'jwk' }),
    kid,
    alg,
    use: 'sig',
    signs_from: toIso(signsFromMs),
  }))
  return `${JSON.stringify({ keys: stored }, null, 2)}\n`
}

/**
 * The keys with a new one that signs once everybody can know it, and without those that are over.
 * The first of all signs at once. While a key waits for its time nothing is added.
 */
export function withNextKey(
  keys: readonly SigningKey[],
  alg: SigningAlgorithm,
  nowMs: number,
): readonly SigningKey[] {
  const last = keys.at(-1)
  if (last === undefined) return [makeSigningKey(alg, nowMs)]
  if (last.signsFromMs > nowMs) return keys
  return [...publishedKeysAt(keys, nowMs), makeSigningKey(alg, nowMs + PUBLISHED_AHEAD_MS)]
}

/** The newest whose time has come. */
export function signingKeyAt(keys: readonly SigningKey[], nowMs: number): SigningKey {
  const key = keys.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? keys[0]
  if (key === undefined) throw new Error('there is no signing key')
  return key
}

/** Those that will sign, sign, or signed what may still live: their signatures count. */
export function publishedKeysAt(keys: readonly SigningKey[], nowMs: number): readonly SigningKey[] {
  return keys.filter((_, index) => {
    const successor = keys[index + 1]
    return successor === undefined || nowMs < successor.signsFromMs + PUBLISHED_AFTER_MS
  })
}

export function publicJwk({ alg, kid, publicKey }: SigningKey): PublicJwk {
  return { ...(publicKey.export({ format: 'jwk' }) as { kty: string }), kid, alg, use: 'sig' }
}

function makeSigningKey(alg: SigningAlgorithm, signsFromMs: number): SigningKey {
  return toSigningKey(makePrivateKey(alg), alg, signsFromMs)
}

function makePrivateKey(alg: SigningAlgorithm): KeyObject {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return generateKeyPairSync('rsa', { modulusLength: RSA_BITS_NEW }).privateKey
}

function readPem(text: string): KeyObject {
  const blocks = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----/g) ?? []
  if (blocks.length > 1) throw new Error('holds more than one private key in PEM')
  try {
    return createPrivateKey(text)
  } catch {
    throw new Error('holds neither a private key in PEM, unencrypted, nor a private JWK Set')
  }
}

function readJwkSet(text: string): { privateKey: KeyObject; signsFromMs: number }[] {
  const broken = 'holds a private JWK Set that is damaged'
  let stored: readonly Record<string, unknown>[]
  try {
    stored = (JSON.parse(text) as { keys: readonly Record<string, unknown>[] }).keys
  } catch {
    throw new Error(broken)
  }
  if (!Array.isArray(stored) || stored.length === 0) throw new Error('holds a JWK Set without keys')
  return stored.map((jwk) => {
    try {
      // It refuses parts that do not belong together.
      const privateKey = createPrivateKey({ format: 'jwk', key: jwk as webcrypto.JsonWebKey })
      // Made elsewhere, a single key has no time, and signs.
      const alone = stored.length === 1 && jwk['signs_from'] === undefined
      return { privateKey, signsFromMs: alone ? 0 : readTime(jwk['signs_from']) }
    } catch {
      throw new Error(broken)
    }
  })
}

function readTime(value: unknown): number {
  const timeMs = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (toIso(timeMs) !== value) throw new Error('is no time')
  return timeMs
}

function toSigningKey(
  privateKey: KeyObject,
  alg: SigningAlgorithm,
  signsFromMs: number,
): SigningKey {
  if (!fits(privateKey, alg)) {
    throw new Error(`holds a key that does not fit ALGORITHM, which needs ${NEEDED[alg]}`)
  }
  const publicKey = createPublicKey(privateKey)
  return { alg, kid: thumbprint(publicKey), privateKey, publicKey, signsFromMs }
}

function fits({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, alg: SigningAlgorithm) {
  if (alg === 'EdDSA') return asymmetricKeyType === 'ed25519'
  if (alg === 'ES256') {
    return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
  }
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  return asymmetricKeyType === 'rsa' && bits >= RSA_BITS.min && bits <= RSA_BITS.max
}

/** RFC 7638: what node exports of a public key are exactly the members that count. */
function thumbprint(publicKey: KeyObject): string {
  const members = Object.entries(publicKey.export({ format: 'jwk' }))
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(sorted)))
    .digest('base64url')
}
