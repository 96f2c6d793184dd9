import assert from 'node:assert/strict'
import { createHmac, createSecretKey } from 'node:crypto'
import { describe, test } from 'node:test'
import { deriveCode } from '../../server/keys/codes.ts'
import { chiSquareDistance, partCounts } from '../support/codes.ts'

const key = createSecretKey(Buffer.alloc(32, 7))
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

describe('deriveCode', () => {
  // Computed with another implementation, so that no change of ours goes unseen: codes in mails die with it.
  for (const [why, id, code] of [
    ['an id', '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10', '489203'],
    ['another id', uuid(0), '620314'],
    ['three leading zeros', uuid(955), '000986'],
    ['a first word that would favour low codes', uuid(1261), '036654'],
    ['another such word', uuid(7850), '817121'],
  ] as const) {
    test(`a fixed code for ${why}`, () => {
      assert.equal(deriveCode(key, 'verify', id), code)
    })
  }

  test('a fixed code of its own for a phone', () => {
    assert.equal(deriveCode(key, 'phone', '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'), '696708')
  })

  test('words above the largest multiple of a million are skipped', () => {
    const bytes = createHmac('sha256', key)
      .update(`code:verify:${uuid(1261)}`)
      .digest()
    assert.ok(bytes.readUInt32BE(0) >= 4_294_000_000)

    const code = deriveCode(key, 'verify', uuid(1261))

    assert.equal(Number(code), bytes.readUInt32BE(4) % 1_000_000)
  })

  test('another key or id gives another code', () => {
    const codes = [
      deriveCode(key, 'verify', uuid(1)),
      deriveCode(key, 'verify', uuid(2)),
      deriveCode(createSecretKey(Buffer.alloc(32, 8)), 'verify', uuid(1)),
    ]

    assert.equal(new Set(codes).size, codes.length)
  })

  test('10 000 codes have six digits each and are uniform', () => {
    const codes = Array.from({ length: 10_000 }, (_, n) => deriveCode(key, 'verify', uuid(n)))

    assert.ok(codes.every((code) => /^[0-9]{6}$/.test(code)))
    assert.ok(codes.some((code) => code.startsWith('00')))
    for (const [part, counts] of partCounts(codes))
      assert.ok(Math.abs(chiSquareDistance(counts)) < 6, `digits ${part} are not uniform`)
  })
})
