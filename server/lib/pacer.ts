import { isOver } from './units.ts'

/** Returns true at most once per interval, also after the clock was set back. */
export function createPacer(now: () => number, everyMs: number): () => boolean {
  let lastMs: number | undefined
  return () => {
    const nowMs = now()
    if (!isOver(everyMs, { sinceMs: lastMs, nowMs })) return false
    lastMs = nowMs
    return true
  }
}
