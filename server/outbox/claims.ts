import { type Query, run, type Statement, type Tx } from '../database/connect.ts'
import { MINUTE_MS, SECOND_MS, toIso } from '../lib/units.ts'
import type { Channel, Kind, Kinds } from './kind.ts'
import { type Line, placesFor } from './lines.ts'
import { writeOutcome } from './outcomes.ts'
import { afterFault, type Counts } from './retries.ts'

/** A message that this process has claimed until `untilMs`. */
export interface Claim extends Counts {
  readonly id: string
  readonly kind: string
  readonly traits: Kind
  readonly channel: Channel
  readonly payload: string
  readonly due_at: string
  /** The number of claims, a fencing token: only the newest claim can write the outcome. */
  readonly claims: number
  readonly untilMs: number
}

interface ClaimOptions {
  readonly channel: Channel
  /** The kinds that this version knows; a newer version may run in parallel. */
  readonly kinds: Kinds
  readonly nowMs: number
  readonly claimMs: number
  /** Include messages younger than POLL_DELAY_MS. */
  readonly woken: boolean
  /** The number of this claim in its process, which decides whose turn it is; without it, who is due longest. */
  readonly round?: number | undefined
  /** Exclude messages during which a worker ended. */
  readonly unsuspected?: boolean
  /** Exclude messages of which a copy may have arrived. */
  readonly uncopied?: boolean
}

/** Other processes leave a new message to the process that wrote it for this long. */
const POLL_DELAY_MS = 2 * SECOND_MS
/** Twice the longest claim; later ends come from a clock that ran ahead and are ignored. */
const CLAIM_MAX_MS = 2 * MINUTE_MS
/** Bounds the dead messages per transaction. */
const GIVEN_UP_MAX = 20

/**
 * Claims the message that has been due longest of those whose turn it is, exclusively. After a crash of its
 * worker a message is claimed again when the claim expires; after the third crash it is `dead`.
 */
export async function claimMessage(tx: Tx, options: ClaimOptions): Promise<Claim | undefined> {
  const { nowMs, claimMs } = options
  for (let givenUp = 0; givenUp < GIVEN_UP_MAX; givenUp++) {
    const due = await findDue(tx, options)
    if (due === undefined) return undefined
    const { claimed_until, ...row } = due
    const message = { ...row, traits: traitsOf(options.kinds, row.kind) }
    const untilMs = nowMs + claimMs
    const crash = claimed_until === null ? undefined : afterFault('crash', message, { nowMs })
    if (crash?.state === 'dead') {
      const error = `${crash.counts.crashes} workers ended while they held this message`
      await writeOutcome(tx, { ...message, untilMs }, { ...crash, nowMs, error })
      continue
    }
    const claim = { ...message, ...crash?.counts, claims: message.claims + 1, untilMs }
    const { id, claims, crashes } = claim
    await run(tx, writeClaim, { id, claims, crashes, until: toIso(untilMs) })
    return claim
  }
  return undefined
}

const writeClaim: Statement<
  { id: string; claims: number; crashes: number; until: string },
  unknown
> = {
  name: 'write_claim',
  build: (tx, { id, claims, crashes, until }) =>
    tx.updateTable('outbox').set({ claims, crashes, claimed_until: until }).where('id', '=', id),
}

/** One small query for each place: no index has messages that are due and their turn in one order. */
async function findDue(tx: Tx, options: ClaimOptions) {
  const { channel, kinds, nowMs, round } = options
  const times = {
    channel,
    due: dueBefore(options),
    now: toIso(nowMs),
    latest: toIso(nowMs + CLAIM_MAX_MS),
  }
  if (round === undefined) return longestDue(tx, options, times).executeTakeFirst()
  // Most polls find nothing.
  if ((await run(tx, anyDue, { channel, due: times.due })).length === 0) return undefined
  const inPlace = dueInPlace(options)
  for (const place of placesFor(round, kinds)) {
    const [due] = await run(tx, inPlace, { ...times, ...place })
    if (due !== undefined) return due
  }
  return undefined
}

const anyDue: Query<{ channel: Channel; due: string }, { id: string }> = {
  name: 'any_due',
  build: (db, { channel, due }) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('finished_at', 'is', null)
      .where('channel', '=', channel)
      .where('due_at', '<=', due)
      .orderBy('due_at')
      .limit(1),
}

interface Due extends Omit<Claim, 'traits' | 'untilMs'> {
  readonly claimed_until: string | null
}
type DueInPlace = Statement<Times & { readonly line: Line; readonly turn: number }, Due>
/** By the kinds, which the quota narrows, and the exclusions. */
const dueInPlaces = new Map<string, DueInPlace>()

function dueInPlace({ kinds, unsuspected = false, uncopied = false }: ClaimOptions): DueInPlace {
  const variant = `${Object.keys(kinds).join()} ${unsuspected} ${uncopied}`
  const known = dueInPlaces.get(variant)
  if (known !== undefined) return known
  const made: DueInPlace = {
    name: `due_in_place_${dueInPlaces.size}`,
    build: (tx, { line, turn, ...times }) =>
      longestDue(tx, { kinds, unsuspected, uncopied }, times)
        .where('line', '=', line)
        .where('turn', '=', turn),
  }
  dueInPlaces.set(variant, made)
  return made
}

type Times = Readonly<Record<'due' | 'now' | 'latest', string>> & { readonly channel: Channel }

function longestDue(
  tx: Tx,
  options: Pick<ClaimOptions, 'kinds' | 'unsuspected' | 'uncopied'>,
  { channel, due, now, latest }: Times,
) {
  const { kinds, unsuspected = false, uncopied = false } = options
  let query = tx
    .selectFrom('outbox')
    .select(['id', 'kind', 'channel', 'payload', 'due_at', 'claims', 'refusals', 'crashes'])
    .select(['unconfirmed', 'bugs', 'first_failed_at', 'claimed_until'])
    .where('finished_at', 'is', null)
    .where('channel', '=', channel)
    .where('kind', 'in', Object.keys(kinds))
    .where('due_at', '<=', due)
    .where((eb) =>
      eb.or([
        eb('claimed_until', 'is', null),
        eb('claimed_until', '<=', now),
        eb('claimed_until', '>', latest),
      ]),
    )
  if (unsuspected) query = query.where('claimed_until', 'is', null).where('crashes', '=', 0)
  if (uncopied) query = query.where('unconfirmed', '=', 0)
  return query.orderBy('due_at').limit(1).forUpdate().skipLocked()
}

const dueBefore = ({ woken, nowMs }: ClaimOptions) => toIso(woken ? nowMs : nowMs - POLL_DELAY_MS)

function traitsOf(kinds: Kinds, name: string): Kind {
  const kind = kinds[name]
  if (kind === undefined) throw new Error(`claimed a message of an unknown kind: ${name}`)
  return kind
}
