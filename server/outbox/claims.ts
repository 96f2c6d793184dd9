import type { Tx } from '../database/connect.ts'
import { MINUTE_MS, SECOND_MS, toIso } from '../lib/units.ts'
import type { Channel } from './outbox.ts'
import { writeOutcome } from './outcomes.ts'
import { afterFault, type Counts } from './retries.ts'

/** A message that this process holds until `untilMs`. */
export interface Claim extends Counts {
  readonly id: string
  readonly kind: string
  readonly channel: Channel
  readonly payload: string
  /** Counts claims and fences: only the newest one can write the outcome. */
  readonly claims: number
  readonly untilMs: number
}

interface ClaimOptions {
  readonly channel: Channel
  /** Those that this program can make: a newer one may run beside it, and knows more. */
  readonly kinds: readonly string[]
  readonly nowMs: number
  /** How long the claim lasts. */
  readonly claimMs: number
  /** Also messages that were written just now; otherwise only those that are POLL_DELAY_MS old. */
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
/** Messages that one claim may give up before it leaves the rest to the next. */
const GIVEN_UP_MAX = 20

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
    const untilMs = nowMs + claimMs
    const crash = claimed_until === null ? undefined : afterFault('crash', message, { nowMs })
    if (crash?.state === 'dead') {
      const error = `${crash.counts.crashes} workers ended with this message in hand`
      await writeOutcome(tx, { ...message, untilMs }, { ...crash, nowMs, error })
      continue
    }
    const claim = { ...message, ...crash?.counts, claims: message.claims + 1, untilMs }
    await tx
      .updateTable('outbox')
      .set({ claims: claim.claims, crashes: claim.crashes, claimed_until: toIso(untilMs) })
      .where('id', '=', claim.id)
      .execute()
    return claim
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
