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
  readonly crashes: number
  readonly unconfirmed: number
  readonly bugs: number
  readonly first_failed_at: string | null
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
  /** None with which a worker ended. */
  readonly unsuspected?: boolean
  /** None of which a copy may have arrived. */
  readonly uncopied?: boolean
}

/** Others leave a new message to the process that wrote it, which was woken, for this long. */
const POLL_DELAY_MS = 2 * SECOND_MS
/** Twice the longest claim: one that ends later was made by a clock that ran ahead, and binds nobody. */
const CLAIM_MAX_MS = 2 * MINUTE_MS
/** So many workers that ended with it in hand, and a message is given up: it may be what ends them. */
const CRASHES_MAX = 3
/** Messages that one claim may give up before it leaves the rest to the next. */
const GIVEN_UP_MAX = 20

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

/**
 * Claims the message that has been due longest. Two callers never hold the same claim. One whose
 * worker ended with it in hand is claimed again once its claim has run out, but not after the third.
 */
export async function claimMessage(tx: Tx, options: ClaimOptions): Promise<Claim | undefined> {
  const { nowMs, claimMs } = options
  for (let givenUp = 0; givenUp < GIVEN_UP_MAX; givenUp++) {
    const due = await findDue(tx, options)
    if (due === undefined) return undefined
    const { claimed_until, ...message } = due
    const crashes = due.crashes + (claimed_until === null ? 0 : 1)
    const claims = due.claims + 1
    if (crashes >= CRASHES_MAX) {
      await quarantine(tx, { ...message, crashes, claims }, nowMs)
      continue
    }
    const untilMs = nowMs + claimMs
    await tx
      .updateTable('outbox')
      .set({ claims, crashes, claimed_until: toIso(untilMs) })
      .where('id', '=', due.id)
      .execute()
    return { ...message, crashes, claims, untilMs }
  }
  return undefined
}

function findDue(tx: Tx, options: ClaimOptions) {
  const { channel, kinds, nowMs, woken, unsuspected = false, uncopied = false } = options
  let query = tx
    .selectFrom('outbox')
    .select(['id', 'kind', 'channel', 'payload', 'claims', 'refusals', 'crashes', 'unconfirmed'])
    .select(['bugs', 'first_failed_at', 'claimed_until'])
    .where('finished_at', 'is', null)
    .where('channel', '=', channel)
    .where('kind', 'in', kinds)
    .where('due_at', '<=', toIso(woken ? nowMs : nowMs - POLL_DELAY_MS))
    .where((eb) =>
      eb.or([
        eb('claimed_until', 'is', null),
        eb('claimed_until', '<=', toIso(nowMs)),
        eb('claimed_until', '>', toIso(nowMs + CLAIM_MAX_MS)),
      ]),
    )
  if (unsuspected) query = query.where('claimed_until', 'is', null).where('crashes', '=', 0)
  if (uncopied) query = query.where('unconfirmed', '=', 0)
  return query.orderBy('due_at').limit(1).forUpdate().skipLocked().executeTakeFirst()
}

/** Counting up `claims` fences whoever still believes that it holds the message. */
async function quarantine(tx: Tx, message: Omit<Claim, 'untilMs'>, nowMs: number): Promise<void> {
  const { id, kind, crashes, claims } = message
  const last_error = `${crashes} workers ended with this message in hand`
  const dead = { ...failed('dead', nowMs), last_error, ...forgotten(kind) }
  await tx
    .updateTable('outbox')
    .set({ ...dead, crashes, claims, claimed_until: null })
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
