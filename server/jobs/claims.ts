import type { Tx } from '../database/connect.ts'
import type { OutboxState } from '../database/schema.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS, toIso } from '../lib/units.ts'
import { type Channel, FAREWELLS } from './outbox.ts'

/** A message that this process holds until `untilMs`. */
export interface Claim {
  readonly id: string
  readonly kind: string
  readonly channel: Channel
  readonly payload: string
  /** Counts claims and fences: only the newest one can settle the message. */
  readonly claims: number
  readonly refusals: number
  readonly unconfirmed: number
  readonly untilMs: number
}

interface ClaimOptions {
  readonly channel: Channel
  /** Those that this program can make: a newer one may run beside it, and knows more. */
  readonly kinds: readonly string[]
  readonly nowMs: number
  /** How long the claim lasts. */
  readonly claimMs: number
  /** Also what was written just now; otherwise only what its writer has left lying. */
  readonly woken: boolean
  /** Ids to be passed over. */
  readonly except?: readonly string[]
}

/** Others leave a new message to the process that wrote it, which was woken, for this long. */
const POLL_DELAY_MS = 2 * SECOND_MS
/** From this many on, a message whose workers end is suspected of ending them. */
const CRASHES_SUSPECT = 3
const CRASHES_MAX = 10
const CRASH_DELAY_MS = 10 * SECOND_MS
/** Messages that one claim may set aside before it gives up for now. */
const ASIDE_MAX = 20

/** After the first, second … `later`: eight tries over 24 hours. */
const LATER_MS = [5, 15, 40, 60, 4 * 60, 6 * 60, 12 * 60].map((minutes) => minutes * MINUTE_MS)
export const LATER_TRIES = LATER_MS.length + 1
/** Long enough for a server that hung to come back: the second copy is the last. */
const UNCONFIRMED_DELAY_MS = 30 * SECOND_MS
const UNCONFIRMED_MAX = 2

/**
 * Claims the message that has been due longest. Two callers never hold the same claim. One whose
 * worker ended with it in hand is claimed again; from the third time on it waits longer and longer,
 * and the tenth is its last.
 */
export async function claimMessage(tx: Tx, options: ClaimOptions): Promise<Claim | undefined> {
  const { nowMs, claimMs } = options
  for (let aside = 0; aside < ASIDE_MAX; aside++) {
    const due = await findDue(tx, options)
    if (due === undefined) return undefined
    const crashed = due.claimed_until !== null
    const crashes = due.crashes + (crashed ? 1 : 0)
    if (crashed && crashes >= CRASHES_SUSPECT) {
      await setAside(tx, due, crashes, nowMs)
      continue
    }
    const claims = due.claims + 1
    const untilMs = nowMs + claimMs
    await tx
      .updateTable('outbox')
      .set({ claims, crashes, claimed_until: toIso(untilMs) })
      .where('id', '=', due.id)
      .execute()
    const { id, kind, channel, payload, refusals, unconfirmed } = due
    return { id, kind, channel, payload, refusals, unconfirmed, claims, untilMs }
  }
  return undefined
}

function findDue(tx: Tx, { channel, kinds, nowMs, woken, except = [] }: ClaimOptions) {
  const now = toIso(nowMs)
  let query = tx
    .selectFrom('outbox')
    .select(['id', 'kind', 'channel', 'payload', 'claims', 'refusals', 'crashes', 'unconfirmed'])
    .select('claimed_until')
    .where('finished_at', 'is', null)
    .where('channel', '=', channel)
    .where('kind', 'in', kinds)
    .where('due_at', '<=', toIso(woken ? nowMs : nowMs - POLL_DELAY_MS))
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<=', now)]))
  if (except.length > 0) query = query.where('id', 'not in', except)
  return query.orderBy('due_at').limit(1).forUpdate().skipLocked().executeTakeFirst()
}

/** Counting up `claims` fences whoever still believes that it holds the message. */
async function setAside(
  tx: Tx,
  { id, kind }: Pick<Claim, 'id' | 'kind'>,
  crashes: number,
  nowMs: number,
): Promise<void> {
  const last = crashes >= CRASHES_MAX
  await tx
    .updateTable('outbox')
    .set((eb) => ({
      crashes,
      claims: eb('claims', '+', 1),
      claimed_until: null,
      last_error: `${crashes} workers ended with this message in hand`,
      ...(last
        ? { ...failed('dead', nowMs), ...forgotten(kind) }
        : { due_at: toIso(nowMs + crashes * CRASH_DELAY_MS) }),
    }))
    .where('id', '=', id)
    .execute()
}

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
  return settle(tx, claim, {
    ...told(tried),
    ...(waitMs === undefined ? {} : { due_at: toIso(nowMs + waitMs) }),
  })
}

/** To be tried again later, each time later than before; `dead` after `triesMax` such tries. */
export function postponeMessage(
  tx: Tx,
  claim: Claim,
  tried: Try & { readonly triesMax: number },
): Promise<boolean> {
  const refusals = claim.refusals + 1
  const waitMs = LATER_MS[refusals - 1] ?? DAY_MS
  return settle(tx, claim, {
    ...told(tried),
    refusals,
    ...(refusals >= tried.triesMax
      ? failed('dead', tried.nowMs)
      : { due_at: toIso(tried.nowMs + waitMs) }),
  })
}

/** It was handed over whole, and nobody confirmed it: once more in 30 s, and never a third copy. */
export function repeatUnconfirmed(tx: Tx, claim: Claim, tried: Try): Promise<boolean> {
  const unconfirmed = claim.unconfirmed + 1
  return settle(tx, claim, {
    ...told(tried),
    unconfirmed,
    ...(unconfirmed >= UNCONFIRMED_MAX
      ? failed('dead', tried.nowMs)
      : { due_at: toIso(tried.nowMs + UNCONFIRMED_DELAY_MS) }),
  })
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
    })
    .where('id', '=', id)
    .where('state', 'in', ['dead', 'bounced'])
    .returning('id')
    .executeTakeFirst()
  return revived !== undefined
}

type Settled = Partial<
  Record<'recipient' | 'last_error' | 'finished_at', string | null> &
    Record<'due_at' | 'payload', string> &
    Record<'refusals' | 'unconfirmed', number>
> & { readonly state?: OutboxState }

function told({ recipient, error }: Try): Settled {
  return { ...(recipient === undefined ? {} : { recipient }), last_error: error ?? null }
}

function failed(state: 'dead' | 'bounced', nowMs: number): Settled {
  return { state, finished_at: toIso(nowMs) }
}

/** However it ended, nothing is kept of somebody whose account is gone. */
function forgotten(kind: string): Settled {
  return FAREWELLS.includes(kind) ? { payload: '{}', recipient: null, last_error: null } : {}
}

async function settle(tx: Tx, claim: Claim, values: Settled): Promise<boolean> {
  const ends = values.state !== undefined
  const settled = await tx
    .updateTable('outbox')
    .set({ ...values, ...(ends ? forgotten(claim.kind) : {}), claimed_until: null })
    .where('id', '=', claim.id)
    .where('claims', '=', claim.claims)
    .where('finished_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return settled !== undefined
}
