import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Databases, Engine } from './databases.ts'
import { percentile, type Question, timeRequest } from './latency.ts'
import type { Line } from './lines.ts'
import { type LoadGenerator, peakRssMb } from './processes.ts'
import { type Size, startOurs, type Target } from './targets.ts'

const ASK_EVERY_MS = 5

interface Options {
  readonly engine: Engine
  readonly rounds: number
  /** All log in at once, each on one of its own. */
  readonly connections: number
  /** How long they go on with the next login. */
  readonly seconds: number
}

/** Many that log in again and again, and what others wait for `/me` meanwhile. */
export async function measureFlood(
  tools: { readonly databases: Databases; readonly generator: LoadGenerator; readonly size: Size },
  { engine, rounds, ...many }: Options,
): Promise<Line[]> {
  const ours = await startOurs(tools.databases, { engine, ...tools.size })
  const waits = { kept: [] as number[][], fresh: [] as number[][] }
  for (let round = 0; round < rounds; round++) {
    const { kept, fresh } = await flood(tools.generator, ours, many)
    waits.kept.push(kept)
    waits.fresh.push(fresh)
  }
  const peakMb = peakRssMb(ours.server.pid)
  await ours.stop()
  const what = `${many.connections} connections that log in`
  const line = (how: keyof typeof waits, share: number): Omit<Line, 'what'> => ({
    part: 'flood',
    engine,
    unit: 'ms',
    measured: waits[how].map((one) => percentile(one, share)),
  })
  return [
    {
      ...line('kept', 0.5),
      what: `${what}: \`/me\` on a kept connection, p50`,
      goal: { atMost: 25 },
    },
    { ...line('kept', 0.9), what: `${what}: \`/me\` on a kept connection, p90` },
    {
      ...line('fresh', 0.5),
      what: `${what}: \`/me\` on a new connection, p50`,
      goal: { atMost: 500 },
    },
    { ...line('fresh', 0.9), what: `${what}: \`/me\` on a new connection, p90` },
    {
      part: 'flood',
      engine,
      what: `${what}: the most memory`,
      goal: { atMost: 250 },
      unit: 'MB',
      measured: [peakMb],
    },
  ]
}

async function flood(
  generator: LoadGenerator,
  { server, loads }: Target,
  many: Pick<Options, 'connections' | 'seconds'>,
) {
  const { login, me } = loads
  const question: Question = { path: me?.path ?? '', headers: me?.headers?.[0] ?? {} }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  await timeRequest(server.url, question, agent)
  let over = false
  // Most are refused, as they should be.
  const batch = { ...login, ...many, url: server.url }
  const flooding = generator.ask(batch).finally(() => (over = true))
  async function askAgain(agent: Agent | false): Promise<number[]> {
    const waits: number[] = []
    while (!over) {
      waits.push((await timeRequest(server.url, question, agent)).ms)
      await delay(ASK_EVERY_MS)
    }
    return waits
  }
  const [kept, fresh] = await Promise.all([askAgain(agent), askAgain(false), flooding])
  agent.destroy()
  return { kept, fresh }
}
