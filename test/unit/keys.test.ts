import assert from 'node:assert/strict'
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createKeyRing, equalTexts, mac, macBytes } from '../../server/keys/key-ring.ts'

const SECRET = 'first-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'
const OTHER = 'other-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'

describe('the key ring', () => {
  test('signs access tokens with the secret as it is, in UTF-8', () => {
    const secret = `${SECRET}é☕`
    const { accessToken } = createKeyRing(secret).current
    assert.deepEqual(accessToken.export(), Buffer.from(secret, 'utf8'))
  })

  for (const purpose of ['code', 'refresh', 'cursor'] as const) {
    test(`derives the ${purpose} key by HKDF-SHA256, 256 bits`, () => {
      const expected = hkdfSync('sha256', SECRET, '', `coffee-shop-api/${purpose}`, 32)
      const key = createKeyRing(SECRET).current.of[purpose]
      assert.deepEqual(key.export(), Buffer.from(expected))
    })
  }

  test('has another key for each purpose and each secret', () => {
    const { all } = createKeyRing(SECRET, OTHER)
    const keys = all.flatMap(({ accessToken, of }) => [accessToken, ...Object.values(of)])
    const bytes = keys.map((key) => key.export().toString('hex'))
    assert.equal(new Set(bytes).size, 12)
  })

  test('has the current set first and the previous one after it', () => {
    const ring = createKeyRing(SECRET, OTHER)
    const alone = createKeyRing(SECRET)

    assert.deepEqual(
      ring.all.map(({ id }) => id),
      [alone.current.id, createKeyRing(OTHER).current.id],
    )
    assert.equal(ring.current, ring.all[0])
    assert.equal(alone.all.length, 1)
  })

  test('names a set always alike, in 8 characters that are no part of a key', () => {
    const { id, of, accessToken } = createKeyRing(SECRET).current

    assert.match(id, /^[\w-]{8}$/)
    assert.equal(createKeyRing(SECRET).current.id, id)
    assert.notEqual(createKeyRing(OTHER).current.id, id)
    for (const key of [accessToken, ...Object.values(of)]) {
      assert.ok(!key.export().toString('base64url').includes(id))
    }
  })
})

describe('the MAC', () => {
  test('is HMAC-SHA256 (RFC 4231, test case 2)', () => {
    const key = createSecretKey(Buffer.from('Jefe'))
    const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'

    assert.equal(macBytes(key, 'what do ya want for nothing?').toString('hex'), expected)
    const text = mac(key, 'what do ya want for nothing?')
    assert.equal(Buffer.from(text, 'base64url').toString('hex'), expected)
    assert.match(text, /^[\w-]{43}$/)
  })

  test('is over the UTF-8 bytes of the text', () => {
    const key = createSecretKey(Buffer.from(SECRET))
    const expected = createHmac('sha256', SECRET).update(Buffer.from('café ☕')).digest('base64url')
    assert.equal(mac(key, 'café ☕'), expected)
  })
})

describe('equal texts', () => {
  for (const [a, b, expected] of [
    ['abc', 'abc', true],
    ['', '', true],
    ['abc', 'abd', false],
    ['abc', 'ab', false],
    ['ab', 'abc', false],
    ['abc', 'ABC', false],
    ['abc', '', false],
    ['é', 'e\u0301', false],
    ['é', 'ab', false],
  ] as const) {
    test(`${JSON.stringify(a)} and ${JSON.stringify(b)}: ${expected}`, () => {
      assert.equal(equalTexts(a, b), expected)
    })
  }
})
