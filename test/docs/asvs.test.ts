import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** How many requirements of level 1 or 2 each section of ASVS 5.0.0 has; they are its first ones. */
const SECTIONS: Readonly<Record<string, readonly number[]>> = {
  V1: [2, 9, 11, 3, 2],
  V2: [3, 3, 4, 1],
  V3: [0, 2, 4, 6, 5, 0, 2],
  V4: [3, 1, 2, 4],
  V5: [1, 3, 2, 3],
  V6: [3, 12, 4, 4, 5, 3, 0, 4],
  V7: [3, 4, 2, 5, 2, 2],
  V8: [2, 3, 1, 1],
  V9: [3, 4],
  V10: [2, 2, 4, 11, 5, 2, 3],
  V11: [2, 3, 3, 4, 1, 1],
  V12: [3, 2, 4],
  V13: [1, 5, 2, 5],
  V14: [2, 4, 3],
  V15: [3, 3, 7],
  V16: [1, 5, 4, 3, 3],
  V17: [1, 4, 2],
}

test('docs/asvs.md answers each requirement of levels 1 and 2', () => {
  const answered = new Set<string>()
  for (const line of readFileSync('docs/asvs.md', 'utf8').split('\n')) {
    if (!/\*\*(?:not here|met)\*\*|^\| V[^|]*\| [12]/.test(line)) continue
    for (const [, section, first, last = first] of line.matchAll(
      /\b(V\d+\.\d+)(?:\.(\d+)(?: – V\d+\.\d+\.(\d+))?)?/g,
    )) {
      if (first === undefined) answered.add(String(section))
      for (let n = Number(first); n <= Number(last); n++) answered.add(`${section}.${n}`)
    }
  }

  const missing = Object.entries(SECTIONS).flatMap(([chapter, counts]) =>
    counts.flatMap((count, index) =>
      Array.from({ length: count }, (_, n) => [`${chapter}.${index + 1}`, n + 1] as const)
        .filter(([section, n]) => !answered.has(section) && !answered.has(`${section}.${n}`))
        .map(([section, n]) => `${section}.${n}`),
    ),
  )

  assert.deepEqual(missing, [])
})
