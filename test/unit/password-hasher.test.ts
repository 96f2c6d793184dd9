import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../../server/errors.ts'
import { createPasswordHasher } from '../../server/passwords/hasher.ts'
import { turns } from '../support/races.ts'

const CHEAP = { memoryKib: 8, passes: 1, concurrency: 2, queue: 1000 }
const PASSWORD = 'correct horse battery staple'

const isOverloaded = (error: unknown) =>
  error instanceof AppError && error.code === 'overloaded' && error.retryAfterS === 1

describe('a password hash', () => {
  test('is a PHC string of argon2id with the given parameters and a salt of its own', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, memoryKib: 64, passes: 3 })

    const hashes = await Promise.all(Array.from({ length: 20 }, () => hasher.hash(PASSWORD)))

    for (const hash of hashes) {
      assert.match(hash, /^\$argon2id\$v=19\$m=64,t=3,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
      assert.ok(await hasher.verify(hash, PASSWORD))
    }
    assert.equal(new Set(hashes.map((hash) => hash.split('$')[4])).size, 20)
  })

  for (const [why, password, other, expected] of [
    ['NFD for NFC', 'café', 'cafe\u0301', true],
    ['NFC for NFD', 'cafe\u0301', 'café', true],
    ['another case', 'café', 'Café', false],
    ['compatible characters', 'ﬁne', 'fine', false],
    ['another text after a NUL', 'a\0b', 'a\0c', false],
    ['the text before a NUL', 'a\0b', 'a', false],
    ['an end after 72 bytes', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`, false],
    ['the first 72 bytes', 'x'.repeat(73), 'x'.repeat(72), false],
    ['an end after 255 bytes', `${'x'.repeat(255)}a`, `${'x'.repeat(255)}b`, false],
    ['a space more', 'café', 'café ', false],
  ] as const) {
    test(`${expected ? 'matches' : 'does not match'} ${why}`, async () => {
      const hasher = await createPasswordHasher(CHEAP)
      assert.equal(await hasher.verify(await hasher.hash(password), other), expected)
    })
  }

  for (const absent of [undefined, null]) {
    test(`that is ${absent} matches nothing, takes a turn all the same`, async () => {
      const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1, queue: 0 })

      const verified = hasher.verify(absent, '')

      assert.ok(hasher.isFull())
      await assert.rejects(hasher.verify(absent, ''), isOverloaded)
      assert.equal(await verified, false)
      assert.equal(hasher.isFull(), false)
    })
  }

  for (const [why, older, expected] of [
    ['the same', {}, false],
    ['less memory', { memoryKib: 32 }, true],
    ['fewer passes', { passes: 1 }, true],
    ['more memory', { memoryKib: 128 }, false],
    ['more passes', { passes: 3 }, false],
    ['more memory and fewer passes', { memoryKib: 128, passes: 1 }, true],
  ] as const) {
    test(`is ${expected ? '' : 'not '}outdated with ${why}`, async () => {
      const now = { ...CHEAP, memoryKib: 64, passes: 2 }
      const before = await createPasswordHasher({ ...now, ...older })
      const hasher = await createPasswordHasher(now)

      assert.equal(hasher.isOutdated(await before.hash(PASSWORD)), expected)
    })
  }
})

describe('the hash queue', () => {
  test('takes as many as run and wait, refuses one more, and is free afterwards', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 2, queue: 3 })
    const done: number[] = []

    const admitted = [1, 2, 3, 4].map((n) => hasher.hash(PASSWORD).then(() => done.push(n)))
    assert.equal(hasher.isFull(), false)
    admitted.push(hasher.hash(PASSWORD).then(() => done.push(5)))

    assert.equal(hasher.isFull(), true)
    await assert.rejects(hasher.hash(PASSWORD), isOverloaded)
    await assert.rejects(hasher.verify(undefined, PASSWORD), isOverloaded)
    await Promise.all(admitted)
    assert.deepEqual(
      done.toSorted((a, b) => a - b),
      [1, 2, 3, 4, 5],
    )
    assert.equal(hasher.isFull(), false)
    assert.match(await hasher.hash(PASSWORD), /^\$argon2id\$/)
  })

  test('serves in the order of arrival, one at a time', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1 })
    const done: number[] = []

    const hashes = Array.from({ length: 50 }, (_, n) =>
      hasher.hash(PASSWORD).then(() => done.push(n)),
    )
    await Promise.all(hashes)

    assert.deepEqual(
      done,
      Array.from({ length: 50 }, (_, n) => n),
    )
  })

  test('counts a hash that waited as running once it has its turn', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1, queue: 1 })
    const [first, second] = [hasher.hash(PASSWORD), hasher.hash(PASSWORD)]

    await first
    const third = hasher.hash(PASSWORD)

    assert.equal(hasher.isFull(), true)
    await Promise.all([second, third])
  })

  test('gets the turn back from a hash that fails', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1, queue: 1 })

    for (let time = 1; time <= 3; time++) {
      const failing = hasher.verify('no hash', PASSWORD)
      const next = hasher.hash(PASSWORD)
      await assert.rejects(failing)
      assert.match(await next, /^\$argon2id\$/)
    }

    assert.equal(hasher.isFull(), false)
  })

  test('is left by who gives up, at any place in it, and the others go on', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1, queue: 3 })
    const gone = new AbortController()
    const hash = await hasher.hash(PASSWORD)
    const isLeft = (waits: Promise<unknown>) => assert.rejects(waits, { code: 'request_timeout' })
    const runs = hasher.hash(PASSWORD)
    const left = isLeft(hasher.hash(PASSWORD, gone))
    const stays = hasher.verify(hash, PASSWORD, { signal: new AbortController().signal })
    const alsoLeft = isLeft(hasher.verify(undefined, PASSWORD, gone))

    gone.abort()

    await Promise.all([left, alsoLeft, isLeft(hasher.hash(PASSWORD, gone)), runs])
    assert.equal(await stays, true)
    assert.equal(hasher.waiting(), 0)
    assert.match(await hasher.hash(PASSWORD), /^\$argon2id/)
  })

  test('whose hash runs already is not left: its turn goes on to the next', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1, queue: 3 })
    const gone = new AbortController()
    const running = hasher.hash(PASSWORD, gone)
    const next = hasher.hash(PASSWORD)
    await turns(1)

    gone.abort()

    assert.match(await running, /^\$argon2id/)
    assert.match(await next, /^\$argon2id/)
  })
})
