import { type Selectable, sql } from 'kysely'
import { type Db, type Query, run, type Statement, type Tx } from '../database/connect.ts'
import type { OutboxTable } from '../database/schema.ts'
import { newId } from '../lib/random.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import type { Channel, KindName, OutboxPayloads } from './kind.ts'
import { isReplaced, type Line, LINES, TURN_MAX, turnAfter, WAITING_MAX } from './lines.ts'
import { deleteBefore } from '../database/delete-before.ts'

export interface EnqueueOptions {
  readonly nowMs: number
  /** Canonical address, or an HMAC of it; counts towards the limits per address. */
  readonly email?: string
  /** The user that the message belongs to; deleting the user blanks it. */
  readonly userId?: number
  /** Default: now. */
  readonly dueAtMs?: number
  /** Default: mail. */
  readonly channel?: Channel
}

/** The columns of a message whose recipient is erased. */
export const BLANK = { recipient: null, payload: '{}', last_error: null }

/** An admin can resend `bounced` and `dead` messages, so these have not ended either. */
export const UNENDED = ['waiting', 'bounced', 'dead'] as const

export const REPEATS_PER_HOUR = 5
const REPEAT_PAUSE_MS = MINUTE_MS
const NOTICES_PER_HOUR = 5

/**
 * Enqueues a message, which is sent if and only if `tx` commits. A repeated notice replaces the one that
 * still waits; the caller holds the user's lock, so that there is one.
 */
export async function enqueueMessage<Kind extends KindName>(
  tx: Tx,
  kind: Kind,
  payload: OutboxPayloads[Kind],
  options: EnqueueOptions,
): Promise<void> {
  const { nowMs, email, userId, dueAtMs = nowMs, channel = 'mail' } = options
  const text = JSON.stringify(payload)
  if (isReplaced(kind) && (await replaceWaiting(tx, kind, { ...options, payload: text }))) return
  const line = LINES[kind]
  await run(tx, insertMessage, {
    id: newId(),
    kind,
    channel,
    line,
    turn: await turnOf(tx, line, options),
    email_canonical: email ?? null,
    user_id: userId ?? null,
    payload: text,
    created_at: toIso(nowMs),
    due_at: toIso(dueAtMs),
  })
}

type NewMessage = Pick<
  Selectable<OutboxTable>,
  | 'id'
  | 'kind'
  | 'channel'
  | 'line'
  | 'turn'
  | 'email_canonical'
  | 'user_id'
  | 'payload'
  | 'created_at'
  | 'due_at'
>

const insertMessage: Statement<NewMessage, unknown> = {
  name: 'insert_message',
  build: (tx, message) => tx.insertInto('outbox').values({ ...message, claims: 0 }),
}

/** Puts newer facts into the notice that waits, unless a worker has claimed it; true if there was one. */
async function replaceWaiting(
  tx: Tx,
  kind: KindName,
  { payload, userId, email }: EnqueueOptions & { readonly payload: string },
): Promise<boolean> {
  if (userId === undefined) return false
  const replaced = await tx
    .updateTable('outbox')
    .set({ payload })
    .where('user_id', '=', userId)
    .where('line', '=', LINES[kind])
    .where('finished_at', 'is', null)
    .where('kind', '=', kind)
    .where((eb) =>
      email === undefined ? eb('email_canonical', 'is', null) : eb('email_canonical', '=', email),
    )
    .where('claims', '=', 0)
    .returning('id')
    .executeTakeFirst()
  return replaced !== undefined
}

/** The turn of a new message by how many of its owner wait in the line: a user, or an address without one. */
async function turnOf(
  tx: Tx,
  line: Line,
  { nowMs, dueAtMs = nowMs, userId, email }: EnqueueOptions,
): Promise<number> {
  // A reminder has time.
  if (dueAtMs > nowMs) return TURN_MAX
  if (userId === undefined && email === undefined) return 0
  const waiting = { line, now: toIso(nowMs) }
  const rows =
    userId === undefined
      ? await run(tx, waitingForAddress, { ...waiting, email: email ?? '' })
      : await run(tx, waitingForUser, { ...waiting, userId })
  return turnAfter(rows.length)
}

