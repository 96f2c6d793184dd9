import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyRing } from '../../server/keys/key-ring.ts'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { createLimits } from '../../server/limits/counters.ts'
import { createMemoryCounter, ENTRIES_MAX, type MemoryCounts } from '../../server/limits/memory.ts'
import { createMetrics } from '../../server/lib/metrics.ts'

test('a spray of keys makes the oldest unused counts forgotten, and takes no more memory', async () => {
  const counts: MemoryCounts = new Map()
  const options = { keyPrefix: 'sign_up_network', points: 10, duration: 3600, now: () => 0 }
  const counter = createMemoryCounter({ ...options, counts })
  await counter.penalty('oldest')
  await counter.penalty('used')
  for (let n = 0; n < ENTRIES_MAX - 2; n++) await counter.penalty(`spray ${n}`)
  await counter.penalty('used')

  for (let n = 0; n < 1000; n++) await counter.penalty(`more ${n}`)

  assert.equal(counts.size, ENTRIES_MAX)
  assert.equal(await counter.get('oldest'), null)
  assert.equal((await counter.get('used'))?.consumedPoints, 2)
})

test('a window ends by the clock that is given, and what is given back later is no credit', async () => {
  let nowMs = 0
  const counter = createMemoryCounter({
    keyPrefix: 'login',
    points: 10,
    duration: 60,
    counts: new Map(),
    now: () => nowMs,
  })
  await counter.penalty('ann', 3)
  nowMs = MINUTE_MS - 1
  assert.deepEqual(await counter.get('ann'), { consumedPoints: 3, msBeforeNext: 1 })

  nowMs = MINUTE_MS
  const ended = await counter.get('ann')
  const late = await counter.reward('ann')

  assert.equal(ended, null)
  assert.equal(late.consumedPoints, 0)
  assert.equal((await counter.penalty('ann')).consumedPoints, 1)
})

test('what was given back leaves nothing behind, and pushes nothing out', async () => {
  const counts: MemoryCounts = new Map()
  const options = { keyPrefix: 'phone_number', points: 5, duration: 3600, now: () => 0 }
  const counter = createMemoryCounter({ ...options, counts })
  await counter.penalty('kept')

  for (let n = 0; n < ENTRIES_MAX + 1000; n++) {
    await counter.penalty(`spray ${n}`)
    await counter.reward(`spray ${n}`)
  }
  await counter.reward('never counted')

  assert.equal((await counter.get('kept'))?.consumedPoints, 1)
  assert.equal(counts.size, 1)
})

test('a spray of networks makes no count of an address forgotten', async () => {
  const limits = createLimits({
    config: { rateLimit: true, smsMaxPerHour: 100 },
    keys: createKeyRing('limits-0nly-hJ4vXq9mZ2rT8wYk6pLs3dFg7bNc'),
    metrics: createMetrics(),
    now: () => 0,
  })
  for (let n = 0; n < 50; n++) await limits.take('login_address', 'ann@example.com')

  for (let n = 0; n < ENTRIES_MAX + 1000; n++) await limits.take('login_network', `network ${n}`)
  const again = await limits.take('login_address', 'ann@example.com')

  assert.equal(again.reached?.name, 'login_address')
})
