import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE_MS } from '../../server/lib/units.ts'
import { createMemoryCounter, ENTRIES_MAX, type MemoryCounts } from '../../server/limits/memory.ts'

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
