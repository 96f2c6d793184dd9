import type pg from 'pg'
import { type Answer, type Service, startService } from './service.ts'

/** Two replicas on one database, with one clock and one mailbox. */
export async function startReplicas(settings: Record<string, string> = {}) {
  const first = await startService(settings)
  const second = await startService(settings, { replicaOf: first })
  return {
    pair: [first, second] as readonly [Service, Service],
    async [Symbol.asyncDispose]() {
      await second[Symbol.asyncDispose]()
      await first[Symbol.asyncDispose]()
    },
  }
}

/** How often two racers are started, each time a little later; the slow suite sweeps farther. */
export const ROUNDS = Number(process.env['TEST_RACE_ROUNDS'] ?? 25)

/** 0, 1, 2, … */
export const times = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** Asks so often at once, one of the replicas and the other by turns. */
export const atOnce = (
  count: number,
  [first, second]: readonly [Service, Service],
  ask: (service: Service, n: number) => Promise<Answer>,
): Promise<Answer[]> => Promise.all(times(count).map((n) => ask(n % 2 ? second : first, n)))

/** What so many acts bring, one after the other. */
export async function oneByOne<T>(count: number, act: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (const n of times(count)) results.push(await act(n))
  return results
}

/** How often each status was answered. */
export function countStatuses(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Lets the event loop turn so often; starting one of two racers so much later sweeps their meetings. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

/** Resolves once `count` queries of this database wait for a lock. */
export async function waitForBlocked(operator: pg.Client, count = 1): Promise<void> {
  while ((await countBlocked(operator)) < count);
}

export async function countBlocked(operator: pg.Client): Promise<number> {
  const { rowCount } = await operator.query(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  )
  return rowCount ?? 0
}
