import type { Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { PhoneChangesTable } from '../database/schema.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { newId } from '../lib/random.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import { deleteBefore } from '../database/delete-before.ts'

type PhoneChangeRow = Selectable<PhoneChangesTable>

/** The maximum for a code sent by text message (NIST SP 800-63B-4 section 3.1.3.2). */
const PHONE_CODE_LIFETIME_MS = 10 * MINUTE_MS

const COLUMNS = ['id', 'user_id', 'phone', 'key_id', 'created_at', 'expires_at'] as const

/**
 * Stores the number that a user wants to verify and returns the id from which its code is derived.
 * Replaces any pending number and revokes its code. The caller holds the user's lock.
 */
export async function replacePhoneChange(
  tx: Tx,
  keys: KeyRing,
  { userId, phone, nowMs }: { userId: number; phone: string; nowMs: number },
): Promise<string> {
  await deletePhoneChangeOf(tx, userId)
  const id = newId()
  await tx
    .insertInto('phone_changes')
    .values({
      id,
      user_id: userId,
      phone,
      key_id: keys.current.id,
      created_at: toIso(nowMs),
      expires_at: toIso(nowMs + PHONE_CODE_LIFETIME_MS),
    })
    .execute()
  return id
}

/** With the language of the user's messages; undefined once used, replaced or expired. */
export function findPhoneChange(
  db: Db,
  id: string,
  nowMs: number,
): Promise<(PhoneChangeRow & { locale: string | null }) | undefined> {
  return db
    .selectFrom('phone_changes')
    .innerJoin('users', 'users.id', 'phone_changes.user_id')
    .select(COLUMNS.map((column) => `phone_changes.${column}` as const))
    .select('users.locale')
    .where('phone_changes.id', '=', id)
    .where('phone_changes.expires_at', '>', toIso(nowMs))
    .executeTakeFirst()
}

/** The pending number, while its code is valid. */
export function findPhoneChangeOf(
  db: Db,
  userId: number,
  nowMs: number,
): Promise<PhoneChangeRow | undefined> {
  return db
    .selectFrom('phone_changes')
    .select(COLUMNS)
    .where('user_id', '=', userId)
    .where('expires_at', '>', toIso(nowMs))
    .executeTakeFirst()
}

/** Consumes a code; false when it has been used or replaced, or has expired. */
export async function usePhoneChange(tx: Tx, id: string, nowMs: number): Promise<boolean> {
  const used = await tx
    .deleteFrom('phone_changes')
    .where('id', '=', id)
    .where('expires_at', '>', toIso(nowMs))
    .returning('id')
    .executeTakeFirst()
  return used !== undefined
}

/** Deletes at most `limit` changes whose codes expired before a time; returns how many. */
export function deletePhoneChangesBefore(tx: Tx, before: string, limit: number): Promise<number> {
  return deleteBefore(tx, ['phone_changes', 'expires_at'], { before, limit })
}

export async function deletePhoneChangeOf(tx: Tx, userId: number): Promise<void> {
  await tx.deleteFrom('phone_changes').where('user_id', '=', userId).execute()
}
