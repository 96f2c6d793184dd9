import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import {
  formatSigningKeys,
  parseSigningKeys,
  PUBLISHED_AFTER_MS,
  PUBLISHED_AHEAD_MS,
  publicJwk,
  publishedKeysAt,
  type SigningKey,
  signingKeyAt,
  withNextKey,
} from '../../server/keys/signing-keys.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { ALGORITHMS, makePrivateKey, toPem } from '../support/signing-keys.ts'

const NOW = Date.UTC(2026, 0, 1)
const TOKEN_LIFE_MS = HOUR_MS
const CACHE_MS = 10 * MINUTE_MS
/** How late each sees the file, and how wrong its clock is. */
const REPLICAS = [
  [0, 0],
  [31 * SECOND_MS, 5 * SECOND_MS],
  [9 * MINUTE_MS, -5 * SECOND_MS],
] as const

const kidsOf = (keys: readonly SigningKey[]) => keys.map(({ kid }) => kid)
const edwards448 = () => generateKeyPairSync('ed448').privateKey
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey
const rsaForPss = () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey

/** The keys after rotations at these times. */
function rotatedAt(...times: number[]): readonly SigningKey[] {
  return times.reduce<readonly SigningKey[]>((keys, at) => withNextKey(keys, 'EdDSA', at), [])
}
const jwkSetOf = (change: (jwk: Record<string, unknown>) => object, keys = rotatedAt(NOW)) =>
  JSON.stringify({ keys: JSON.parse(formatSigningKeys(keys)).keys.map(change) })

describe('a set of signing keys', () => {
  for (const algorithm of ALGORITHMS) {
    test(`${algorithm}: PEM and JWK Set are read, and the name is the thumbprint`, async () => {
      const pem = toPem(makePrivateKey(algorithm))

      const [key] = parseSigningKeys(pem, algorithm)
      const again = parseSigningKeys(formatSigningKeys([key as SigningKey]), algorithm)

      const shown = publicJwk(key as SigningKey)
      assert.equal(key?.kid, await calculateJwkThumbprint(shown))
      assert.deepEqual(kidsOf(again), [key?.kid])
      assert.equal(toPem((again[0] as SigningKey).privateKey), pem)
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.ok(!(secret in shown))
    })

    test(`${algorithm}: the first key signs at once, the next once everybody can know it`, () => {
      const first = withNextKey([], algorithm, NOW)
      const both = withNextKey(first, algorithm, NOW + DAY_MS)
      const swapAt = NOW + DAY_MS + PUBLISHED_AHEAD_MS

      assert.equal(signingKeyAt(first, NOW), first[0])
      assert.equal(signingKeyAt(both, swapAt - 1).kid, first[0]?.kid)
      assert.equal(signingKeyAt(both, swapAt), both[1])
      assert.deepEqual(kidsOf(parseSigningKeys(formatSigningKeys(both), algorithm)), kidsOf(both))
    })
  }

  test('a key is published until the last token that it signed is over', () => {
    const keys = rotatedAt(NOW, NOW + DAY_MS)
    const swapAt = NOW + DAY_MS + PUBLISHED_AHEAD_MS

    assert.deepEqual(publishedKeysAt(keys, swapAt + PUBLISHED_AFTER_MS - 1), keys)
    assert.deepEqual(publishedKeysAt(keys, swapAt + PUBLISHED_AFTER_MS), keys.slice(1))
    assert.ok(PUBLISHED_AFTER_MS > TOKEN_LIFE_MS)
  })

  test('a rotation while a key waits adds none; one after it loses none that counts', () => {
    const keys = rotatedAt(NOW, NOW + DAY_MS)
    const swapAt = NOW + DAY_MS + PUBLISHED_AHEAD_MS

    assert.equal(withNextKey(keys, 'EdDSA', swapAt - 1), keys)
    const third = withNextKey(keys, 'EdDSA', swapAt)
    assert.deepEqual(third.slice(0, 2), keys)
    const later = withNextKey(keys, 'EdDSA', swapAt + PUBLISHED_AFTER_MS)
    assert.deepEqual(kidsOf(later.slice(0, 1)), kidsOf(keys.slice(1)))
    assert.equal(later.length, 2)
  })

  test('before every time, as when the clock was put back, the earliest signs', () => {
    const keys = rotatedAt(NOW, NOW + DAY_MS)
    assert.equal(signingKeyAt(keys, NOW - DAY_MS), keys[0])
    assert.deepEqual(publishedKeysAt(keys, NOW - DAY_MS), keys)
  })

  test('nobody meets an unknown key: caches in a row, replicas that lag, clocks that differ', () => {
    const rotations = [0, 1, 45, 60, 76, 180, 300].map((minutes) => NOW + minutes * MINUTE_MS)
    const files = filesAfter(rotations)
    const fileAt = (timeMs: number) =>
      files.findLast(({ at }) => at <= timeMs)?.keys ?? files[0]?.keys ?? []
    const signers = new Set<string>()

    for (let at = NOW; at < NOW + 8 * HOUR_MS; at += MINUTE_MS) {
      for (const [lagMs, skewMs] of REPLICAS) {
        const { kid } = signingKeyAt(fileAt(at - lagMs), at + skewMs)
        signers.add(kid)
        for (const usedAt of [at, at + TOKEN_LIFE_MS - 1]) {
          for (const cachedMs of [0, CACHE_MS, 2 * CACHE_MS]) {
            for (const [otherLagMs, otherSkewMs] of REPLICAS) {
              const askedAt = usedAt - cachedMs
              const seen = publishedKeysAt(fileAt(askedAt - otherLagMs), askedAt + otherSkewMs)
              assert.ok(kidsOf(seen).includes(kid), `after ${(usedAt - NOW) / MINUTE_MS} minutes`)
            }
          }
        }
      }
    }
    assert.equal(signers.size, 6)
  })
})

