import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../server/lib/units.ts'
import { changeWindow, halfOf, pauseMs, toSeconds } from '../../server/limits/windows.ts'

const ttlMs = MINUTE_MS

describe('a window', () => {
  for (const [why, window, by, nowMs, expected] of [
    ['begins with its first count', undefined, 1, 0, { count: 1, endsAtMs: ttlMs }],
    [
      'ends when it began to, however much is added',
      { count: 1, endsAtMs: 5 },
      2,
      4,
      { count: 3, endsAtMs: 5 },
    ],
    ['is read without a change', { count: 3, endsAtMs: 5 }, 0, 4, { count: 3, endsAtMs: 5 }],
    [
      'is another one from its end on',
      { count: 9, endsAtMs: 5 },
      1,
      5,
      { count: 1, endsAtMs: 5 + ttlMs },
    ],
    ['shrinks by a refund', { count: 2, endsAtMs: 5 }, -1, 4, { count: 1, endsAtMs: 5 }],
    ['is gone when all is refunded', { count: 1, endsAtMs: 5 }, -1, 4, undefined],
    ['is no credit after refunds that come late', { count: 1, endsAtMs: 5 }, -1, 5, undefined],
    ['is no credit after more refunds than counts', undefined, -1, 0, undefined],
    ['is absent where nothing was counted', undefined, 0, 0, undefined],
  ] as const) {
    test(why, () => assert.deepEqual(changeWindow(window, { by, ttlMs, nowMs }), expected))
  }

  test('may last for longer than a timer can', () => {
    const window = changeWindow(undefined, { by: 1, ttlMs: 30 * DAY_MS, nowMs: 0 })
    const later = changeWindow(window, { by: 1, ttlMs: 30 * DAY_MS, nowMs: 30 * DAY_MS - 1 })
    assert.deepEqual(later, { count: 2, endsAtMs: 30 * DAY_MS })
  })
})

test('each pause is twice as long as the one before, up to the longest', () => {
  const backoff = { firstMs: 30 * SECOND_MS, maxMs: HOUR_MS, forgetMs: DAY_MS }
  const pauses = [0, 1, 2, 6, 7, 2000].map((before) => pauseMs(backoff, before) / SECOND_MS)
  assert.deepEqual(pauses, [30, 60, 120, 1920, 3600, 3600])
})

test('half of the points is rounded down, and at least one', () => {
  assert.deepEqual([10, 5, 2, 1].map(halfOf), [5, 2, 1, 1])
})

test('seconds are rounded up', () => {
  assert.deepEqual([0, 1, 1000, 1001].map(toSeconds), [0, 1, 1, 2])
})
