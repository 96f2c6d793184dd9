import { type ExpressionBuilder, sql } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { Schema } from '../database/schema.ts'
import { newId } from '../lib/random.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import type { Channel, KindName, OutboxPayloads } from './kind.ts'
import { deleteBefore } from '../database/delete-before.ts'

export interface EnqueueOptions {
  readonly nowMs: number
  /** Canonical address, or what stands for it; counts against the limits per address. */
  readonly email?: string
  /** Whose message it is: what it names is blanked when that user goes. */
  readonly userId?: number
  /** Now, if left out. */
  readonly dueAtMs?: number
  /** Mail, if left out. */
  readonly channel?: Channel
}

type Outbox = ExpressionBuilder<Schema, 'outbox'>

/** What is left of a message whose recipient is to be forgotten. */
const BLANK = { recipient: null, payload: '{}', last_error: null }

export const REPEATS_PER_HOUR = 5
const REPEAT_PAUSE_MS = MINUTE_MS

/** A message that is sent if and only if `tx` commits. */
export async function enqueueMessage<Kind extends KindName>(
  tx: Tx,
  kind: Kind,
  payload: OutboxPayloads[Kind],
  { nowMs, email, userId, dueAtMs = nowMs, channel = 'mail' }: EnqueueOptions,
): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      id: newId(),
      kind,
      channel,
      email_canonical: email ?? null,
      user_id: userId ?? null,
      payload: JSON.stringify(payload),
      created_at: toIso(nowMs),
      due_at: toIso(dueAtMs),
      claims: 0,
    })
    .execute()
}

/** An address, known or not, or a user, whatever the address. */
type CountedBy = { readonly email: string } | { readonly userId: number }

/** Messages of these kinds written since a time. */
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

/** True when one more message that was asked for may be written: 60 s apart, and five an hour. */
export async function mayRepeat(
  db: Db,
  kind: KindName,
  { nowMs, ...by }: CountedBy & { readonly nowMs: number },
): Promise<boolean> {
  const count = (sinceMs: number) => countMessages(db, [kind], { ...by, sinceMs })
  if ((await count(nowMs - REPEAT_PAUSE_MS)) > 0) return false
  return (await count(nowMs - HOUR_MS)) < REPEATS_PER_HOUR
}

/** True when the same was asked for once more, for the same address: only the newest is worth a mail. */
export async function isMailSuperseded<Kind extends KindName>(
  db: Db,
  kind: Kind,
  { payload, email, atMs }: { payload: OutboxPayloads[Kind]; email: string; atMs: number },
): Promise<boolean> {
  const at = toIso(atMs)
  const newer = await db
    .selectFrom('outbox')
    .select('id')
    .where('email_canonical', '=', email)
    .where('kind', '=', kind)
    .where('created_at', '>=', at)
    .where((eb) => {
      // Of those of one millisecond any will do, as long as all workers mean the same one.
      const own = eb
        .selectFrom('outbox as own')
        .select(({ fn }) => fn.max('own.id').as('id'))
        .where('own.email_canonical', '=', email)
        .where('own.kind', '=', kind)
        .where('own.created_at', '=', at)
        .where('own.payload', '=', JSON.stringify(payload))
      return eb.or([eb('created_at', '>', at), eb('id', '>', own)])
    })
    .limit(1)
    .executeTakeFirst()
  return newer !== undefined
}

/** An account took the place of another of the same address: what was mailed to one goes with the other. */
export async function adoptMessages(
  tx: Tx,
  { from, to }: { from: number; to: number },
): Promise<void> {
  await tx.updateTable('outbox').set({ user_id: to }).where('user_id', '=', from).execute()
}

/** Messages that count against the limit of their address, whatever becomes of its account. */
export interface Counted {
  readonly kinds: readonly KindName[]
  readonly sinceMs: number
}

/**
 * Blanks everything that the outbox holds of users who are deleted, and sends them nothing more: what
 * waited or had failed is dropped. The rows stay, so that the numbers add up. Those that are `counted`
 * still count for their address, and those that name what stands for one, until `forgetStrangers`.
 */
export async function forgetMessagesOf(
  tx: Tx,
  users: readonly { readonly id: number; readonly email_canonical: string }[],
  nowMs: number,
  counted?: Counted,
): Promise<void> {
  if (users.length === 0) return
  const ids = users.map((user) => user.id)
  const emails = users.map((user) => user.email_canonical)
  // By address only what is nobody's by id: who had it before keeps what was written then.
  const theirs = (eb: Outbox) =>
    eb.or([
      eb('user_id', 'in', ids),
      eb.and([eb('user_id', 'is', null), eb('email_canonical', 'in', emails)]),
    ])
  const stillCounts = (eb: Outbox) => {
    // What stands for an address in a limit names nobody, and has no @.
    const nameless = eb(eb.fn.coalesce('email_canonical', sql<string>`'@'`), 'not like', '%@%')
    if (counted === undefined) return nameless
    const recent = eb('created_at', '>', toIso(counted.sinceMs))
    const kept = [eb('kind', 'in', counted.kinds), eb('email_canonical', 'in', emails), recent]
    return eb.or([nameless, eb.and(kept)])
  }
  await tx
    .updateTable('outbox')
    .set({ state: 'dropped', finished_at: toIso(nowMs), claimed_until: null })
    .where('state', 'in', ['waiting', 'bounced', 'dead'])
    .where(theirs)
    .execute()
  await tx
    .updateTable('outbox')
    .set({ ...BLANK, email_canonical: null })
    .where(theirs)
    .where((eb) => eb.not(stillCounts(eb)))
    .execute()
  const nobodys = { ...BLANK, user_id: null }
  await tx.updateTable('outbox').set(nobodys).where(theirs).where(stillCounts).execute()
}

/** Makes a user's what was written for an address that the user leaves: it is forgotten with the user. */
export async function adoptMessagesTo(tx: Tx, email: string, userId: number): Promise<void> {
  await tx
    .updateTable('outbox')
    .set({ user_id: userId })
    .where('email_canonical', '=', email)
    .where('user_id', 'is', null)
    .execute()
}

/** Blanks at most `limit` addresses that belong to no user, of ended messages written before a time; returns how many. */
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

/** Blanks the number that text messages to a user went to; what waits or had failed is dropped. */
export async function forgetTextsOf(tx: Tx, userId: number, nowMs: number): Promise<void> {
  await tx
    .updateTable('outbox')
    .set({ state: 'dropped', finished_at: toIso(nowMs), claimed_until: null })
    .where('user_id', '=', userId)
    .where('channel', '=', 'sms')
    .where('state', 'in', ['waiting', 'bounced', 'dead'])
    .execute()
  await tx
    .updateTable('outbox')
    .set(BLANK)
    .where('user_id', '=', userId)
    .where('channel', '=', 'sms')
    .execute()
}

/** Deletes at most `limit` messages that ended before a time, however they did; returns how many. */
export function deleteMessagesFinishedBefore(
  tx: Tx,
  before: string,
  limit: number,
): Promise<number> {
  return deleteBefore(tx, ['outbox', 'finished_at'], { before, limit })
}
