import type { Tx } from '../database/connect.ts'
import type { OutboxState } from '../database/schema.ts'
import { toIso } from '../lib/units.ts'
import type { Claim } from './claims.ts'
import { isBeingErased } from './forget.ts'
import type { Channel, Kind } from './kind.ts'
import { type Retry, UNCONFIRMED_WAIT_MS } from './retries.ts'

/** The end of a claim: sent, dropped, or the retry after a fault. */
export interface Outcome extends Omit<Retry, 'state' | 'counts'> {
  readonly state: OutboxState
  readonly counts?: Retry['counts']
  readonly nowMs: number
  readonly recipient?: string | undefined
  /** Stored, so without codes and secrets. */
  readonly error?: string | undefined
}

/** Writes the outcome and ends the claim; false, and no write, when the claim was lost. */
export async function writeOutcome(tx: Tx, claim: Claim, outcome: Outcome): Promise<boolean> {
  const written = await tx
    .updateTable('outbox')
    .set({ ...columnsOf(claim.traits, outcome), claimed_until: null })
    .where('id', '=', claim.id)
    .where('claims', '=', claim.claims)
    .where('finished_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return written !== undefined
}

/** Makes unconfirmed messages due at once when the transport has recovered, for all workers. */
export async function hastenUnconfirmed(tx: Tx, channel: Channel, nowMs: number): Promise<void> {
  await tx
    .updateTable('outbox')
    .set({ due_at: toIso(nowMs) })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('finished_at', 'is', null)
        .where('channel', '=', channel)
        .where('due_at', '>', toIso(nowMs))
        .where('due_at', '<=', toIso(nowMs + UNCONFIRMED_WAIT_MS))
        .where('unconfirmed', '>', 0)
        // Deferrals by the recipient's side keep their backoff.
        .where('refusals', '=', 0)
        .forUpdate()
        .skipLocked(),
    )
    .execute()
}

/**
 * Requeues a `dead` or `bounced` message with its counts reset; false for any other. Only failed messages
 * keep their payload.
 */
export async function reviveMessage(tx: Tx, id: string, nowMs: number): Promise<boolean> {
  const revived = await tx
    .updateTable('outbox')
    .set({
      state: 'waiting',
      due_at: toIso(nowMs),
      finished_at: null,
      refusals: 0,
      crashes: 0,
      unconfirmed: 0,
      bugs: 0,
      first_failed_at: null,
    })
    .where('id', '=', id)
    .where('state', 'in', ['dead', 'bounced'])
    .where((eb) => eb.not(isBeingErased(eb)))
    .returning('id')
    .executeTakeFirst()
  return revived !== undefined
}

function columnsOf({ isFarewell = false, isUnaddressed = false }: Kind, outcome: Outcome) {
  const { state, dueMs, counts, nowMs, recipient, error } = outcome
  const finished = state !== 'waiting'
  // Data of a deleted user is not kept, whatever the outcome.
  const forgotten = finished && isFarewell
  const blanked = forgotten || state === 'sent' || state === 'dropped'
  return {
    state,
    ...counts,
    ...(dueMs === undefined ? {} : { due_at: toIso(dueMs) }),
    ...(finished ? { finished_at: toIso(nowMs) } : {}),
    ...(recipient === undefined ? {} : { recipient }),
    ...(forgotten || isUnaddressed ? { recipient: null } : {}),
    ...(blanked ? { payload: '{}' } : {}),
    last_error: forgotten ? null : (error ?? null),
  }
}
