import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openCursor, sealCursor } from '../../server/http/cursors.ts'
import { createKeyRing } from '../../server/keys/key-ring.ts'

const OLD = 'the-secret-of-before-the-rotation-1234'
const NEW = 'the-secret-of-after-the-rotation-12345'
const keys = createKeyRing(NEW)
const position = { value: 'élodie@example.com', id: 7 }
const cursor = sealCursor(keys, 'users:a', position)
const [payload = '', mac = ''] = cursor.split('.')

describe('cursors', () => {
  test('give back the position that they were made for', () => {
    assert.deepEqual(openCursor(keys, 'users:a', cursor), position)
  })

  test('fit a URL as they are', () => {
    assert.equal(encodeURIComponent(cursor), cursor)
  })

  test('of the previous key still open while keys rotate, and not afterwards', () => {
    const old = sealCursor(createKeyRing(OLD), 'users:a', position)
    assert.deepEqual(openCursor(createKeyRing(NEW, OLD), 'users:a', old), position)
    assert.equal(openCursor(keys, 'users:a', old), undefined)
  })

  const forged = Buffer.from(JSON.stringify({ ...position, id: 8 })).toString('base64url')
  for (const [why, text] of [
    ['nothing', ''],
    ['a dot', '.'],
    ['no MAC', payload],
    ['an empty MAC', `${payload}.`],
    ['no position', `.${mac}`],
    ['another position', `${forged}.${mac}`],
    ['a MAC cut short', cursor.slice(0, -1)],
    ['a MAC made longer', `${cursor}A`],
    ['something appended', `${cursor}.x`],
    ['padding', `${payload}=.${mac}`],
    ['text that is not base64url', `${payload}.${mac}🔑`],
  ] as const) {
    test(`are refused with ${why}`, () => {
      assert.equal(openCursor(keys, 'users:a', text), undefined)
    })
  }

  test('are refused for another scope, though scope and position run together', () => {
    assert.equal(openCursor(keys, 'users:b', cursor), undefined)
    assert.equal(openCursor(keys, 'users', `a:${payload}.${mac}`), undefined)
  })
})
