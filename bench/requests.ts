import { median } from '../test/support/process-size.ts'
import type { Databases, Engine } from './databases.ts'
import { type Goal, type Line, markdown, spread } from './lines.ts'
import { type Effort, measureInTurns, type Sample } from './measure.ts'
import { type LoadGenerator, peakRssMb } from './processes.ts'
import {
  countingPages,
  type Kind,
  type Level,
  startLimit,
  type Size,
  startOurs,
  startPeer,
  type Target,
  type TargetName,
} from './targets.ts'

const WHAT: Record<Kind, string> = {
  me: '`/me`',
  list: 'list of 100',
  search: 'search (theirs: in addresses only)',
  refresh: 'refresh',
  login: 'login',
  signup: 'sign-up, its mail included',
}
const GOALS: Partial<Record<TargetName, Partial<Record<Kind, Goal>>>> = {
  limit: {
    me: { atLeast: 0.75 },
    list: { atLeast: 0.8 },
    refresh: { atLeast: 0.6 },
    login: { atLeast: 0.92 },
    signup: { atLeast: 0.85 },
  },
  'limit that counts pages': { list: { atLeast: 0.8 } },
  peer: { me: { atLeast: 20 }, list: { atLeast: 10 }, login: { atLeast: 6 } },
}
const AGAINST: Record<Exclude<TargetName, 'ours'>, string> = {
  limit: 'the limit',
  'limit that counts pages': 'the limit that counts each page durably, as ours does',
  peer: 'Better Auth',
  'peer of equal hash cost': 'Better Auth with our hash',
}

/** Requests per second and CPU of one server, for the second table. */
export interface Absolute {
  readonly engine: Engine
  readonly level: Level
  readonly kind: Kind
  readonly server: TargetName
  readonly samples: readonly Sample[]
}

export interface Tools {
  readonly databases: Databases
  readonly generator: LoadGenerator
  readonly effort: Effort
  readonly size: Size
}

/** Ours, the limit and the peer beside each other, with the same load in turns. */
export async function measureRequests(
  tools: Tools,
  { engine, level, kinds }: { engine: Engine; level: Level; kinds: readonly Kind[] },
): Promise<{ lines: Line[]; absolutes: Absolute[] }> {
  const options = { engine, level, ...tools.size }
  const ours = await startOurs(tools.databases, options)
  const limit = await startLimit(tools.databases, options)
  const others = [
    limit,
    countingPages(limit),
    await startPeer(tools.databases, options, 'own'),
    await startPeer(tools.databases, options, 'equal'),
  ]
  const targets = [ours, ...others]
  const lines: Line[] = []
  const absolutes: Absolute[] = []
  for (const kind of kinds) {
    const samples = await measureInTurns(tools.generator, targets, { kind, ...tools.effort })
    for (const [{ name }, own] of samples)
      absolutes.push({ engine, level, kind, server: name, samples: own })
    for (const other of others) {
      const [mine, theirs] = [samples.get(ours), samples.get(other)]
      if (mine !== undefined && theirs !== undefined)
        lines.push(compare({ engine, level, kind }, { mine, theirs, other }))
    }
  }
  lines.push(...memory(targets, options))
  for (const target of targets) await target.stop()
  return { lines, absolutes }
}

function compare(
  { engine, level, kind }: { engine: Engine; level: Level; kind: Kind },
  pairs: { mine: readonly Sample[]; theirs: readonly Sample[]; other: Target },
): Line {
  const { mine, theirs, other } = pairs
  const name = other.name as Exclude<TargetName, 'ours'>
  const goal = GOALS[name]?.[kind]
  return {
    part: kind,
    what: `${WHAT[kind]} against ${AGAINST[name]}, at \`${level}\``,
    engine,
    unit: 'ratio',
    ...(goal === undefined ? {} : { goal }),
    measured: mine.map(
      (sample, at) => (theirs[at]?.cpuUsPerRequest ?? NaN) / sample.cpuUsPerRequest,
    ),
    byWall: mine.map((sample, at) => sample.perSecond / (theirs[at]?.perSecond ?? NaN)),
  }
}

function memory(targets: readonly Target[], { engine, level }: { engine: Engine; level: Level }) {
  return targets
    .filter(({ name }) => name === 'ours' || name === 'limit' || name === 'peer')
    .map(({ name, server }): Line => ({
      part: 'memory',
      what: `the most memory under these loads at \`${level}\`: ${name}`,
      engine,
      unit: 'MB',
      measured: [peakRssMb(server.pid)],
    }))
}

/** What each server costs by itself. */
export function absoluteTable(absolutes: readonly Absolute[]): string {
  const rows = absolutes.map(({ engine, level, kind, server, samples }) => [
    WHAT[kind],
    engine,
    level,
    server,
    spread(samples.map(({ cpuUsPerRequest }) => cpuUsPerRequest)),
    String(Math.round(median(samples.map(({ perSecond }) => perSecond)))),
  ])
  return markdown(['What', 'Database', 'Level', 'Server', 'CPU µs a request', 'Requests/s'], rows)
}
