import type { Line } from './lines.ts'
import { measureInTurns } from './measure.ts'
import type { Tools } from './requests.ts'
import { type Kind, startOurs } from './targets.ts'

const KINDS: readonly Kind[] = ['me', 'refresh', 'login']
const PROCESSES = 2

/**
 * How many times the requests of one process several could serve if each had a core of its own: the
 * processes times what a request costs one of them against what it costs several.
 */
export async function measureCores({ databases, generator, effort }: Tools): Promise<Line[]> {
  const engine = 'postgres' as const
  const one = await startOurs(databases, { engine, settings: { PROCESSES: '1' } })
  const more = await startOurs(databases, { engine, settings: { PROCESSES: String(PROCESSES) } })
  const lines: Line[] = []
  for (const kind of KINDS) {
    const samples = await measureInTurns(generator, [one, more], { kind, ...effort })
    const [alone = [], together = []] = [samples.get(one), samples.get(more)]
    lines.push({
      part: 'processes',
      what: `${PROCESSES} processes against one, ${kind}`,
      engine,
      goal: { atLeast: 1.7 },
      measured: alone.map(
        ({ cpuUsPerRequest }, at) =>
          (PROCESSES * cpuUsPerRequest) / (together[at]?.cpuUsPerRequest ?? Number.NaN),
      ),
      byWall: alone.map(({ perSecond }, at) => (together[at]?.perSecond ?? NaN) / perSecond),
    })
  }
  await one.stop()
  await more.stop()
  return lines
}
