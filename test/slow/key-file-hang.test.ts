import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askHangingKeyFile } from '../support/hanging-key-file.ts'
import { createKeyFile } from '../support/signing-keys.ts'

test('one request waits for a key file that does not answer, and then none: the keys of before sign', async () => {
  using file = createKeyFile('EdDSA')

  const asked = await askHangingKeyFile(file.path)

  const { kid } = file.newest()
  assert.deepEqual(
    asked.map((one) => [one.kid, one.waited]),
    [
      [kid, true],
      [kid, false],
      [kid, false],
    ],
  )
})
