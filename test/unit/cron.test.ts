import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCron } from '../../server/lib/cron.ts'
import { toIso } from '../../server/lib/units.ts'

describe('the latest time of a schedule', () => {
  for (const [expression, now, latest] of [
    ['0 0 * * *', '2026-01-02T00:00:00.000Z', '2026-01-02T00:00:00.000Z'],
    ['0 0 * * *', '2026-01-01T23:59:59.999Z', '2026-01-01T00:00:00.000Z'],
    ['0 0 * * *', '2026-01-02T00:00:00.001Z', '2026-01-02T00:00:00.000Z'],
    ['* * * * * *', '2026-01-02T00:00:07.999Z', '2026-01-02T00:00:07.000Z'],
    ['*/15 * * * *', '2026-01-02T00:14:59.000Z', '2026-01-02T00:00:00.000Z'],
    ['30 5 0 * * *', '2026-01-02T00:05:30.000Z', '2026-01-02T00:05:30.000Z'],
    // No hour is skipped or comes twice where clocks change: everything is UTC.
    ['30 2 * * *', '2026-03-29T12:00:00.000Z', '2026-03-29T02:30:00.000Z'],
    ['30 2 * * *', '2026-10-25T12:00:00.000Z', '2026-10-25T02:30:00.000Z'],
    ['0 0 29 2 *', '2026-01-02T00:00:00.000Z', '2024-02-29T00:00:00.000Z'],
    ['0 0 * * *', '2038-01-19T03:14:08.000Z', '2038-01-19T00:00:00.000Z'],
  ] as const) {
    test(`of ${expression} at ${now} is ${latest}`, () => {
      const latestMs = readCron(expression).latestMs(Date.parse(now))

      assert.equal(latestMs === undefined ? undefined : toIso(latestMs), latest)
    })
  }
})
