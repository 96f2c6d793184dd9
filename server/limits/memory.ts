import { changeWindow, type Window } from './windows.ts'

export interface CountStore {
  /**
   * Adds to a count and returns it; adding 0 reads it. A count expires `ttlMs` after its first change,
   * and is deleted at 0 or below.
   */
  add(key: string, by: number, ttlMs: number): Promise<Count>
}

export interface Count {
  readonly count: number
  /** Until the count expires. */
  readonly remainingMs: number
}

/** The capacity of one store, 4 MB (measured). */
export const ENTRIES_MAX = 20_000

/**
 * Keeps counts in this process. Beyond the capacity it evicts the least recently changed count: an expired
 * one, else one below half of `points`, so that a flood of new keys evicts its own counts and none that is
 * at its limit. Each half has room for half of the capacity, or new keys would not be counted.
 */
export function createMemoryStore(
  now: () => number,
  points = Infinity,
): CountStore & { size(): number } {
  const low = new Map<string, Window>()
  const high = new Map<string, Window>()
  const size = () => low.size + high.size

  function evict(nowMs: number): void {
    const [oldest, window] = high.entries().next().value ?? []
    const isExpired = window !== undefined && window.endsAtMs <= nowMs
    if (oldest !== undefined && (isExpired || high.size > ENTRIES_MAX / 2)) high.delete(oldest)
    else for (const [key] of low.entries().take(1)) low.delete(key)
  }
  return {
    async add(key, by, ttlMs) {
      const nowMs = now()
      const window = changeWindow(low.get(key) ?? high.get(key), { by, ttlMs, nowMs })
      low.delete(key)
      high.delete(key)
      if (window === undefined) return { count: 0, remainingMs: 0 }
      const half = window.count * 2 < points ? low : high
      half.set(key, window)
      if (size() > ENTRIES_MAX) evict(nowMs)
      return { count: window.count, remainingMs: window.endsAtMs - nowMs }
    },
    size,
  }
}
