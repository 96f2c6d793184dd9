import { median } from '../test/support/process-size.ts'
import type { Engine } from './databases.ts'

export interface Goal {
  readonly atLeast?: number
  readonly atMost?: number
}

/** One line of the table. */
export interface Line {
  readonly part: string
  readonly what: string
  readonly engine: Engine
  readonly goal?: Goal
  /** Such as ` ms`; nothing for a ratio. */
  readonly unit?: string
  /** One for each pair or round; by CPU, where there is a difference. */
  readonly measured: readonly number[]
  readonly byWall?: readonly number[]
}

const NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const
const HEAD = [
  'What',
  'Database',
  'Goal',
  'Measured (ratios: by CPU)',
  'By wall clock',
  'Goal reached',
]

/** The table in Markdown: medians, and the least and the most in brackets. */
export function tableOf(lines: readonly Line[]): string {
  const rows = lines.map((line) => [
    line.what,
    NAMES[line.engine],
    goalText(line),
    spread(line.measured, line.unit),
    line.byWall === undefined ? '' : spread(line.byWall, line.unit),
    reached(line),
  ])
  return markdown(HEAD, rows)
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Median, least and most. */
export function spread(values: readonly number[], unit = ''): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [least = Number.NaN, most = Number.NaN] = [sorted[0], sorted.at(-1)]
  return `${short(median(values))}${unit} (${short(least)}–${short(most)})`
}

function goalText({ goal, unit = '' }: Line): string {
  if (goal?.atLeast !== undefined) return `≥ ${goal.atLeast}${unit}`
  if (goal?.atMost !== undefined) return `≤ ${goal.atMost}${unit}`
  return ''
}

/** How many times better than the goal; below one it is missed. */
function reached({ goal, measured }: Line): string {
  const value = median(measured)
  const factor = goal?.atLeast === undefined ? (goal?.atMost ?? NaN) / value : value / goal.atLeast
  if (goal === undefined) return ''
  return factor >= 1 ? `${short(factor)} times` : `**missed**: ${short(factor)} of it`
}

/** Three digits are more than a noisy machine tells. */
function short(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return value.toPrecision(value >= 10 ? 3 : 2)
}
