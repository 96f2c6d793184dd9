// npm run bench: what it measures, and how to read it, is in bench/README.md.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measureCores } from './cores.ts'
import { type Engine, startDatabases } from './databases.ts'
import { measureFlood } from './flood.ts'
import { installPackages } from './install.ts'
import { type Line, tablesOf } from './lines.ts'
import type { Outcome } from './load.ts'
import { machine } from './machine.ts'
import { measureMillion } from './million.ts'
import { startHelper } from './processes.ts'
import { type Absolute, absoluteTable, measureRequests } from './requests.ts'
import { measureStarts } from './starts.ts'
import { KINDS, type Level } from './targets.ts'

const PARTS = [...KINDS, 'start', 'flood', 'processes', 'million'] as const
/** Each takes seconds. */
const FLOODS_MAX = 3
const ENGINES: readonly Engine[] = ['sqlite', 'postgres']
const LEVELS: readonly Level[] = ['info', 'warn']

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    database: { type: 'string' },
    level: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    /** Where the results go, without the ending. */
    output: { type: 'string' },
  },
})
const parts = chosen(values.only, PARTS)
const engines = chosen(values.database, ENGINES)
const levels = chosen(values.level, values.smoke ? ['info'] : LEVELS)
const seconds = Number(values.seconds ?? (values.smoke ? 0.05 : 0.5))
const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5))

installPackages('bench')
const databases = await startDatabases(engines)
const generator = startHelper<Outcome>('load.ts')
const warmUpSeconds = values.smoke ? 0 : 5
const size = values.smoke ? { users: 3000, connections: 4 } : { users: 10_000, connections: 32 }
const idleAfterMs = values.smoke ? 0 : 1500
const tools = { databases, generator, effort: { seconds, rounds, warmUpSeconds }, size }
const lines: Line[] = []
const absolutes: Absolute[] = []
try {
  const kinds = KINDS.filter((kind) => parts.includes(kind))
  for (const engine of engines) {
    for (const level of kinds.length > 0 ? levels : []) {
      await timed(`requests at ${level}`, engine, async () => {
        const measured = await measureRequests(tools, { engine, level, kinds })
        absolutes.push(...measured.absolutes)
        return measured.lines
      })
    }
    if (parts.includes('start'))
      await timed('start', engine, () => measureStarts(databases, { engine, rounds, idleAfterMs }))
    if (parts.includes('flood')) {
      const many = values.smoke
        ? { connections: 100, seconds: 0.5 }
        : { connections: 2000, seconds: 5 }
      const floods = Math.min(rounds, FLOODS_MAX)
      await timed('flood', engine, () => measureFlood(tools, { engine, rounds: floods, ...many }))
    }
    if (parts.includes('million')) {
      const sizes = values.smoke ? { few: 3000, many: 6000 } : { few: 10_000, many: 1_000_000 }
      await timed('million', engine, () => measureMillion(databases, { engine, rounds, ...sizes }))
    }
  }
  if (parts.includes('processes') && engines.includes('postgres'))
    await timed('processes', 'postgres', () => measureCores(tools))
} finally {
  await generator.stop()
  await databases.stop()
}
report()

async function timed(part: string, engine: Engine, measure: () => Promise<Line[]>): Promise<void> {
  const startedAt = performance.now()
  lines.push(...(await measure()))
  console.log(`${engine}, ${part}: ${Math.round((performance.now() - startedAt) / 1000)} s`)
}

function chosen<T extends string>(text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all
  const names = text.split(',')
  const unknown = names.filter((name) => !all.some((one) => one === name))
  if (unknown.length > 0) throw new Error(`no ${unknown.join(', ')}; there are ${all.join(', ')}`)
  return all.filter((one) => names.includes(one))
}

/** Only the whole with its usual effort is written, unless it is told where. */
function report(): void {
  const byItself = absolutes.length === 0 ? '' : `\n\n## By itself\n\n${absoluteTable(absolutes)}`
  const tables = `${tablesOf(lines)}${byItself}\n`
  console.log(`\n${tables}`)
  const isWhole = process.argv.length === 2
  const output = values.output ?? (isWhole ? resolve(import.meta.dirname, 'results') : undefined)
  if (output === undefined) return
  const text = `# Results\n\n${machine()}\n\n${tables}`
  writeFileSync(`${output}.md`, text)
  writeFileSync(`${output}.json`, `${JSON.stringify({ lines, absolutes }, undefined, 1)}\n`)
}
