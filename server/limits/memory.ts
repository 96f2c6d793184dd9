import { setBounded } from '../lib/bounded-map.ts'
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

/** The capacity of one store, 4 MB (measured); beyond it the oldest counts are evicted. */
export const ENTRIES_MAX = 20_000

/** Keeps counts in this process. */
export function createMemoryStore(now: () => number): CountStore & { size(): number } {
  const windows = new Map<string, Window>()
  return {
    async add(key, by, ttlMs) {
      const nowMs = now()
      const window = changeWindow(windows.get(key), { by, ttlMs, nowMs })
      if (window === undefined) {
        windows.delete(key)
        return { count: 0, remainingMs: 0 }
      }
      setBounded(windows, [key, window], ENTRIES_MAX)
      return { count: window.count, remainingMs: window.endsAtMs - nowMs }
    },
    size: () => windows.size,
  }
}
