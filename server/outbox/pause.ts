import { jitterMs } from '../lib/random.ts'
import { SECOND_MS } from '../lib/units.ts'

export const PAUSE_MIN_MS = 5 * SECOND_MS
const PAUSE_MAX_MS = 30 * SECOND_MS
/** Leaves room for up to 25 % of jitter, so that workers do not retry in step. */
const PAUSE_MEAN_MAX_MS = PAUSE_MAX_MS / 1.25

/**
 * The backoff of a failed transport: 5 s, doubled by each further fault up to 30 s, with jitter. The
 * transport is in doubt until its first success.
 */
export function createPause(now: () => number) {
  let untilMs = 0
  let meanMs = 0
  function remainingMs(): number {
    const ms = untilMs - now()
    // A clock that was set back must not extend the pause.
    return ms > PAUSE_MAX_MS ? 0 : Math.max(0, ms)
  }
  return {
    remainingMs,
    inDoubt: () => meanMs > 0,
    /** False for a fault during a pause, which does not extend it: it belongs to the same outage. */
    extend(): boolean {
      if (remainingMs() > 0) return false
      meanMs = meanMs === 0 ? PAUSE_MIN_MS : Math.min(2 * meanMs, PAUSE_MEAN_MAX_MS)
      untilMs = now() + Math.round(meanMs + jitterMs(meanMs / 8))
      return true
    },
    end(): void {
      untilMs = 0
      meanMs = 0
    },
  }
}
