import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import type { Line } from '../../bench/lines.ts'
import { temporaryFolder } from '../support/process.ts'

/** How many lines each part has on each database; `processes` is about PostgreSQL only. */
const LINES = {
  me: 2,
  list: 3,
  search: 1,
  refresh: 1,
  login: 3,
  signup: 3,
  memory: 5,
  start: 4,
  flood: 5,
  million: 20,
  processes: 3,
} as const

test('the bench measures every line of its table on both databases', async () => {
  using folder = temporaryFolder()
  const output = join(folder.path, 'results')

  const args = ['--import', './server/require-node.mjs', 'bench/run.ts', '--smoke']
  const bench = spawn(process.execPath, [...args, '--output', output])
  const closed = once(bench, 'close')
  const [printed, errors] = await Promise.all([text(bench.stdout), text(bench.stderr)])
  const [exitCode] = await closed

  assert.equal(exitCode, 0, errors)
  const table = readFileSync(`${output}.md`, 'utf8')
  const { lines } = JSON.parse(readFileSync(`${output}.json`, 'utf8')) as { lines: Line[] }
  for (const [part, count] of Object.entries(LINES)) {
    for (const engine of ['sqlite', 'postgres'] as const) {
      const expected = part === 'processes' && engine === 'sqlite' ? 0 : count
      const found = lines.filter((line) => line.part === part && line.engine === engine)
      assert.equal(found.length, expected, `${part} on ${engine}`)
    }
  }
  for (const { what, engine, measured, byWall = [] } of lines) {
    const values = [...measured, ...byWall]
    assert.ok(
      measured.length > 0 && values.every((value) => value > 0 && value < Infinity),
      `${what} on ${engine}: ${values.join(', ')}`,
    )
    assert.ok(table.includes(what) && printed.includes(what), what)
  }
})
