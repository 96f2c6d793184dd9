import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyRing } from '../../server/keys/key-ring.ts'
import { HOUR_MS, MINUTE_MS } from '../../server/lib/units.ts'
import { createMetrics } from '../../server/lib/metrics.ts'
import { createLimits } from '../../server/limits/counters.ts'
import { createMemoryStore, ENTRIES_MAX } from '../../server/limits/memory.ts'

test('a spray of keys makes the oldest unused counts forgotten, and takes no more memory', async () => {
  const store = createMemoryStore(() => 0)
  const add = (key: string, by = 1) => store.add(key, by, HOUR_MS)
  await add('oldest')
  await add('used')
  for (let n = 0; n < ENTRIES_MAX - 2; n++) await add(`spray ${n}`)
  await add('used')

  for (let n = 0; n < 1000; n++) await add(`more ${n}`)

  assert.equal(store.size(), ENTRIES_MAX)
  assert.equal((await add('oldest', 0)).count, 0)
  assert.equal((await add('used', 0)).count, 2)
})

test('a window ends by the clock that is given', async () => {
  let nowMs = 0
  const store = createMemoryStore(() => nowMs)
  await store.add('ann', 3, MINUTE_MS)
  nowMs = MINUTE_MS - 1
  assert.deepEqual(await store.add('ann', 0, MINUTE_MS), { count: 3, remainingMs: 1 })

  nowMs = MINUTE_MS
  const ended = await store.add('ann', 0, MINUTE_MS)

  assert.deepEqual(ended, { count: 0, remainingMs: 0 })
  assert.deepEqual(await store.add('ann', 1, MINUTE_MS), { count: 1, remainingMs: MINUTE_MS })
})

test('refunded tries leave nothing behind, and push nothing out', async () => {
  const store = createMemoryStore(() => 0)
  const add = (key: string, by: number) => store.add(key, by, HOUR_MS)
  await add('kept', 1)

  for (let n = 0; n < ENTRIES_MAX + 1000; n++) {
    await add(`spray ${n}`, 1)
    await add(`spray ${n}`, -1)
  }
  await add('never counted', -1)

  assert.equal((await add('kept', 0)).count, 1)
  assert.equal(store.size(), 1)
})

test('a spray of keys makes no count at its limit forgotten, and is counted itself', async () => {
  const store = createMemoryStore(() => 0, 10)
  const add = (key: string, by = 1) => store.add(key, by, HOUR_MS)
  await add('at its limit', 10)
  await add('far from it', 1)

  for (let n = 0; n < 2 * ENTRIES_MAX; n++) await add(`spray ${n}`)
  await add('new')

  assert.equal((await add('at its limit', 0)).count, 10)
  assert.equal((await add('far from it', 0)).count, 0)
  assert.equal((await add('new')).count, 2)
  assert.equal(store.size(), ENTRIES_MAX)
})

test('counts at their limit are bounded, too: the oldest is forgotten, and new keys are counted', async () => {
  const store = createMemoryStore(() => 0, 10)
  const add = (key: string, by = 1) => store.add(key, by, HOUR_MS)

  for (let n = 0; n < 2 * ENTRIES_MAX; n++) await add(`spray ${n}`, 10)
  for (let n = 0; n < ENTRIES_MAX / 2; n++) await add(`new ${n}`)

  assert.equal((await add('new 0')).count, 2)
  assert.equal((await add('spray 0', 0)).count, 0)
  assert.equal((await add(`spray ${2 * ENTRIES_MAX - 1}`, 0)).count, 10)
  assert.equal(store.size(), ENTRIES_MAX)
})

test('an expired count at its limit is forgotten before a new one', async () => {
  let nowMs = 0
  const store = createMemoryStore(() => nowMs, 10)
  await store.add('expired', 10, MINUTE_MS)
  nowMs = MINUTE_MS
  for (let n = 0; n < ENTRIES_MAX; n++) await store.add(`new ${n}`, 1, HOUR_MS)

  assert.equal((await store.add('new 0', 0, HOUR_MS)).count, 1)
})

test('a spray of networks makes no network at its limit forgotten', async () => {
  const limits = createLimits({
    config: { rateLimit: true, rateLimitScale: 1, smsMaxPerHour: 100 },
    keys: createKeyRing('limits-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'),
    metrics: createMetrics(),
    now: () => 0,
  })
  for (let n = 0; n < 10; n++) await limits.take('sign_up_network', '192.0.2.1')
  for (let n = 0; n < 10; n++) await limits.take('login', 'ann@example.com 192.0.2.1')

  for (let n = 0; n < ENTRIES_MAX + 1000; n++) {
    await limits.take('sign_up_network', `network ${n}`)
    await limits.take('login', `ann@example.com ${n}`)
  }

  for (const [name, key] of [
    ['sign_up_network', '192.0.2.1'],
    ['login', 'ann@example.com 192.0.2.1'],
  ] as const)
    await assert.rejects(limits.peekOrRefuse(name, key), { code: 'too_many_requests' })
})

test('a spray of networks makes no count of an address forgotten', async () => {
  const limits = createLimits({
    config: { rateLimit: true, rateLimitScale: 1, smsMaxPerHour: 100 },
    keys: createKeyRing('limits-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'),
    metrics: createMetrics(),
    now: () => 0,
  })
  for (let n = 0; n < 50; n++) await limits.take('login_address', 'ann@example.com')

  for (let n = 0; n < ENTRIES_MAX + 1000; n++) await limits.take('login_network', `network ${n}`)
  const again = await limits.take('login_address', 'ann@example.com')

  assert.equal((await again.refuse?.())?.name, 'login_address')
})
