import { SECOND_MS } from '../lib/units.ts'
import type { Limit } from './limits.ts'

/** A count that expires. */
export interface Window {
  readonly count: number
  readonly endsAtMs: number
}

export type Backoff = NonNullable<Limit['backoff']>

interface Change {
  /** Negative for a refund. */
  readonly by: number
  /** The length of a window that starts with this change. */
  readonly ttlMs: number
  readonly nowMs: number
}

/**
 * The window after a change; undefined when its count is 0 or below. A refund after the end of the
 * window does not become a credit in the next one.
 */
export function changeWindow(
  window: Window | undefined,
  { by, ttlMs, nowMs }: Change,
): Window | undefined {
  const isOpen = window !== undefined && window.endsAtMs > nowMs
  const { count, endsAtMs } = isOpen ? window : { count: 0, endsAtMs: nowMs + ttlMs }
  return count + by > 0 ? { count: count + by, endsAtMs } : undefined
}

/** The points of a process that counts alone while replicas add up: half, at least one. */
export function halfOf(points: number): number {
  return Math.max(1, Math.floor(points / 2))
}

/** Exponential backoff: the pause doubles with each attempt after the last free one. */
export function pauseMs({ firstMs, maxMs }: Backoff, pausesBefore: number): number {
  return Math.min(maxMs, firstMs * 2 ** pausesBefore)
}

/** Whole seconds, rounded up so that `Retry-After` is never early. */
export function toSeconds(durationMs: number): number {
  return Math.ceil(durationMs / SECOND_MS)
}
