import { MINUTE_MS } from './units.ts'

/** The background loops of this process. */
export interface Loops {
  /** Notes that a loop is alive; each calls it in every turn. */
  turned(name: string): void
  /** The loops that hang. */
  stuck(): readonly string[]
}

/** The longest turn is that of a delivery with four hanging messages, whose claims last a minute. */
const TURN_MAX_MS = 2 * MINUTE_MS

/** Watches loops that have turned at least once. An outage does not stop them: they try again. */
export function watchLoops(now: () => number): Loops {
  const turnedAtMs = new Map<string, number>()
  return {
    turned: (name) => void turnedAtMs.set(name, now()),
    stuck() {
      const sinceMs = now() - TURN_MAX_MS
      return [...turnedAtMs].filter(([, atMs]) => atMs < sinceMs).map(([name]) => name)
    },
  }
}
