import type { OutboxState, OutboxTable } from '../database/schema.ts'
import type { Selectable } from 'kysely'
import { DAY_MS, MINUTE_MS, SECOND_MS, toIso } from '../lib/units.ts'
import type { DeliveryFault } from './transports/delivery-error.ts'

/**
 * The reason why a message was not sent: a DeliveryFault, or
 * - `unconfirmed`: it was sent completely, and a copy may have arrived;
 * - `bug`: it could not be composed;
 * - `database`: the database became unavailable while it was composed;
 * - `key`: this process lacks the key of its code or link;
 * - `stale`: the claim expired before it was sent;
 * - `crash`: a worker ended while it held the message.
 */
export type Fault = DeliveryFault | 'unconfirmed' | 'bug' | 'database' | 'key' | 'stale' | 'crash'

type Count = 'refusals' | 'unconfirmed' | 'bugs' | 'crashes'

/** The faults of a message by kind, and the time of its first transport fault. */
export type Counts = Readonly<Pick<Selectable<OutboxTable>, Count | 'first_failed_at'>>

/** The consequence of a fault. */
export interface Retry {
  readonly state: Extract<OutboxState, 'waiting' | 'bounced' | 'dead'>
  /** The time of the next attempt; undefined keeps the due time. */
  readonly dueMs?: number
  /** The counts that changed. */
  readonly counts: Partial<Counts>
}

interface Rule {
  readonly count: Count
  /** The message is dead after this number of faults. */
  readonly max: number
  /** Backoff after the first fault, the second, and so on; without it the message stays due. */
  readonly waitsMs?: readonly number[]
}

/** Eight attempts over 24 hours. */
const LATER_MS = [5, 15, 40, 60, 4 * 60, 6 * 60, 12 * 60].map((minutes) => minutes * MINUTE_MS)
/**
 * Gives a hanging server time to recover; its first success ends the wait. The second copy is the last, so
 * it must not serve as a probe. A code by text message, valid for ten minutes, is still useful by then.
 */
export const UNCONFIRMED_WAIT_MS = 5 * MINUTE_MS
/** Survives an outage over a weekend; after that, mail is stale. */
const TRANSPORT_PATIENCE_MS = 3 * DAY_MS
const DATABASE_WAIT_MS = 10 * SECOND_MS
/** Another worker may have the key. The message is dropped when its code or link expires. */
const KEY_WAIT_MS = MINUTE_MS

const RULES = {
  later: { count: 'refusals', max: LATER_MS.length + 1, waitsMs: LATER_MS },
  unconfirmed: { count: 'unconfirmed', max: 2, waitsMs: [UNCONFIRMED_WAIT_MS] },
  bug: { count: 'bugs', max: 3, waitsMs: LATER_MS },
  // A message that three workers held when they ended may be the cause.
  crash: { count: 'crashes', max: 3 },
} as const satisfies Partial<Record<Fault, Rule>>

/**
 * All retry rules. `pauseMs` is the pause of a failed transport; the message becomes due after it, behind
 * the others, so that messages that break the transport do not block the queue.
 */
export function afterFault(
  fault: Fault,
  message: Counts,
  { nowMs, pauseMs = 0 }: { nowMs: number; pauseMs?: number },
): Retry {
  switch (fault) {
    case 'refused':
      return { state: 'bounced', counts: {} }
    case 'transport':
      return afterTransportFault(message, nowMs, nowMs + pauseMs)
    case 'database':
      return { state: 'waiting', dueMs: nowMs + DATABASE_WAIT_MS, counts: {} }
    case 'key':
      return { state: 'waiting', dueMs: nowMs + KEY_WAIT_MS, counts: {} }
    case 'stale':
      return { state: 'waiting', counts: {} }
    default:
      return afterCountedFault(message, nowMs, RULES[fault])
  }
}

function afterTransportFault(message: Counts, nowMs: number, dueMs: number): Retry {
  const first_failed_at = message.first_failed_at ?? toIso(nowMs)
  const counts = { first_failed_at }
  const isHopeless = nowMs - Date.parse(first_failed_at) >= TRANSPORT_PATIENCE_MS
  return isHopeless ? { state: 'dead', counts } : { state: 'waiting', dueMs, counts }
}

function afterCountedFault(message: Counts, nowMs: number, { count, max, waitsMs }: Rule): Retry {
  const faults = message[count] + 1
  const counts = { [count]: faults }
  if (faults >= max) return { state: 'dead', counts }
  const waitMs = waitsMs?.[faults - 1]
  return waitMs === undefined
    ? { state: 'waiting', counts }
    : { state: 'waiting', dueMs: nowMs + waitMs, counts }
}
