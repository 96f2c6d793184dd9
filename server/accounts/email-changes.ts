import type { ExpressionBuilder, Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { EmailChangesTable, Schema } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import { type KeyRing, keySetOf, mac } from '../keys/key-ring.ts'
import { linkToken } from '../keys/links.ts'
import { newId } from '../lib/random.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'

export type EmailChangeRow = Selectable<EmailChangesTable>

/** Allows for slow mail, but six digits must not stay valid for long. */
const EMAIL_CODE_LIFETIME_MS = HOUR_MS
/** Covers a weekend: the old address stays reserved, and its owner can undo the change. */
const UNDO_LIFETIME_MS = 72 * HOUR_MS

const COLUMNS = [
  'id',
  'user_id',
  'email',
  'email_canonical',
  'old_email',
  'old_email_canonical',
  'key_id',
  'created_at',
  'expires_at',
  'confirmed_at',
  'undo_until',
  'undone_at',
] as const satisfies readonly (keyof EmailChangeRow)[]

interface Address {
  /** As typed. */
  readonly email: string
  readonly email_canonical: string
}

/**
 * Stores the address that a user wants to verify and returns the id from which its code is derived.
 * Replaces any pending address and revokes its code. The caller holds the user's lock.
 */
export async function replaceEmailChange(
  tx: Tx,
  keys: KeyRing,
  { user, to, nowMs }: { user: Address & { readonly id: number }; to: Address; nowMs: number },
): Promise<string> {
  await deletePendingEmailChangesOf(tx, user.id)
  const id = newId()
  await tx
    .insertInto('email_changes')
    .values({
      id,
      user_id: user.id,
      ...to,
      old_email: user.email,
      old_email_canonical: user.email_canonical,
      key_id: keys.current.id,
      created_at: toIso(nowMs),
      expires_at: toIso(nowMs + EMAIL_CODE_LIFETIME_MS),
    })
    .execute()
  return id
}

/** The undo token in the mail to the old address. Throws MissingKeyError. */
export function undoTokenOf(keys: KeyRing, change: Pick<EmailChangeRow, 'id' | 'key_id'>): string {
  return linkToken(keySetOf(keys, change.key_id), 'undo', change.id)
}

/**
 * Pseudonym of a new address, shared by all users, under which codes and attempts are counted. The rows
 * may outlive the requesting user and must not identify the address.
 */
export function countKeyOf(keys: KeyRing, emailCanonical: string): string {
  return mac(keys.current.of.limit, `email_codes:${emailCanonical}`)
}

export function findEmailChange(db: Db, id: string): Promise<EmailChangeRow | undefined> {
  return db.selectFrom('email_changes').select(COLUMNS).where('id', '=', id).executeTakeFirst()
}

/** The pending change, while its code is valid. */
export function findPendingEmailChangeOf(
  db: Db,
  userId: number,
  nowMs: number,
): Promise<EmailChangeRow | undefined> {
  return db
    .selectFrom('email_changes')
    .select(COLUMNS)
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .where('expires_at', '>', toIso(nowMs))
    .executeTakeFirst()
}

/** Consumes a code and starts the undo period; false when it has been used or replaced, or has expired. */
export async function confirmEmailChange(tx: Tx, id: string, nowMs: number): Promise<boolean> {
  const confirmed = await tx
    .updateTable('email_changes')
    .set({ confirmed_at: toIso(nowMs), undo_until: toIso(nowMs + UNDO_LIFETIME_MS) })
    .where('id', '=', id)
    .where('confirmed_at', 'is', null)
    .where('expires_at', '>', toIso(nowMs))
    .returning('id')
    .executeTakeFirst()
  return confirmed !== undefined
}

/** The change away from this address, while it can be undone. */
export function findReservation(
  db: Db,
  emailCanonical: string,
  nowMs: number,
): Promise<EmailChangeRow | undefined> {
  return undoable(db, nowMs)
    .select(COLUMNS)
    .where('old_email_canonical', '=', emailCanonical)
    .orderBy('confirmed_at')
    .limit(1)
    .executeTakeFirst()
}

/** The changes of these users that can still be undone, oldest first. */
export function findReservationsOf(
  db: Db,
  userIds: readonly number[],
  nowMs: number,
): Promise<EmailChangeRow[]> {
  return undoable(db, nowMs)
    .select(COLUMNS)
    .where('user_id', 'in', userIds)
    .orderBy('confirmed_at')
    .execute()
}

/** Throws `email_change_undoable` while a change of the user's address can be undone. */
export async function assertNoneUndoable(
  { tx, nowMs }: { tx: Tx; nowMs: number },
  userId: number,
): Promise<void> {
  const undoable = await findReservationsOf(tx, [userId], nowMs)
  if (undoable.length > 0) throw new AppError('email_change_undoable')
}

/** True while a change away from this address can be undone; until then, no other user can take it. */
export async function isEmailReserved(
  db: Db,
  emailCanonical: string,
  nowMs: number,
): Promise<boolean> {
  return (await findReservation(db, emailCanonical, nowMs)) !== undefined
}

export function isUndoable(change: EmailChangeRow, nowMs: number): boolean {
  const { confirmed_at: confirmedAt, undone_at: undoneAt, undo_until: undoUntil } = change
  return confirmedAt !== null && undoneAt === null && undoUntil !== null && undoUntil > toIso(nowMs)
}

/**
 * Undoes a change and every later one of its user: a thief may have chained several. Releases their
 * addresses. False when it was already undone or the undo period is over. The caller holds the user's
 * lock and restores the old address.
 */
export async function undoEmailChange(
  tx: Tx,
  change: Pick<EmailChangeRow, 'id' | 'user_id' | 'confirmed_at'>,
  nowMs: number,
): Promise<boolean> {
  const now = toIso(nowMs)
  const undone = await tx
    .updateTable('email_changes')
    .set({ undone_at: now })
    .where('user_id', '=', change.user_id)
    .where('confirmed_at', '>=', change.confirmed_at)
    .where('undone_at', 'is', null)
    .where('undo_until', '>', now)
    .returning('id')
    .execute()
  return undone.some(({ id }) => id === change.id)
}

/** Revokes a user's pending changes. Confirmed ones can still be undone. */
export async function deletePendingEmailChangesOf(tx: Tx, userId: number): Promise<void> {
  await tx
    .deleteFrom('email_changes')
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .execute()
}

/** Deletes at most `limit` changes that can be neither confirmed nor undone; returns how many. */
export async function deleteFinishedEmailChanges(
  tx: Tx,
  nowMs: number,
  limit: number,
): Promise<number> {
  const now = toIso(nowMs)
  // Undone changes are included: their tokens get the same answer as unknown ones.
  const isFinished = (eb: ExpressionBuilder<Schema, 'email_changes'>) =>
    eb.or([
      eb('confirmed_at', 'is', null),
      eb('undone_at', 'is not', null),
      eb('undo_until', '<=', now),
    ])
  const deleted = await tx
    .deleteFrom('email_changes')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('email_changes')
        .select('id')
        .where('expires_at', '<=', now)
        .where(isFinished)
        .orderBy('expires_at')
        .limit(limit),
    )
    // Repeated: a code may have been used while this statement waited for the lock.
    .where(isFinished)
    .returning('id')
    .execute()
  return deleted.length
}

function undoable(db: Db, nowMs: number) {
  return db
    .selectFrom('email_changes')
    .where('confirmed_at', 'is not', null)
    .where('undone_at', 'is', null)
    .where('undo_until', '>', toIso(nowMs))
}
