import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { storeFile } from '../../server/http/files.ts'

const ENCODINGS = ['identity', 'gzip', 'br'] as const

describe('a stored file', () => {
  test('is built once and compressed once per encoding, however many ask at once', async () => {
    let builds = 0
    const file = storeFile('text/plain', async () => `content ${++builds}`)

    for (const encoding of ENCODINGS) {
      const [first, ...others] = await Promise.all(
        Array.from({ length: 20 }, () => file.encoded[encoding]()),
      )
      others.push(await file.encoded[encoding]())
      // The same buffer, and not one that equals it.
      assert.ok(others.every((other) => other === first))
    }
    assert.equal(await file.version(), await file.version())
    assert.equal(builds, 1)
  })

  test('is not built before the first request', async () => {
    let builds = 0
    const file = storeFile('text/plain', () => `content ${++builds}`)

    assert.equal(builds, 0)
    await file.version()
    assert.equal(builds, 1)
  })

  test('is built again after a failure, which everybody who waited is told', async () => {
    let builds = 0
    const file = storeFile('text/plain', async () => {
      if (++builds === 1) throw new Error('too many open files')
      return 'content'
    })

    const first = await Promise.allSettled(ENCODINGS.map((encoding) => file.encoded[encoding]()))

    assert.deepEqual(
      first.map(({ status }) => status),
      ENCODINGS.map(() => 'rejected'),
    )
    assert.equal(String(await file.encoded.identity()), 'content')
    assert.equal(builds, 2)
  })
})
