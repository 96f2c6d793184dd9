import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type Limit, LIMITS } from '../../server/limits/limits.ts'
import { HOUR_MS, MINUTE_MS } from '../../server/lib/units.ts'

/** Counted in the database: not in the table of the code. */
const IN_THE_DATABASE = 'sign_up_address'
/** The number is a setting. */
const SET = { text_messages: 'SMS_MAX_PER_HOUR' } as Readonly<Record<string, string>>
const WINDOWS: Readonly<Record<number, string>> = {
  [HOUR_MS]: 'hour',
  [10 * MINUTE_MS]: '10 minutes',
}

const rows = readFileSync('docs/limits.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
const described = rows.flatMap(([, names = '', , , atMost = '']) =>
  [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, atMost })),
)

describe('docs/limits.md', () => {
  test('names every limit once, and no other', () => {
    assert.deepEqual(
      described.map(({ name }) => name).toSorted(),
      [...Object.keys(LIMITS), IN_THE_DATABASE].toSorted(),
    )
  })

  for (const [name, limit] of Object.entries<Limit>(LIMITS)) {
    test(`says how much ${name} is, and for how long`, () => {
      const row = described.find((one) => one.name === name)

      assert.match(row?.atMost ?? '', new RegExp(`\\b${SET[name] ?? limit.points}\\b`))
      assert.match(
        row?.atMost ?? '',
        new RegExp(SET[name] ?? WINDOWS[limit.windowMs] ?? 'until|then'),
      )
    })
  }
})
