import type { Db, Tx } from '../database/connect.ts'
import { newId } from '../lib/random.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../lib/units.ts'

/** What each kind of mail needs; addresses and ids, never a code or a token. */
export interface OutboxPayloads {
  verification: { signUpId: string }
  verification_again: { signUpId: string }
  repeat_verification: { email: string; signUpId: string | null }
  already_registered: { email: string }
  session_replayed: { userId: number; endedAt: string; ip: string | null; userAgent: string | null }
}
export type MailKind = keyof OutboxPayloads

/** A mail that this process holds until `claimed_until`. */
export interface ClaimedMail {
  readonly id: string
  readonly kind: string
  readonly payload: string
  readonly claims: number
}

interface EnqueueOptions {
  readonly nowMs: number
  /** Canonical address; counts against the limits per address. */
  readonly email?: string
}

/** How long a claim lasts: what the console can take. */
const CLAIM_MS = 2 * SECOND_MS
/** After a failed try; doubled by each further one. */
const BACKOFF_MS = 5 * SECOND_MS
const BACKOFF_MAX_MS = 5 * MINUTE_MS
/** Others leave a new mail to the process that wrote it, which was woken, for this long. */
const POLL_DELAY_MS = 2 * SECOND_MS

export const REPEATS_PER_HOUR = 5
const REPEAT_PAUSE_MS = MINUTE_MS

/** A mail that is sent if and only if `tx` commits. */
export async function enqueueMail<Kind extends MailKind>(
  tx: Tx,
  kind: Kind,
  payload: OutboxPayloads[Kind],
  { nowMs, email }: EnqueueOptions,
): Promise<void> {
  const now = toIso(nowMs)
  await tx
    .insertInto('outbox')
    .values({
      id: newId(),
      kind,
      email_canonical: email ?? null,
      payload: JSON.stringify(payload),
      created_at: now,
      due_at: now,
      claimed_until: null,
      claims: 0,
      finished_at: null,
    })
    .execute()
}

/** Mails of these kinds written for an address since a time. */
export async function countMailsTo(
  db: Db,
  kinds: readonly MailKind[],
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
 * Claims the mail that has been due longest. `woken`: also what was written just now; otherwise
 * only what its writer has left lying. Two callers never hold the same claim.
 */
export async function claimMail(
  tx: Tx,
  { nowMs, woken }: { nowMs: number; woken: boolean },
): Promise<ClaimedMail | undefined> {
  const now = toIso(nowMs)
  const due = await tx
    .selectFrom('outbox')
    .select(['id', 'kind', 'payload', 'claims'])
    .where('finished_at', 'is', null)
    .where('due_at', '<=', toIso(woken ? nowMs : nowMs - POLL_DELAY_MS))
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<=', now)]))
    .orderBy('due_at')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
  if (due === undefined) return undefined
  const claims = due.claims + 1
  await tx
    .updateTable('outbox')
    .set({ claims, claimed_until: toIso(nowMs + CLAIM_MS) })
    .where('id', '=', due.id)
    .execute()
  return { ...due, claims }
}

/** Ends a mail, sent or no longer wanted. Does nothing for a worker whose claim was taken over. */
export async function finishMail(tx: Tx, mail: ClaimedMail, nowMs: number): Promise<void> {
  await tx
    .updateTable('outbox')
    .set({ finished_at: toIso(nowMs), claimed_until: null, payload: '{}' })
    .where('id', '=', mail.id)
    .where('claims', '=', mail.claims)
    .where('finished_at', 'is', null)
    .execute()
}

/** Gives a mail back to be tried later, each time later than before. */
export async function postponeMail(tx: Tx, mail: ClaimedMail, nowMs: number): Promise<void> {
  const backoffMs = Math.min(BACKOFF_MS * 2 ** Math.min(mail.claims - 1, 20), BACKOFF_MAX_MS)
  await tx
    .updateTable('outbox')
    .set({ due_at: toIso(nowMs + backoffMs), claimed_until: null })
    .where('id', '=', mail.id)
    .where('claims', '=', mail.claims)
    .where('finished_at', 'is', null)
    .execute()
}

/** Drops what waits for an address and what is remembered of it. */
export async function forgetAddress(tx: Tx, email: string): Promise<void> {
  await tx.deleteFrom('outbox').where('email_canonical', '=', email).execute()
}
