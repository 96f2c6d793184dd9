// npm run bench: what it measures, and how to read it, is in bench/README.md.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measureCores } from './cores.ts'
import { type Engine, startDatabases } from './databases.ts'
import { measureFlood } from './flood.ts'
import { installPackages } from './install.ts'
import { type Line, tableOf } from './lines.ts'
import type { Outcome } from './load.ts'
import { machine } from './machine.ts'
import { measureMillion } from './million.ts'
import { startHelper } from './processes.ts'
import { type Absolute, absoluteTable, measureRequests } from './requests.ts'
import { measureStarts } from './starts.ts'
import { KINDS, type Level } from './targets.ts'

const PARTS = [...KINDS, 'start', 'flood', 'processes', 'million'] as const
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
const seconds = Number(values.seconds ?? (values.smoke ? 0.2 : 1))
const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5))

installPackages('bench')
const databases = await startDatabases(engines)
const generator = startHelper<Outcome>('load.ts')
const tools = { databases, generator, effort: { seconds, rounds, warmUps: values.smoke ? 1 : 3 } }
const lines: Line[] = []
const absolutes: Absolute[] = []
try {
  const kinds = KINDS.filter((kind) => parts.includes(kind))
  for (const engine of engines) {
    for (const level of kinds.length > 0 ? levels : []) {
      const measured = await measureRequests(tools, { engine, level, kinds })
      lines.push(...measured.lines)
      absolutes.push(...measured.absolutes)
    }
    if (parts.includes('start')) lines.push(...(await measureStarts(databases, { engine, rounds })))
    if (parts.includes('flood')) {
      const many = values.smoke
        ? { connections: 100, seconds: 0.5 }
        : { connections: 2000, seconds: 5 }
      lines.push(...(await measureFlood(tools, { engine, rounds, ...many })))
    }
    if (parts.includes('million')) {
      const sizes = values.smoke ? { few: 3000, many: 6000 } : { few: 10_000, many: 1_000_000 }
      lines.push(...(await measureMillion(databases, { engine, rounds, ...sizes })))
    }
  }
  if (parts.includes('processes') && engines.includes('postgres'))
    lines.push(...(await measureCores(tools)))
} finally {
  await generator.stop()
  await databases.stop()
}
report()

function chosen<T extends string>(text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all
  const names = text.split(',')
  const unknown = names.filter((name) => !all.some((one) => one === name))
  if (unknown.length > 0) throw new Error(`no ${unknown.join(', ')}; there are ${all.join(', ')}`)
  return all.filter((one) => names.includes(one))
}

/** A part or a smoke is printed only, unless it is told where to write. */
function report(): void {
  const table = tableOf(lines)
  console.log(`\n${table}\n\n${absoluteTable(absolutes)}`)
  const isWhole = values.only === undefined && values.database === undefined && !values.smoke
  const output = values.output ?? (isWhole ? resolve(import.meta.dirname, 'results') : undefined)
  if (output === undefined) return
  const text = `# Results\n\n${machine()}\n\n${table}\n\n## By itself\n\n${absoluteTable(absolutes)}\n`
  writeFileSync(`${output}.md`, text)
  writeFileSync(`${output}.json`, `${JSON.stringify({ lines, absolutes }, undefined, 1)}\n`)
}
