import { setBounded } from '../lib/bounded-map.ts'
import { changeWindow, type Window } from './windows.ts'

/** Where counts are kept. */
export interface CountStore {
  /**
   * Adds to a count and returns it; by 0 it only reads. A count ends `ttlMs` after its first change, and
   * once it is at 0 or below.
   */
  add(key: string, by: number, ttlMs: number): Promise<Count>
}

export interface Count {
  readonly count: number
  /** Until it ends. */
  readonly msLeft: number
}

/** Counts that one store of this process keeps; a spray of more keys drops its oldest. Measured: 4 MB. */
export const ENTRIES_MAX = 20_000

/** Counts in this process, by the context's clock. */
export function createMemoryStore(now: () => number): CountStore & { size(): number } {
  const windows = new Map<string, Window>()
  return {
    async add(key, by, ttlMs) {
      const nowMs = now()
      const window = changeWindow(windows.get(key), { by, ttlMs, nowMs })
      if (window === undefined) {
        windows.delete(key)
        return { count: 0, msLeft: 0 }
      }
      setBounded(windows, [key, window], ENTRIES_MAX)
      return { count: window.count, msLeft: window.endsAtMs - nowMs }
    },
    size: () => windows.size,
  }
}
