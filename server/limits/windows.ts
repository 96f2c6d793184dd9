import { SECOND_MS } from '../lib/units.ts'
import type { Limit } from './limits.ts'

/** A count, which ends by itself. */
export interface Window {
  readonly count: number
  readonly endsAtMs: number
}

export type Backoff = NonNullable<Limit['backoff']>

interface Change {
  /** Below zero for a refund. */
  readonly by: number
  /** How long a window that begins with this change lasts. */
  readonly ttlMs: number
  readonly nowMs: number
}

/**
 * The window after a change; undefined when nothing is counted any more. A refund that comes after the
 * end is no credit in the next window, and what was refunded takes no room.
 */
export function changeWindow(
  window: Window | undefined,
  { by, ttlMs, nowMs }: Change,
): Window | undefined {
  const isOpen = window !== undefined && window.endsAtMs > nowMs
  const { count, endsAtMs } = isOpen ? window : { count: 0, endsAtMs: nowMs + ttlMs }
  return count + by > 0 ? { count: count + by, endsAtMs } : undefined
}

/** The points of a process that counts alone beside others: half of them, at least one. */
export function halfOf(points: number): number {
  return Math.max(1, Math.floor(points / 2))
}

/** The pause after the last free try, and after each single try that follows: each twice as long. */
export function pauseMs({ firstMs, maxMs }: Backoff, pausesBefore: number): number {
  return Math.min(maxMs, firstMs * 2 ** pausesBefore)
}

/** Whole seconds, rounded up: a client that waits for so long is not early. */
export function toSeconds(durationMs: number): number {
  return Math.ceil(durationMs / SECOND_MS)
}
