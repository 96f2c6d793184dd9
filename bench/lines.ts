import { median } from '../test/support/process-size.ts'
import type { Engine } from './databases.ts'

export interface Goal {
  readonly atLeast?: number
  readonly atMost?: number
}

/** One line of a table, on one database. */
export interface Line {
  readonly part: string
  readonly what: string
  readonly engine: Engine
  readonly goal?: Goal
  readonly unit: 'ratio' | 'ms' | 'MB'
  /** One for each pair or round; by CPU, where there is a difference. */
  readonly measured: readonly number[]
  readonly byWall?: readonly number[]
}

const ENGINES: readonly Engine[] = ['sqlite', 'postgres']
const NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const
const SECTIONS: readonly { readonly title: string; readonly parts: readonly string[] }[] = [
  {
    title: 'Requests, against the limit and against Better Auth',
    parts: ['me', 'list', 'search', 'refresh', 'login', 'signup'],
  },
  { title: 'Start', parts: ['start'] },
  { title: 'Memory', parts: ['memory'] },
  { title: 'A flood of logins', parts: ['flood'] },
  { title: 'More processes', parts: ['processes'] },
  { title: 'A million users', parts: ['million'] },
]

/** One table for each section, in Markdown. */
export function tablesOf(lines: readonly Line[]): string {
  return SECTIONS.flatMap(({ title, parts }) => {
    const own = lines.filter(({ part }) => parts.includes(part))
    return own.length === 0 ? [] : [`## ${title}\n\n${tableOf(own)}`]
  }).join('\n\n')
}

/** The databases beside each other: medians, the least and the most in brackets, and how they meet the goal. */
function tableOf(lines: readonly Line[]): string {
  const engines = ENGINES.filter((engine) => lines.some((line) => line.engine === engine))
  const hasWall = lines.some(({ byWall }) => byWall !== undefined)
  const columns = (name: string) =>
    hasWall ? [`${name}, by CPU`, `${name}, by wall clock`] : [name]
  const head = engines.flatMap((engine) => [...columns(NAMES[engine]), `${NAMES[engine]}, goal`])
  const cells = (line: Line | undefined) => [
    spread(line?.measured ?? []),
    ...(hasWall ? [spread(line?.byWall ?? [])] : []),
    line === undefined ? '' : verdict(line),
  ]
  const firsts = lines.filter(
    ({ what }, at) => lines.findIndex((other) => other.what === what) === at,
  )
  const rows = firsts.map(({ what, unit, goal }) => [
    what,
    unit,
    goalText(goal),
    ...engines.flatMap((engine) =>
      cells(lines.find((line) => line.what === what && line.engine === engine)),
    ),
  ])
  return markdown(['What', 'Unit', 'Goal', ...head], rows)
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Median, least and most. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [least, most] = [sorted[0], sorted.at(-1)]
  if (least === undefined || most === undefined) return ''
  return values.length === 1
    ? short(least)
    : `${short(median(values))} (${short(least)}–${short(most)})`
}

function goalText({ atLeast, atMost }: Goal = {}): string {
  if (atLeast !== undefined) return `≥ ${atLeast}`
  return atMost === undefined ? '' : `≤ ${atMost}`
}

/** The factor is how many times better than the goal. */
function verdict({ goal, measured }: Line): string {
  if (goal === undefined) return ''
  const { atLeast, atMost = Number.NaN } = goal
  const value = median(measured)
  const factor = atLeast === undefined ? atMost / value : value / atLeast
  if (factor >= 1) return `reached, factor ${short(factor)}`
  const missing = Math.abs(value / (atLeast ?? atMost) - 1)
  return `**missed by ${Math.ceil(missing * 100)} %**, factor ${short(factor)}`
}

/** Three digits are more than a noisy machine tells. */
function short(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return value.toPrecision(value >= 10 ? 3 : 2)
}
