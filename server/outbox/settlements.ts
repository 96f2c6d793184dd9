import type { Tx } from '../database/connect.ts'
import type { OutboxState } from '../database/schema.ts'
import { DAY_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import type { Claim } from './claims.ts'
import { type Channel, FAREWELLS, UNADDRESSED } from './outbox.ts'

/** After the first, second … `later`: eight tries over 24 hours. */
const LATER_MS = [5, 15, 40, 60, 4 * 60, 6 * 60, 12 * 60].map((minutes) => minutes * MINUTE_MS)
const LATER_TRIES = LATER_MS.length + 1
/** Tries of a message that cannot be made: a bug of ours, mended by the next version or never. */
const BUG_TRIES = 3
const UNCONFIRMED_MAX = 2
/**
 * For a server that hangs to come back; its first success ends the wait. A second copy is the last, so
 * it is not for probing; a code by text message, which works for ten minutes, is still of use then.
 */
const UNCONFIRMED_WAIT_MS = 5 * MINUTE_MS
/** An outage that nobody saw over a weekend loses nothing; what a mail says is stale after that. */
const TRANSPORT_PATIENCE_MS = 3 * DAY_MS

/** What became of a try. Nothing is written for a worker whose claim was taken over. */
export interface Try {
  readonly nowMs: number
  /** Where it went. */
  readonly recipient?: string | undefined
  /** Safe to keep: no code, no secret. */
  readonly error?: string | undefined
}

/** Ends a message: sent, or no longer wanted by anybody. */
export function finishMessage(
  tx: Tx,
  claim: Claim,
  { nowMs, recipient, state }: Try & { readonly state: 'sent' | 'dropped' },
): Promise<boolean> {
  const to = recipient === undefined ? {} : { recipient }
  return settle(tx, claim, {
    ...to,
    state,
    finished_at: toIso(nowMs),
    payload: '{}',
    last_error: null,
  })
}

/** Ends a message that its recipient's side will never take; it is kept for an admin. */
export function bounceMessage(tx: Tx, claim: Claim, tried: Try): Promise<boolean> {
  return settle(tx, claim, { ...told(tried), ...failed('bounced', tried.nowMs) })
}

/** Gives a message back as it was: nothing was wrong with it. With `waitMs` it lets others go first. */
export function returnMessage(
  tx: Tx,
  claim: Claim,
  tried: Try & { readonly waitMs?: number },
): Promise<boolean> {
  const { nowMs, waitMs } = tried
  const wait = waitMs === undefined ? {} : { due_at: toIso(nowMs + waitMs) }
  return settle(tx, claim, { ...told(tried), ...wait })
}

/**
 * Gives back what the transport failed with, to the back of the line; that counts for nothing, but
 * after three days without a hand-over the message is `dead`.
 */
export function putOffMessage(
  tx: Tx,
  claim: Claim,
  tried: Try & { readonly waitMs: number },
): Promise<boolean> {
  const { nowMs, waitMs } = tried
  const first_failed_at = claim.first_failed_at ?? toIso(nowMs)
  const hopeless = nowMs - Date.parse(first_failed_at) >= TRANSPORT_PATIENCE_MS
  return settle(tx, claim, {
    ...told(tried),
    first_failed_at,
    ...(hopeless ? failed('dead', nowMs) : { due_at: toIso(nowMs + waitMs) }),
  })
}

/** The recipient's side asked for time: tried again, each time later than before, eight times in all. */
export function postponeMessage(tx: Tx, claim: Claim, tried: Try): Promise<boolean> {
  const refusals = claim.refusals + 1
  return settle(tx, claim, {
    ...told(tried),
    refusals,
    ...(refusals >= LATER_TRIES ? failed('dead', tried.nowMs) : later(refusals, tried)),
  })
}

/** It could not be made: tried again twice, later and later. */
export function setBugAside(tx: Tx, claim: Claim, tried: Try): Promise<boolean> {
  const bugs = claim.bugs + 1
  return settle(tx, claim, {
    ...told(tried),
    bugs,
    ...(bugs >= BUG_TRIES ? failed('dead', tried.nowMs) : later(bugs, tried)),
  })
}

/**
 * It was handed over whole, and nobody confirmed it: once more after the transport's next success, or
 * in five minutes, and never a third copy.
 */
export function repeatUnconfirmed(tx: Tx, claim: Claim, tried: Try): Promise<boolean> {
  const unconfirmed = claim.unconfirmed + 1
  return settle(tx, claim, {
    ...told(tried),
    unconfirmed,
    ...(unconfirmed >= UNCONFIRMED_MAX
      ? failed('dead', tried.nowMs)
      : { due_at: toIso(tried.nowMs + UNCONFIRMED_WAIT_MS) }),
  })
}

/** The transport works again: second copies that wait for it are due now, whoever sent the first. */
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
 * that had. Only those keep what is needed to make the message anew.
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

type Settled = Partial<
  Record<'recipient' | 'last_error' | 'finished_at', string | null> &
    Record<'due_at' | 'payload' | 'first_failed_at', string> &
    Record<'refusals' | 'unconfirmed' | 'bugs', number>
> & { readonly state?: OutboxState }

function told({ recipient, error }: Try): Settled {
  return { ...(recipient === undefined ? {} : { recipient }), last_error: error ?? null }
}

function later(times: number, { nowMs }: Try): Settled {
  return { due_at: toIso(nowMs + (LATER_MS[times - 1] ?? DAY_MS)) }
}

function failed(state: 'dead' | 'bounced', nowMs: number): Settled {
  return { state, finished_at: toIso(nowMs) }
}

/** However it ended, nothing is kept of somebody whose account is gone. */
export function ended(kind: string, values: Settled): Settled {
  const forgotten = { payload: '{}', recipient: null, last_error: null }
  return { ...values, ...(FAREWELLS.includes(kind) ? forgotten : {}) }
}

async function settle(tx: Tx, claim: Claim, values: Settled): Promise<boolean> {
  const whole = values.state === undefined ? values : ended(claim.kind, values)
  const changes = UNADDRESSED.includes(claim.kind) ? { ...whole, recipient: null } : whole
  const settled = await tx
    .updateTable('outbox')
    .set({ ...changes, claimed_until: null })
    .where('id', '=', claim.id)
    .where('claims', '=', claim.claims)
    .where('finished_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return settled !== undefined
}
