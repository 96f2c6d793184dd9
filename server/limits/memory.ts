import { SECOND_MS } from '../lib/units.ts'

/** What limits need of rate-limiter-flexible’s limiters. */
export interface Counter {
  readonly points: number
  penalty(key: string, points?: number, options?: { customDuration: number }): Promise<Count>
  reward(key: string, points?: number): Promise<Count>
  get(key: string): Promise<Count | null>
  delete(key: string): Promise<boolean>
}
export interface Count {
  readonly consumedPoints: number
  readonly msBeforeNext: number
}

interface Entry {
  points: number
  readonly endsAtMs: number
}
/** What this process counts for one limit, the longest unused first. */
export type MemoryCounts = Map<string, Entry>

/** A spray of more keys than this makes the oldest counts of its own limit forgotten. Measured: 4 MB. */
export const ENTRIES_MAX = 20_000

interface MemoryOptions {
  readonly keyPrefix: string
  readonly points: number
  /** Seconds. */
  readonly duration: number
  readonly counts: MemoryCounts
  readonly now: () => number
}

/**
 * Counts in memory, bounded, by the context's clock. The library's own keeps every key, each with a
 * timer, and one of more than 24 days ends at once.
 */
export function createMemoryCounter(options: MemoryOptions): Counter {
  const { keyPrefix, points, duration, counts, now } = options
  const find = (key: string) => {
    const entry = counts.get(`${keyPrefix}:${key}`)
    return entry !== undefined && entry.endsAtMs > now() ? entry : undefined
  }
  const countOf = (entry: Entry): Count => ({
    consumedPoints: entry.points,
    msBeforeNext: entry.endsAtMs - now(),
  })
  function add(key: string, change: number, durationS: number): Count {
    const entry = find(key) ?? { points: 0, endsAtMs: now() + durationS * SECOND_MS }
    // A refund that comes after the window is no credit in the next.
    entry.points = Math.max(0, entry.points + change)
    counts.delete(`${keyPrefix}:${key}`)
    // Else what costs nothing, as it was given back, would push out what counts.
    if (entry.points > 0) counts.set(`${keyPrefix}:${key}`, entry)
    dropOldest(counts)
    return countOf(entry)
  }
  return {
    points,
    penalty: async (
      key,
      change = 1,
      { customDuration = duration } = { customDuration: duration },
    ) => add(key, change, customDuration),
    reward: async (key, change = 1) => add(key, -change, duration),
    async get(key) {
      const entry = find(key)
      return entry === undefined ? null : countOf(entry)
    },
    delete: async (key) => counts.delete(`${keyPrefix}:${key}`),
  }
}

function dropOldest(counts: MemoryCounts): void {
  if (counts.size <= ENTRIES_MAX) return
  for (const oldest of counts.keys()) {
    counts.delete(oldest)
    return
  }
}

/** The duration in the library's unit. */
export function toSeconds(durationMs: number): number {
  return Math.ceil(durationMs / SECOND_MS)
}
