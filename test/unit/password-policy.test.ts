import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isHashable, passwordProblem } from '../../server/passwords/policy.ts'

const OWNER = {
  role: 'user',
  minLength: 8,
  email: 'ann.lee+shop@roastery.example',
  fullName: 'Annabelle Léa O’Hara',
} as const

const codeFor = (password: string, owner: Partial<Parameters<typeof passwordProblem>[1]> = {}) =>
  passwordProblem(password, { ...OWNER, ...owner })?.code

describe('the length of a password', () => {
  for (const [why, password, owner, expected] of [
    ['7', 'xk3!vqw', {}, 'too_short'],
    ['8', 'xk3!vqwz', {}, undefined],
    ['14 of an admin', 'xk3!vqwz7pmtr0', { role: 'admin' }, 'too_short'],
    ['15 of an admin', 'xk3!vqwz7pmtr0a', { role: 'admin' }, undefined],
    [
      '15 of an admin where 20 are asked for',
      'xk3!vqwz7pmtr0a',
      { role: 'admin', minLength: 20 },
      'too_short',
    ],
    ['nothing', '', {}, 'too_short'],
    ['7 emoji', '🦜🫘🫖🧋🥐🍩🍪', {}, 'too_short'],
    ['8 emoji', '🦜🫘🫖🧋🥐🍩🍪🧁', {}, undefined],
    ['8 that compose to 4', 'a\u0301'.repeat(4), {}, 'too_short'],
    ['256', 'ab'.repeat(128), {}, undefined],
    ['257', `${'ab'.repeat(128)}c`, {}, 'too_long'],
    ['256 of four bytes each', '🦜'.repeat(256), {}, undefined],
    ['257 of four bytes each', '🦜'.repeat(257), {}, 'too_long'],
    [
      '256 that take more than 1024 bytes as typed',
      '각'.normalize('NFD').repeat(114),
      {},
      'too_long',
    ],
    ['a megabyte', 'x'.repeat(2 ** 20), {}, 'too_long'],
  ] as const) {
    test(`${expected ?? 'is fine'} for ${why}`, () => {
      assert.equal(codeFor(password, owner), expected)
    })
  }

  test('is not held against what it is made of', () => {
    for (const password of [
      'correct horse battery staple',
      'qmzkvbtrwpxnlshgdjfcyoeiauqmzk',
      '        ☕',
      'пароль от кофе',
      'before\0after',
      '7391 0582 6640',
    ]) {
      assert.equal(codeFor(password), undefined, password)
    }
  })
})

describe('a password that an attacker tries first', () => {
  for (const password of [
    'password123',
    'Password123',
    'PASSWORD',
    '12345678',
    'qwertyuiop',
    'iloveyou',
    '1qaz2wsx3edc4rfv',
    'coffeeshop',
    'CoffeeShop',
    'coffee shop 2026!',
    'coffee-shop-api',
    'c.o.f.f.e.e.s.h.o.p.1',
    'ann.lee+shop@roastery.example',
    'ann.lee+shop',
    'AnnLeeShop99',
    'Roastery2026',
    'roastery.example',
    'Annabelle',
    'annabelle-1990',
    'Annabelle Léa O’Hara',
    'ANNABELLELÉAOHARA7',
  ]) {
    test(`blocklisted: ${password}`, () => {
      assert.equal(codeFor(password), 'blocklisted')
    })
  }

  for (const password of [
    'password123 and more',
    'my coffee shop is green',
    'annabelle-loves-coffee',
    '1990annabelle',
    '"password123"',
    'password123","12345678',
    ',12345678,',
  ]) {
    test(`fine, for the whole is compared: ${password}`, () => {
      assert.equal(codeFor(password), undefined)
    })
  }

  for (const password of [
    'aaaaaaaaaaaaaaa',
    '123456789012345',
    '987654321098765',
    'qwertyuiopasdfg',
    'qwertzuiopasdfghj',
    '1qaz2wsx3edc4rfv5tgb',
    'passwordpassword',
    'Password12345678',
    'abcabcabcabcabc',
    'abcdefghijklmno',
    'aaaaabbbbbccccc',
    'adminadminadmin1',
    'iloveyou-iloveyou',
    'welcome2welcome2',
    '2026-11-27 2026-11-27',
    'ab'.repeat(128),
  ]) {
    test(`blocklisted for an admin: ${password}`, () => {
      assert.equal(codeFor(password, { role: 'admin' }), 'blocklisted')
    })
  }

  for (const password of [
    'correct horse battery staple',
    'Der Kaffee ist heute kalt',
    'meine Katze heißt Minka',
    'пароль от кофемашины',
    'kX9#mQ2$vL7&pR4',
    '739105826640918',
    'Tr0ub4dor&3-horse',
  ]) {
    test(`fine for an admin: ${password}`, () => {
      assert.equal(codeFor(password, { role: 'admin' }), undefined)
    })
  }

  test('fine for somebody else', () => {
    const other = { email: 'bob@cafe.example', fullName: null }
    assert.equal(codeFor('Annabelle-1990', other), undefined)
    assert.equal(codeFor('Roastery2026', other), undefined)
  })
})

describe('what can be hashed', () => {
  for (const [why, text, expected] of [
    ['1024 bytes', 'x'.repeat(1024), true],
    ['1025 bytes', 'x'.repeat(1025), false],
    ['1026 bytes in 342 characters', '€'.repeat(342), false],
    ['the first half of a pair', 'password\ud83e', false],
    ['the second half of a pair', '\udd9cpassword', false],
    ['halves in the wrong order', '\udd9c\ud83e', false],
    ['a whole pair', 'password🦜', true],
    ['NUL', 'a\0b', true],
  ] as const) {
    test(`${expected} for ${why}`, () => {
      assert.equal(isHashable(text), expected)
    })
  }

  test('malformed is told for half a pair', () => {
    assert.equal(codeFor('password and \ud83e'), 'malformed')
  })

  // Half pairs as well.
  const anyText = fc
    .array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 300 })
    .map((points) => String.fromCodePoint(...points))

  test('whatever may be set can be hashed, and is as good in its other normal form', () => {
    fc.assert(
      fc.property(anyText, (password) => {
        const set = codeFor(password) === undefined
        assert.ok(!set || isHashable(password))
        assert.ok(!set || codeFor(password.normalize('NFC')) === undefined)
      }),
    )
  })
})
