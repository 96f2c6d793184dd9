import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../../server/lib/units.ts'
import { afterFault, type Counts, type Fault, type Retry } from '../../server/outbox/retries.ts'

// Every fault at every boundary of its rule.

const NOW_MS = Date.UTC(2026, 0, 1, 12)
const PAUSE_MS = 7 * SECOND_MS
const NEW: Counts = { refusals: 0, unconfirmed: 0, bugs: 0, crashes: 0, first_failed_at: null }
/** As far as a message gets that is still waiting, by every count at once. */
const WORN: Counts = {
  refusals: 7,
  unconfirmed: 1,
  bugs: 2,
  crashes: 2,
  first_failed_at: toIso(NOW_MS - 3 * DAY_MS + 1),
}

const after = (fault: Fault, counts: Partial<Counts> = {}) =>
  afterFault(fault, { ...NEW, ...counts }, { nowMs: NOW_MS, pauseMs: PAUSE_MS })
const dead = (counts: Partial<Counts>): Retry => ({ state: 'dead', counts })
const waiting = (counts: Partial<Counts>, waitMs?: number): Retry => ({
  state: 'waiting',
  counts,
  ...(waitMs === undefined ? {} : { dueMs: NOW_MS + waitMs }),
})

describe('a message', () => {
  for (const counts of [NEW, WORN]) {
    const which = counts === NEW ? 'new' : 'worn'

    test(`that is refused bounces at once, ${which}`, () => {
      assert.deepEqual(after('refused', counts), { state: 'bounced', counts: {} })
    })

    test(`waits ten seconds for the database, and nothing is counted, ${which}`, () => {
      assert.deepEqual(after('database', counts), waiting({}, 10 * SECOND_MS))
    })

    test(`waits a minute for its key, and nothing is counted, ${which}`, () => {
      assert.deepEqual(after('key', counts), waiting({}, MINUTE_MS))
    })

    test(`whose claim ran out stays due as it was, and nothing is counted, ${which}`, () => {
      assert.deepEqual(after('stale', counts), waiting({}))
    })
  }

  for (const [refusals, minutes] of [5, 15, 40, 60, 240, 360, 720].entries()) {
    test(`that was put off ${refusals} times waits ${minutes} minutes`, () => {
      const retry = after('later', { refusals })
      assert.deepEqual(retry, waiting({ refusals: refusals + 1 }, minutes * MINUTE_MS))
    })
  }

  test('that is put off for the eighth time is dead', () => {
    assert.deepEqual(after('later', { refusals: 7 }), dead({ refusals: 8 }))
  })

  for (const [bugs, minutes] of [5, 15].entries()) {
    test(`with ${bugs} bugs waits ${minutes} minutes after the next`, () => {
      assert.deepEqual(after('bug', { bugs }), waiting({ bugs: bugs + 1 }, minutes * MINUTE_MS))
    })
  }

  test('with the third bug is dead', () => {
    assert.deepEqual(after('bug', { bugs: 2 }), dead({ bugs: 3 }))
  })

  test('that nobody confirmed has a second copy after five minutes, and no third', () => {
    assert.deepEqual(after('unconfirmed'), waiting({ unconfirmed: 1 }, 5 * MINUTE_MS))
    assert.deepEqual(after('unconfirmed', { unconfirmed: 1 }), dead({ unconfirmed: 2 }))
  })

  test('with which workers ended stays due twice, and is dead with the third', () => {
    assert.deepEqual(after('crash'), waiting({ crashes: 1 }))
    assert.deepEqual(after('crash', { crashes: 1 }), waiting({ crashes: 2 }))
    assert.deepEqual(after('crash', { crashes: 2 }), dead({ crashes: 3 }))
  })

  for (const [ms, hopeless] of [
    [0, false],
    [HOUR_MS, false],
    [3 * DAY_MS - 1, false],
    [3 * DAY_MS, true],
    [30 * DAY_MS, true],
    // A clock that was set back.
    [-DAY_MS, false],
  ] as const) {
    test(`whose transport first failed ${ms} ms ago ${hopeless ? 'is dead' : 'waits for its pause'}`, () => {
      const counts = { first_failed_at: toIso(NOW_MS - ms) }
      const expected = hopeless ? dead(counts) : waiting(counts, PAUSE_MS)
      assert.deepEqual(after('transport', counts), expected)
    })
  }

  test('remembers when its transport first failed', () => {
    assert.deepEqual(after('transport'), waiting({ first_failed_at: toIso(NOW_MS) }, PAUSE_MS))
  })

  for (const [fault, own] of [
    ['later', 'refusals'],
    ['unconfirmed', 'unconfirmed'],
    ['bug', 'bugs'],
    ['crash', 'crashes'],
    ['transport', 'first_failed_at'],
  ] as const) {
    test(`is given up no sooner for a fault (${fault}) because of any other`, () => {
      const retry = after(fault, { ...WORN, [own]: NEW[own] })

      assert.equal(retry.state, 'waiting')
      assert.deepEqual(Object.keys(retry.counts), [own])
    })
  }
})