describe('a text is refused', () => {
  const [key] = rotatedAt(NOW)
  for (const [why, text, expected] of [
    ['when empty', '', /^holds neither/],
    ['when a public key', publicPem(), /^holds neither/],
    ['when encrypted', encryptedPem(), /^holds neither/],
    ['when cut short', toPem(makePrivateKey('EdDSA')).slice(0, 60), /^holds neither/],
    ['when two keys in PEM', toPem(makePrivateKey('EdDSA')).repeat(2), /more than one/],
    ['when a JWK Set of nothing', '{"keys":[]}', /without keys/],
    ['when a JWK alone', JSON.stringify(publicJwk(key as SigningKey)), /without keys/],
    ['when JSON cut short', jwkSetOf((jwk) => jwk).slice(0, -9), /damaged/],
    ['when a public JWK Set', jwkSetOf((jwk) => ({ ...jwk, d: undefined })), /damaged/],
    ['when a key has another’s public part', mixedJwkSet(), /damaged/],
    ['when a time is none', jwkSetOf((jwk) => ({ ...jwk, signs_from: 'canary' })), /damaged/],
    ['when a time is a number', jwkSetOf((jwk) => ({ ...jwk, signs_from: NOW })), /damaged/],
    [
      'when one of two keys has no time',
      jwkSetOf((jwk) => ({ ...jwk, signs_from: undefined }), rotatedAt(NOW, NOW + DAY_MS)),
      /damaged/,
    ],
    ['when a key stands there twice', twice(), /a key twice/],
  ] as const) {
    test(`${why}, without repeating any of it`, () => {
      assert.throws(
        () => parseSigningKeys(text, 'EdDSA'),
        (error: Error) => {
          assert.match(error.message, expected)
          // A cause would be logged; a parser's message quotes what it read.
          assert.equal(error.cause, undefined)
          assert.doesNotMatch(error.message, /canary|[\w-]{20}/)
          return true
        },
      )
    })
  }

  for (const [algorithm, others] of [
    ['EdDSA', [makePrivateKey('ES256'), makePrivateKey('RS256'), edwards448()]],
    ['ES256', [makePrivateKey('EdDSA'), makePrivateKey('RS256'), ec('P-384'), ec('secp256k1')]],
    [
      'RS256',
      [makePrivateKey('EdDSA'), makePrivateKey('ES256'), rsa(1024), rsa(4104), rsaForPss()],
    ],
  ] as const) {
    test(`when its key does not fit ${algorithm}`, () => {
      for (const other of others) {
        assert.throws(() => parseSigningKeys(toPem(other), algorithm), {
          message: /^holds a key that does not fit ALGORITHM, which needs an? /,
        })
      }
    })
  }

  test('not for being a single key of somebody else’s making: it signs', () => {
    const keys = parseSigningKeys(
      jwkSetOf(({ kty, crv, x, d }) => ({ kty, crv, x, d })),
      'EdDSA',
    )
    assert.equal(signingKeyAt(keys, 0).kid, keys[0]?.kid)
  })
})

/** What the file held after each rotation. */
function filesAfter(times: readonly number[]) {
  let keys: readonly SigningKey[] = []
  return times.map((at) => {
    keys = withNextKey(keys, 'EdDSA', at)
    return { at, keys }
  })
}

function publicPem(): string {
  return generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
}

function encryptedPem(): string {
  const how = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' } as const
  return makePrivateKey('EdDSA').export(how)
}

function twice(): string {
  const { keys } = JSON.parse(jwkSetOf((jwk) => jwk))
  return JSON.stringify({ keys: [...keys, ...keys] })
}

function mixedJwkSet(): string {
  const other = publicJwk(rotatedAt(NOW)[0] as SigningKey) as unknown as { x: string }
  return jwkSetOf((jwk) => ({ ...jwk, x: other.x }))
}
