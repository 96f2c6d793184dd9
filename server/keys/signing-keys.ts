import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type webcrypto,
} from 'node:crypto'
import { HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'

/** Asymmetric algorithms of RFC 7518 and RFC 8037; `EdDSA` means Ed25519. */
export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'RS256'

export interface SigningKey {
  readonly alg: SigningAlgorithm
  /** The thumbprint of the public key (RFC 7638). */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Unix milliseconds. The key signs until the next one starts, and is published before and after. */
  readonly signsFromMs: number
}

/** Exported from the public key, so that it has no private member. */
export interface PublicJwk {
  readonly kty: string
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly use: 'sig'
}

/** Two chained caches of ten minutes, and ten minutes to distribute the file to all replicas. */
export const PUBLISHED_AHEAD_MS = 30 * MINUTE_MS
/** The maximum lifetime of an access token, plus clock skew and the interval of rereading the file. */
export const PUBLISHED_AFTER_MS = HOUR_MS + 5 * MINUTE_MS
/** RFC 7518 section 3.3; larger keys make tokens too long for a header, and signing too slow. */
const RSA_BITS = { min: 2048, max: 4096 }
const RSA_BITS_NEW = 3072

const NEEDED: Readonly<Record<SigningAlgorithm, string>> = {
  EdDSA: 'an Ed25519 key',
  ES256: 'an EC key on P-256',
  RS256: `an RSA key of ${RSA_BITS.min} to ${RSA_BITS.max} bits`,
}

/**
 * Parses a PEM private key or a JWK Set written by `formatSigningKeys`; returns at least one key, in
 * the order of signing. Throws an Error whose message continues after “a file that …”. It quotes
 * nothing from the text and has no cause, because parser messages quote their input.
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

/** A private JWK Set (RFC 7517) with the extension member `signs_from`. */
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
 * Adds a key that signs once all verifiers can know it, and removes expired ones. The first key signs
 * at once. Adds none while the newest key does not sign yet.
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

/** The newest key whose signing time has started. */
export function signingKeyAt(keys: readonly SigningKey[], nowMs: number): SigningKey {
  const key = keys.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? keys[0]
  if (key === undefined) throw new Error('there is no signing key')
  return key
}

/** The keys that verify tokens: future, current, and former ones with unexpired tokens. */
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
      // Also refuses a JWK whose private and public parts do not match.
      const privateKey = createPrivateKey({ format: 'jwk', key: jwk as webcrypto.JsonWebKey })
      // A single key from another tool has no `signs_from` and signs at once.
      const alone = stored.length === 1 && jwk['signs_from'] === undefined
      return { privateKey, signsFromMs: alone ? 0 : readTime(jwk['signs_from']) }
    } catch {
      throw new Error(broken)
    }
  })
}

function readTime(value: unknown): number {
  const timeMs = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (toIso(timeMs) !== value) throw new Error('is not a time')
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

/** RFC 7638: Node exports exactly the required members of a public key. */
function thumbprint(publicKey: KeyObject): string {
  const members = Object.entries(publicKey.export({ format: 'jwk' }))
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(sorted)))
    .digest('base64url')
}
