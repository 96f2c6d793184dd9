/** Durations in milliseconds. Write `15 * MINUTE_MS`, never `900000` or `1000 * 60 * 15`. */
export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** The newest time: requests and log lines of one millisecond ask for it several times. */
let known = { timeMs: NaN, iso: '' }

/** RFC 3339 in UTC with milliseconds, the format of times in tables, responses and messages. */
export function toIso(timeMs: number): string {
  if (known.timeMs !== timeMs) known = { timeMs, iso: new Date(timeMs).toISOString() }
  return known.iso
}

/** True once `ms` have passed since a time, if it is known; also after the clock was set back. */
export function isOver(
  ms: number,
  { sinceMs, nowMs }: { sinceMs: number | undefined; nowMs: number },
): boolean {
  return sinceMs === undefined || Math.abs(nowMs - sinceMs) >= ms
}
