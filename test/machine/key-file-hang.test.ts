import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askHangingKeyFile } from '../support/hanging-key-file.ts'
import { createKeyFile } from '../support/signing-keys.ts'

test('a request waits a second at most for a key file that does not answer', async (t) => {
  using file = createKeyFile('EdDSA')

  const [first, ...others] = (await askHangingKeyFile(file.path)).map(({ ms }) => Math.round(ms))

  t.diagnostic(`waited ${first} ms, then ${others.join(' and ')} ms`)
  assert.ok(first !== undefined && first >= 900 && first < 3000, `${first} ms`)
  for (const ms of others) assert.ok(ms < 100, `${ms} ms`)
})
