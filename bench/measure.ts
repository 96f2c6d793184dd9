import type { Batch, Load } from './load.ts'
import { cpuMsOf, type LoadGenerator, pin } from './processes.ts'
import type { Kind, Target } from './targets.ts'

export interface Sample {
  readonly requests: number
  readonly perSecond: number
  readonly cpuUsPerRequest: number
}

export interface Effort {
  /** How long a batch takes, and how often each server has its turn. */
  readonly seconds: number
  readonly rounds: number
  /** Of load, before the first batch that counts: V8 compiles what it has seen often. */
  readonly warmUpSeconds: number
}

/** For each connection, to see how many a batch may have. */
const FIRST_REQUESTS = 2

/** Batches of the same kind in turns, the first of each round by rotation: one sample a round for each. */
export async function measureInTurns(
  generator: LoadGenerator,
  targets: readonly Target[],
  { kind, seconds, rounds, warmUpSeconds }: Effort & { readonly kind: Kind },
): Promise<Map<Target, Sample[]>> {
  const runners = targets.flatMap((target) => {
    const load = target.loads[kind]
    return load === undefined
      ? []
      : [{ target, connections: load.connections, run: batches(generator, { target, kind, load }) }]
  })
  // What hashes uses more cores than one, and most of its time is spent in native code.
  const cores = kind === 'login' || kind === 'signup' ? {} : { server: 0, load: 1 }
  pin(generator.pid, cores.load)
  for (const { target } of runners) pin(target.server.pid, cores.server)
  const amounts = new Map<Target, number>()
  for (const { target, connections, run } of runners) {
    const startedAt = performance.now()
    let { perSecond } = await run(FIRST_REQUESTS * connections)
    while (performance.now() - startedAt < warmUpSeconds * 1000)
      ({ perSecond } = await run(perSecond * seconds))
    amounts.set(target, perSecond * seconds)
  }
  const samples = new Map<Target, Sample[]>(runners.map(({ target }) => [target, []]))
  for (let round = 0; round < rounds; round++) {
    const at = round % Math.max(runners.length, 1)
    for (const { target, run } of [...runners.slice(at), ...runners.slice(0, at)])
      samples.get(target)?.push(await run(amounts.get(target) ?? 0))
  }
  return samples
}

interface What {
  readonly target: Target
  readonly kind: Kind
  readonly load: Load
}

/** Each batch goes on with the tokens and the addresses of the one before. */
function batches(generator: LoadGenerator, { target, kind, load }: What) {
  let { tokens } = load
  return async (amount: number): Promise<Sample> => {
    const { server } = target
    const numbers = load.numbers ?? { from: nextNumbers(amount), count: Number.MAX_SAFE_INTEGER }
    const batch: Batch = {
      ...load,
      url: server.url,
      amount: Math.max(Math.round(amount), load.connections),
      numbers,
      ...(tokens === undefined ? {} : { tokens }),
    }
    const cpuBefore = cpuMsOf(server.pid)
    const outcome = await generator.ask(batch)
    const wrong = Object.keys(outcome.statuses).filter((status) => !/^2\d\d$/.test(status))
    if (wrong.length > 0 || outcome.requests === 0)
      throw new Error(`${kind} of ${target.name}: ${JSON.stringify(outcome.statuses)}`)
    if (kind === 'signup') await target.mails(outcome.requests)
    if (tokens !== undefined) ({ tokens } = outcome)
    const cpuMs = cpuMsOf(server.pid) - cpuBefore
    const { requests, wallMs } = outcome
    return {
      requests,
      perSecond: (requests / wallMs) * 1000,
      cpuUsPerRequest: (cpuMs / requests) * 1000,
    }
  }
}

let numbered = 0

/** The first of so many numbers that no batch has had. */
function nextNumbers(amount: number): number {
  const from = numbered
  numbered += Math.ceil(amount) + 1000
  return from
}
