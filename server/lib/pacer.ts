/** Returns true at most once per interval, also after the clock was set back. */
export function createPacer(now: () => number, everyMs: number): () => boolean {
  let lastMs: number | undefined
  return () => {
    if (lastMs !== undefined && Math.abs(now() - lastMs) < everyMs) return false
    lastMs = now()
    return true
  }
}