const waitingForAddress: Query<{ line: Line; now: string; email: string }, unknown> = {
  name: 'waiting_for_address',
  build: (db, { line, now, email }) =>
    waitingIn(db, line, now).where('user_id', 'is', null).where('email_canonical', '=', email),
}

const waitingForUser: Query<{ line: Line; now: string; userId: number }, unknown> = {
  name: 'waiting_for_user',
  build: (db, { line, now, userId }) => waitingIn(db, line, now).where('user_id', '=', userId),
}

/** At most as many as matter. */
function waitingIn(db: Db, line: Line, now: string) {
  return db
    .selectFrom('outbox')
    .select('id')
    .where('line', '=', line)
    .where('finished_at', 'is', null)
    .where('due_at', '<=', now)
    .limit(WAITING_MAX)
}

/** Counted per address, known or not, or per user over all addresses. */
type CountedBy = { readonly email: string } | { readonly userId: number }

/** Counts messages of these kinds created since a time. */
export async function countMessages(
  db: Db,
  kinds: readonly KindName[],
  { sinceMs, ...by }: CountedBy & { readonly sinceMs: number },
): Promise<number> {
  const { count } = await db
    .selectFrom('outbox')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where((eb) =>
      'email' in by ? eb('email_canonical', '=', by.email) : eb('user_id', '=', by.userId),
    )
    .where('kind', 'in', kinds)
    .where('created_at', '>', toIso(sinceMs))
    .executeTakeFirstOrThrow()
  return count
}

/** True when another requested message is allowed: 60 s apart, and five an hour. */
export async function mayRepeat(
  db: Db,
  kind: KindName,
  { nowMs, ...by }: CountedBy & { readonly nowMs: number },
): Promise<boolean> {
  const count = (sinceMs: number) => countMessages(db, [kind], { ...by, sinceMs })
  if ((await count(nowMs - REPEAT_PAUSE_MS)) > 0) return false
  return (await count(nowMs - HOUR_MS)) < REPEATS_PER_HOUR
}

/** True when another notice of this kind is allowed: five an hour. */
export async function mayNotify(
  db: Db,
  kind: KindName,
  { nowMs, ...by }: CountedBy & { readonly nowMs: number },
): Promise<boolean> {
  return (await countMessages(db, [kind], { ...by, sinceMs: nowMs - HOUR_MS })) < NOTICES_PER_HOUR
}

/** Drops the messages of a kind for an address that have not been sent, and those that have failed. */
export async function dropWaiting(
  tx: Tx,
  kind: KindName,
  { email, nowMs }: { email: string; nowMs: number },
): Promise<void> {
  await drop(tx, nowMs).where('email_canonical', '=', email).where('kind', '=', kind).execute()
}

function drop(tx: Tx, nowMs: number) {
  return tx
    .updateTable('outbox')
    .set({ state: 'dropped', finished_at: toIso(nowMs), claimed_until: null })
    .where('state', 'in', UNENDED)
}

/** Blanks the address of at most `limit` finished messages without a user, created before a time. */
export async function forgetStrangers(tx: Tx, before: string, limit: number): Promise<number> {
  const forgotten = await tx
    .updateTable('outbox')
    .set({ ...BLANK, email_canonical: null })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('user_id', 'is', null)
        .where('recipient', 'is', null)
        .where('email_canonical', 'is not', null)
        .where('finished_at', 'is not', null)
        .where('created_at', '<', before)
        .orderBy('created_at')
        .limit(limit),
    )
    .returning('id')
    .execute()
  return forgotten.length
}

/** Blanks the phone number in a user's text messages and drops those that wait or have failed. */
export async function forgetTextsOf(tx: Tx, userId: number, nowMs: number): Promise<void> {
  // Literal: SQLite uses a partial index only for the exact condition of its definition.
  const isText = sql<boolean>`channel = 'sms'`
  await drop(tx, nowMs).where('user_id', '=', userId).where(isText).execute()
  await tx.updateTable('outbox').set(BLANK).where('user_id', '=', userId).where(isText).execute()
}

/** Deletes at most `limit` messages that finished before a time, in any state; returns their number. */
export function deleteMessagesFinishedBefore(
  tx: Tx,
  before: string,
  limit: number,
): Promise<number> {
  return deleteBefore(tx, ['outbox', 'finished_at'], { before, limit })
}
