import type { Tx } from '../database/connect.ts'
import type { OutboxState } from '../database/schema.ts'
import { toIso } from '../lib/units.ts'
import type { Claim } from './claims.ts'
import { type Channel, FAREWELLS, UNADDRESSED } from './outbox.ts'
import { type Retry, UNCONFIRMED_WAIT_MS } from './retries.ts'

/** The end of a claim: the message was sent, nobody wants it any more, or the rule after a fault. */
export interface Outcome extends Omit<Retry, 'state' | 'counts'> {
  readonly state: OutboxState
  readonly counts?: Retry['counts']
  readonly nowMs: number
  /** Where it went. */
  readonly recipient?: string | undefined
  /** Safe to keep: no code, no secret. */
  readonly error?: string | undefined
}

/** Ends a claim by its outcome; false, and nothing written, when another worker has the message. */
export async function writeOutcome(tx: Tx, claim: Claim, outcome: Outcome): Promise<boolean> {
  const written = await tx
    .updateTable('outbox')
    .set({ ...columnsOf(claim.kind, outcome), claimed_until: null })
    .where('id', '=', claim.id)
    .where('claims', '=', claim.claims)
    .where('finished_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return written !== undefined
}

/** The transport works again: second copies that wait for it are due now, also those of other workers. */
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
        // A recipient's side that asked for time gets it.
        .where('refusals', '=', 0)
        .forUpdate()
        .skipLocked(),
    )
    .execute()
}

/**
 * A message that had failed waits again, due now, with its counts at nothing; false when there is none
 * that had. Only those keep what is needed to make the message.
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
    .returning('id')
    .executeTakeFirst()
  return revived !== undefined
}

function columnsOf(kind: string, outcome: Outcome) {
  const { state, dueMs, counts, nowMs, recipient, error } = outcome
  const ended = state !== 'waiting'
  // However it ended, nothing is kept of somebody whose account is gone.
  const forgotten = ended && FAREWELLS.includes(kind)
  const blanked = forgotten || state === 'sent' || state === 'dropped'
  return {
    state,
    ...counts,
    ...(dueMs === undefined ? {} : { due_at: toIso(dueMs) }),
    ...(ended ? { finished_at: toIso(nowMs) } : {}),
    ...(recipient === undefined ? {} : { recipient }),
    ...(forgotten || UNADDRESSED.includes(kind) ? { recipient: null } : {}),
    ...(blanked ? { payload: '{}' } : {}),
    last_error: forgotten ? null : (error ?? null),
  }
}
