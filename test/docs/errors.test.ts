import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { ERRORS } from '../../server/errors.ts'
import { STATUS } from '../../server/http/problem.ts'

const rows = readFileSync('docs/errors.md', 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.length === 6 && /^`\w+`$/.test(cells[1] ?? ''))

describe('docs/errors.md', () => {
  test('lists every code once and no other, by status', () => {
    const codes = rows.map(([, code = '']) => code.replaceAll('`', ''))
    const statuses = rows.map(([, , status]) => Number(status))
    assert.deepEqual(codes.toSorted(), Object.keys(ERRORS).toSorted())
    assert.deepEqual(Object.fromEntries(codes.map((code, at) => [code, statuses[at]])), STATUS)
    assert.deepEqual(
      statuses,
      statuses.toSorted((a, b) => a - b),
    )
  })

  for (const [, code, , when = '', remedy = ''] of rows) {
    test(`says of ${code} when it comes and what to do`, () => {
      assert.match(when, /^.{12,}\.$/)
      assert.match(remedy, /^.{8,}\.$/)
    })
  }
})
