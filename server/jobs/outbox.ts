import type { Db, Tx } from '../database/connect.ts'
import { newId } from '../lib/random.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'

/** What each kind of message needs; addresses and ids, never a code or a token. */
export interface OutboxPayloads {
  verification: { signUpId: string }
  verification_again: { signUpId: string }
  repeat_verification: { email: string; signUpId: string | null }
  already_registered: { email: string }
  session_replayed: { userId: number; endedAt: string; ip: string | null; userAgent: string | null }
  reminder: { userId: number }
  password_changed: { userId: number; at: string; ip: string | null; userAgent: string | null }
  account_deleted: Farewell
  phone_code: { phoneChangeId: string }
}

/** To somebody whose account is gone: nothing of it is left to look up. Blanked as soon as it ends. */
interface Farewell {
  to: string
  locale: string | null
  at: string
  ip: string | null
  userAgent: string | null
}
/** Kinds whose payload names who has no account any more. */
export const FAREWELLS: readonly string[] = ['account_deleted'] satisfies (keyof OutboxPayloads)[]

export type SmsKind = 'phone_code'
export type MailKind = Exclude<keyof OutboxPayloads, SmsKind>

/** How a message travels. Each channel has a delivery of its own: one that is down holds up no other. */
export type Channel = 'mail' | 'sms'

interface EnqueueOptions {
  readonly nowMs: number
  /** Canonical address; counts against the limits per address. */
  readonly email?: string
  /** Whose message it is: what it names is blanked when that user goes. */
  readonly userId?: number
  /** Now, if left out. */
  readonly dueAtMs?: number
  /** Mail, if left out. */
  readonly channel?: Channel
}

export const REPEATS_PER_HOUR = 5
const REPEAT_PAUSE_MS = MINUTE_MS

/** A message that is sent if and only if `tx` commits. */
export async function enqueueMail<Kind extends keyof OutboxPayloads>(
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

/** Messages of these kinds written for an address since a time. */
export async function countMailsTo(
  db: Db,
  kinds: readonly (keyof OutboxPayloads)[],
  email: string,
  sinceMs: number,
): Promise<number> {
  const { count } = await db
    .selectFrom('outbox')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('email_canonical', '=', email)
    .where('kind', 'in', kinds)
    .where('created_at', '>', toIso(sinceMs))
    .executeTakeFirstOrThrow()
  return count
}

/** True when an address, known or not, may ask for its mails again: 60 s apart and five an hour. */
export async function mayRepeatMail(db: Db, email: string, nowMs: number): Promise<boolean> {
  const kinds = ['repeat_verification'] as const
  if ((await countMailsTo(db, kinds, email, nowMs - REPEAT_PAUSE_MS)) > 0) return false
  return (await countMailsTo(db, kinds, email, nowMs - HOUR_MS)) < REPEATS_PER_HOUR
}

/**
 * True when a message has been due since `sinceMs` or longer and was not delivered. One that met no
 * refusal and was put off all the same waits for us or our transport, whenever it is due next.
 */
export async function isMailOverdue(db: Db, sinceMs: number): Promise<boolean> {
  const overdue = await db
    .selectFrom('outbox')
    .select('id')
    .where('finished_at', 'is', null)
    .where((eb) =>
      eb.or([
        eb('due_at', '<=', toIso(sinceMs)),
        eb.and([
          eb('created_at', '<=', toIso(sinceMs)),
          eb('refusals', '=', 0),
          eb('last_error', 'is not', null),
        ]),
      ]),
    )
    .limit(1)
    .executeTakeFirst()
  return overdue !== undefined
}

/**
 * Blanks everything that the outbox holds of users who are deleted, and sends them nothing more: what
 * waited or had failed is dropped. The rows stay, so that the numbers add up.
 */
export async function forgetMessagesOf(
  tx: Tx,
  users: readonly { readonly id: number; readonly email_canonical: string }[],
  nowMs: number,
): Promise<void> {
  if (users.length === 0) return
  const ids = users.map((user) => user.id)
  const emails = users.map((user) => user.email_canonical)
  const blank = { email_canonical: null, recipient: null, payload: '{}', last_error: null }
  await tx
    .updateTable('outbox')
    .set({ ...blank, state: 'dropped', finished_at: toIso(nowMs), claimed_until: null })
    .where('state', 'in', ['waiting', 'bounced', 'dead'])
    .where((eb) => eb.or([eb('user_id', 'in', ids), eb('email_canonical', 'in', emails)]))
    .execute()
  await tx
    .updateTable('outbox')
    .set(blank)
    .where((eb) => eb.or([eb('user_id', 'in', ids), eb('email_canonical', 'in', emails)]))
    .execute()
}

/** Deletes at most `limit` messages that ended before a time, however they did; returns how many. */
export async function deleteMessagesFinishedBefore(
  tx: Tx,
  before: string,
  limit: number,
): Promise<number> {
  const deleted = await tx
    .deleteFrom('outbox')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('finished_at', '<', before)
        .orderBy('finished_at')
        .limit(limit),
    )
    // Once more: an admin may have asked for it again while this statement waited.
    .where('finished_at', '<', before)
    .returning('id')
    .execute()
  return deleted.length
}
