import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { guessBits } from '../../server/passwords/strength.ts'
import { jwtSecretKey, secretKey } from '../../server/settings/types.ts'

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((values) => Buffer.from(values))
const characters = (alphabet: string, length: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length })
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

describe('a random key is accepted:', () => {
  for (const [why, keys] of [
    ['openssl rand -base64 32', bytes(32).map((key) => key.toString('base64'))],
    ['openssl rand -base64 48', bytes(48).map((key) => key.toString('base64'))],
    ['openssl rand -hex 16', bytes(16).map((key) => key.toString('hex'))],
    ['openssl rand -hex 32', bytes(32).map((key) => key.toString('hex'))],
    ['a UUID', fc.uuid({ version: 4 })],
    [
      'two UUIDs',
      fc.tuple(fc.uuid({ version: 4 }), fc.uuid({ version: 4 })).map((ids) => ids.join('')),
    ],
    ['pwgen -s 32', characters(ALPHANUMERIC, 32).map((key) => key.join(''))],
    [
      '32 letters of base32',
      characters('abcdefghijklmnopqrstuvwxyz234567', 32).map((key) => key.join('')),
    ],
  ] as const) {
    test(why, () => {
      // Unbiased: fast-check prefers small numbers, which repeat.
      fc.assert(
        fc.property(fc.noBias(keys), (key) => secretKey(key) === key),
        { numRuns: 300 },
      )
    })
  }

  test('of this machine’s generator, a thousand of the shortest form', () => {
    for (let index = 0; index < 1000; index++) secretKey(randomBytes(16).toString('hex'))
    secretKey(randomUUID())
  })
})

describe('a key that can be guessed is refused, and the line says how sessions continue:', () => {
  for (const key of [
    '0123456789abcdef0123456789abcdef',
    'fedcba9876543210fedcba9876543210',
    'mysecretkeymysecretkeymysecretkey',
    'thisisaverysecretkeyforproduction',
    'coffeeshopcoffeeshopcoffeeshop12',
    'CoffeeShopCoffeeShopCoffeeShop!!',
    'coffee-shop-production-secret-key-2026',
    'jwt-secret-key-for-development-only',
    'SuperSecretKeyForJwtTokenGeneration!',
    'correcthorsebatterystaplecorrect',
    'qwertyuiopasdfghjklzxcvbnm123456',
    '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,',
    '!QAZ2wsx#EDC4rfv%TGB6yhn&UJM8ik<',
    'abcdefghijklmnopqrstuvwxyzabcdef',
    'zyxwvutsrqponmlkjihgfedcba987654',
    'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6',
    '00112233445566778899aabbccddeeff',
    '000102030405060708090a0b0c0d0e0f',
    'Passw0rd!Passw0rd!Passw0rd!Passw0rd!',
    '19900101198507302001091119701231',
    '2026-11-27 2026-11-28 2026-11-29 2026-11-30',
    'monday-tuesday-wednesday-thursday',
  ]) {
    test(key, () => {
      assert.throws(
        () => secretKey(key),
        /^Error: is easy to guess; .*openssl.* SECRET_KEY_PREVIOUS/,
      )
      assert.throws(() => jwtSecretKey(key), /^Error: is easy to guess; .* JWT_SECRET_KEY_PREVIOUS/)
    })
  }

  test('however long it is', () => {
    assert.throws(() => secretKey('mysecretkey'.repeat(10_000)), /is easy to guess/)
  })
})

test('the estimate of any text is a number of bits, and at most those of its characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const bits = guessBits(text)
      assert.ok(bits >= 0 && bits <= 8 * text.length, String(bits))
    }),
  )
})
