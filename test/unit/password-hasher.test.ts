import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '../../server/errors.ts'
import { createPasswordHasher } from '../../server/passwords/hasher.ts'
import { createHashReports } from '../../server/passwords/hash-reports.ts'
import { createLogger } from '../../server/lib/log.ts'
import { createMetrics } from '../../server/lib/metrics.ts'
import { times, turns } from '../support/races.ts'

const CHEAP = { memoryKib: 8, passes: 1, concurrency: 2, queue: 1000 }
const PASSWORD = 'correct horse battery staple'

/** Each from a network of its own, unless it is given. */
let networks = 0
const anybody = (network = `network ${++networks}`) => ({ requester: { network } })

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

      const verified = hasher.verify(absent, '', anybody())

      assert.ok(hasher.isFull())
      await assert.rejects(hasher.verify(absent, '', anybody()), isOverloaded)
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

describe('a stored hash that is not ours', () => {
  async function watched() {
    const logged: string[] = []
    const write = (line: string) => void logged.push(line)
    const log = await createLogger({ level: 'info', format: 'json' }, { write })
    const reports = createHashReports({ log, metrics: createMetrics() })
    return { logged, hasher: await createPasswordHasher({ ...CHEAP, reports }) }
  }
  const argon2 = (parameters: string) =>
    `$argon2id$v=19$${parameters}$c2FsdHNhbHRzYWx0c2FsdA$${'A'.repeat(43)}`

  for (const [kind, stored] of [
    ['bcrypt', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'],
    ['pbkdf2', '$pbkdf2-sha256$i=600000$c2FsdHNhbHQ$aGFzaGhhc2g'],
    ['scrypt', 'scrypt:32768:8:1$salt$00ff'],
    ['empty', ''],
    ['blank', ' '],
    ['plain text', PASSWORD],
    ['cut off', argon2('m=8,t=1,p=1').slice(0, -2)],
    ['without memory', argon2('m=0,t=1,p=1')],
    ['of 4 GiB', argon2('m=4194304,t=1,p=1')],
    ['of a million passes', argon2('m=64,t=1000000,p=1')],
    ['of 4 billion passes', argon2('m=64,t=4294967295,p=1')],
    ['of too many lanes', argon2('m=64,t=1,p=16777215')],
  ] as const) {
    test(`matches nothing, is logged once, and breaks no question whether it is outdated: ${kind}`, async () => {
      const { hasher, logged } = await watched()

      const matches = [
        await hasher.verify(stored, PASSWORD, { userId: 7 }),
        await hasher.verify(stored, stored, { userId: 7 }),
      ]

      assert.deepEqual(matches, [false, false])
      assert.equal(typeof hasher.isOutdated(stored), 'boolean')
      assert.equal(logged.length, 1)
      assert.equal(JSON.parse(logged[0]!).user_id, 7)
      assert.ok(stored.length < 9 || !logged[0]?.includes(stored))
    })
  }

  test('matches its password where it is argon2 with more memory than configured', async () => {
    const { hasher, logged } = await watched()
    const costly = await createPasswordHasher({ ...CHEAP, memoryKib: 65_536 })

    assert.ok(await hasher.verify(await costly.hash(PASSWORD), PASSWORD))
    assert.deepEqual(logged, [])
  })
})

test('a password is remembered for one hash alone', async () => {
  const hasher = await createPasswordHasher(CHEAP)
  const [hash, other] = [await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)]
  const before = hasher.remembers(hash, PASSWORD)
  hasher.remember(hash, PASSWORD)

  assert.equal(before, false)
  assert.ok(hasher.remembers(hash, PASSWORD))
  for (const [stored, password] of [
    [other, PASSWORD],
    [hash, 'another password'],
    [undefined, PASSWORD],
  ] as const)
    assert.equal(hasher.remembers(stored, password), false)
})

describe('the hash queue', () => {
  for (const [who, of] of [
    ['network', (n: number) => ({ network: 'one', account: `account ${n}` })],
    ['account', (n: number) => ({ network: `network ${n}`, account: 'one' })],
  ] as const) {
    test(`gives a quarter of its places to one ${who}; others are served before its second`, async () => {
      const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1, queue: 15 })
      const done: string[] = []
      const flood = times(10).map((n) =>
        hasher.hash(PASSWORD, { requester: of(n) }).then(
          () => done.push('flood'),
          (error: unknown) => done.push(isOverloaded(error) ? 'refused' : String(error)),
        ),
      )
      await turns(1)
      const refused = done.length
      const others = times(5).map(() =>
        hasher.hash(PASSWORD, anybody()).then(() => done.push('other')),
      )
      const isFull = [hasher.isFull(of(99)), hasher.isFull()]

      await Promise.all([...flood, ...others])

      assert.equal(refused, 6)
      assert.deepEqual(isFull, [true, false])
      const order = done.filter((one) => one !== 'refused')
      assert.deepEqual(order, ['flood', ...times(5).map(() => 'other'), 'flood', 'flood', 'flood'])
    })
  }

  test('is full of several floods: the newest hash of the heaviest gives way', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 1, queue: 7 })
    const flood = times(8).map((n) =>
      hasher.hash(PASSWORD, anybody(`flood ${n % 4}`)).then(
        () => 'hashed',
        (error: unknown) => (isOverloaded(error) ? 'shed' : 'failed'),
      ),
    )
    const isFull = [hasher.isFull(anybody('flood 0').requester), hasher.isFull()]

    const [other, ...outcomes] = await Promise.all([hasher.hash(PASSWORD, anybody()), ...flood])

    assert.match(other, /^\$argon2id/)
    assert.deepEqual(isFull, [true, false])
    assert.deepEqual(outcomes, [...times(7).map(() => 'hashed'), 'shed'])
  })

  test('takes as many as run and wait, refuses one more, and is free afterwards', async () => {
    const hasher = await createPasswordHasher({ ...CHEAP, concurrency: 2, queue: 3 })
    const done: number[] = []
    const add = async (n: number) => {
      await hasher.hash(PASSWORD, anybody())
      done.push(n)
    }

    const admitted = [1, 2, 3, 4].map(add)
    assert.equal(hasher.isFull(), false)
    admitted.push(add(5))

    assert.equal(hasher.isFull(), true)
    await assert.rejects(hasher.hash(PASSWORD, anybody()), isOverloaded)
    await assert.rejects(hasher.verify(undefined, PASSWORD, anybody()), isOverloaded)
    // The service itself is always admitted.
    admitted.push(hasher.hash(PASSWORD).then(() => {}))
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
      const failing = hasher.hash(undefined as unknown as string)
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
