import type { ExpressionBuilder, Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { EmailChangesTable, Schema } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import { findKeySet, type KeyRing, mac } from '../keys/key-ring.ts'
import { linkToken } from '../keys/links.ts'
import { newId } from '../lib/random.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'

export type EmailChangeRow = Selectable<EmailChangesTable>

/** An address may take its mail late, but six digits should not wait for long. */
const EMAIL_CODE_LIFETIME_MS = HOUR_MS
/** A weekend: so long the old address stays its owner's, who can have the change undone. */
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
 * Notes the address that a user wants to prove, in place of any other, and returns the id its code is
 * derived from: the code of the one before is void. The caller holds the user's lock.
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

/** The token in the mail to the old address; undefined once the key it was derived with is gone. */
export function undoTokenOf(
  keys: KeyRing,
  change: Pick<EmailChangeRow, 'id' | 'key_id'>,
): string | undefined {
  const set = findKeySet(keys, change.key_id)
  return set && linkToken(set, 'undo', change.id)
}

/**
 * What stands for a new address where codes to it and tries at them are counted, whoever asks: rows that
 * outlive who asked, and who has it, name nobody.
 */
export function countKeyOf(keys: KeyRing, emailCanonical: string): string {
  return mac(keys.current.of.limit, `email_codes:${emailCanonical}`)
}

export function findEmailChange(db: Db, id: string): Promise<EmailChangeRow | undefined> {
  return db.selectFrom('email_changes').select(COLUMNS).where('id', '=', id).executeTakeFirst()
}

/** The change whose code works now. */
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

/** Uses a code up; false when it was used, replaced or has expired meanwhile. From now on it can be undone. */
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

/** The change that left this address, while it can be undone. */
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

/** The changes of these users that can still be undone, the first one first. */
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

/** True while a change that left this address can be undone: until then it is nobody else's. */
export async function isEmailReserved(
  db: Db,
  emailCanonical: string,
  nowMs: number,
): Promise<boolean> {
  return (await findReservation(db, emailCanonical, nowMs)) !== undefined
}

/** Whether a confirmed change can be undone: it was not, and its time is not over. */
export function isUndoable(change: EmailChangeRow, nowMs: number): boolean {
  const { confirmed_at: confirmedAt, undone_at: undoneAt, undo_until: undoUntil } = change
  return confirmedAt !== null && undoneAt === null && undoUntil !== null && undoUntil > toIso(nowMs)
}

/**
 * Undoes a change and, with it, each later one of its user: a thief may have made a chain of them. False
 * when it was undone before or its time is over. The addresses it leaves are free. The caller holds the
 * user's lock and gives the old address back.
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

/** Makes void every code that a user was mailed to a new address. What was confirmed can still be undone. */
export async function deletePendingEmailChangesOf(tx: Tx, userId: number): Promise<void> {
  await tx
    .deleteFrom('email_changes')
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .execute()
}

/** Deletes at most `limit` changes that can be neither confirmed nor undone any more; returns how many. */
export async function deleteOverEmailChanges(
  tx: Tx,
  nowMs: number,
  limit: number,
): Promise<number> {
  const now = toIso(nowMs)
  // An undone one, too: its token answers as an unknown one does.
  const isOver = (eb: ExpressionBuilder<Schema, 'email_changes'>) =>
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
        .where(isOver)
        .orderBy('expires_at')
        .limit(limit),
    )
    // Once more: a code may have been used while this statement waited.
    .where(isOver)
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
