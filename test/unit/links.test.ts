import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createKeyRing } from '../../server/keys/key-ring.ts'
import { linkToken, readLinkToken } from '../../server/keys/links.ts'

const ID = '0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10'
const OLD = 'the secret key of the days before'
const keys = createKeyRing('the secret key that counts these days', OLD)
const token = linkToken(keys.current, 'reset', ID)

describe('the token of a mailed link', () => {
  test('names its id and the key that made it, the current or the previous one', () => {
    const before = createKeyRing(OLD).current

    assert.deepEqual(readLinkToken(keys, 'reset', token), { id: ID, keyId: keys.current.id })
    assert.deepEqual(readLinkToken(keys, 'reset', linkToken(before, 'reset', ID)), {
      id: ID,
      keyId: before.id,
    })
    assert.equal(readLinkToken(createKeyRing(OLD), 'reset', token), undefined)
  })

  test('made for one purpose is none for another', () => {
    assert.equal(readLinkToken(keys, 'undo', token), undefined)
  })
})
