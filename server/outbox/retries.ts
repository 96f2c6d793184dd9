import type { OutboxState, OutboxTable } from '../database/schema.ts'
import type { Selectable } from 'kysely'
import { DAY_MS, MINUTE_MS, SECOND_MS, toIso } from '../lib/units.ts'
import type { DeliveryFault } from './transports/delivery-error.ts'

/**
 * Why a message was not sent: by the fault of its transport or its recipient's side; or
 * - `unconfirmed`: it was handed over whole, and a copy may have arrived;
 * - `bug`: it could not be made, which the next version repairs or none;
 * - `database`: the database went away while the message was made;
 * - `stale`: the claim ran out before the message was sent;
 * - `crash`: a worker ended with the message in hand.
 */
export type Fault = DeliveryFault | 'unconfirmed' | 'bug' | 'database' | 'stale' | 'crash'

type Count = 'refusals' | 'unconfirmed' | 'bugs' | 'crashes'

/** The faults of a message, each kind counted for itself, and the time of the transport's first. */
export type Counts = Readonly<Pick<Selectable<OutboxTable>, Count | 'first_failed_at'>>

/** The rule for a message after a fault. */
export interface Retry {
  readonly state: Extract<OutboxState, 'waiting' | 'bounced' | 'dead'>
  /** When it is tried next; undefined: due as before. */
  readonly dueMs?: number
  /** Those that changed. */
  readonly counts: Partial<Counts>
}

interface Rule {
  readonly count: Count
  /** With so many faults the message is dead. */
  readonly max: number
  /** Until the next try, after the first fault, the second …; without it the message stays due. */
  readonly waitsMs?: readonly number[]
}

/** Eight tries over 24 hours. */
const LATER_MS = [5, 15, 40, 60, 4 * 60, 6 * 60, 12 * 60].map((minutes) => minutes * MINUTE_MS)
/**
 * For a server that hangs to come back; its first success ends the wait. A second copy is the last, so
 * it is not for probing; a code by text message, which works for ten minutes, is still of use then.
 */
export const UNCONFIRMED_WAIT_MS = 5 * MINUTE_MS
/** An outage that nobody saw over a weekend loses nothing; what a mail says is stale after that. */
const TRANSPORT_PATIENCE_MS = 3 * DAY_MS
/** For the database to come back. */
const DATABASE_WAIT_MS = 10 * SECOND_MS

const RULES = {
  later: { count: 'refusals', max: LATER_MS.length + 1, waitsMs: LATER_MS },
  unconfirmed: { count: 'unconfirmed', max: 2, waitsMs: [UNCONFIRMED_WAIT_MS] },
  bug: { count: 'bugs', max: 3, waitsMs: LATER_MS },
  // Three workers that ended with the message in hand: it may be what ends them.
  crash: { count: 'crashes', max: 3 },
} as const satisfies Partial<Record<Fault, Rule>>

/**
 * Every rule of retries. `pauseMs` is how long a transport that failed is not asked: its message goes
 * to the back of the line, so that others get a turn however many of them ail the transport.
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
