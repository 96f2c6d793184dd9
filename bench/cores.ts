import { setTimeout as delay } from 'node:timers/promises'
import { childrenOf, listensOn } from '../test/support/children.ts'
import type { Line } from './lines.ts'
import { measureInTurns } from './measure.ts'
import type { Server } from './processes.ts'
import type { Tools } from './requests.ts'
import { type Kind, startOurs } from './targets.ts'

const KINDS: readonly Kind[] = ['me', 'refresh', 'login']
const PROCESSES = 2
const PATIENCE_MS = 20_000

/**
 * How many times the requests of one process several could serve if each had a core of its own: the
 * processes times what a request costs one of them against what it costs several.
 */
export async function measureCores({ databases, generator, ...tools }: Tools): Promise<Line[]> {
  const { effort, size } = tools
  const engine = 'postgres' as const
  const one = await startOurs(databases, { engine, ...size, settings: { PROCESSES: '1' } })
  const settings = { PROCESSES: String(PROCESSES) }
  const more = await startOurs(databases, { engine, ...size, settings })
  await waitForProcesses(more.server)
  const lines: Line[] = []
  for (const kind of KINDS) {
    const samples = await measureInTurns(generator, [one, more], { kind, ...effort })
    const [alone = [], together = []] = [samples.get(one), samples.get(more)]
    lines.push({
      part: 'processes',
      what: `${PROCESSES} processes against one, ${kind}`,
      engine,
      unit: 'ratio',
      goal: { atLeast: 1.7 },
      measured: alone.map(
        ({ cpuUsPerRequest }, at) =>
          (PROCESSES * cpuUsPerRequest) / (together[at]?.cpuUsPerRequest ?? Number.NaN),
      ),
      byWall: alone.map(({ perSecond }, at) => (together[at]?.perSecond ?? NaN) / perSecond),
    })
  }
  await waitForProcesses(more.server)
  await one.stop()
  await more.stop()
  return lines
}

/** Throws unless as many processes as were asked for wait for connections. */
async function waitForProcesses({ pid, url }: Server): Promise<void> {
  const port = Number(new URL(url).port)
  const listening = () => childrenOf(pid).filter((child) => listensOn(child, port)).length
  const startedAt = performance.now()
  while (listening() !== PROCESSES) {
    if (performance.now() - startedAt > PATIENCE_MS)
      throw new Error(`PROCESSES=${PROCESSES}: ${listening()} processes serve`)
    await delay(20)
  }
}
