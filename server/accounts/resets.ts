import type { Db, Tx } from '../database/connect.ts'
import type { PublicUserRow } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { newId } from '../lib/random.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import { USER_COLUMNS } from './users.ts'
import type { Write } from './write.ts'
import { deleteBefore } from '../database/delete-before.ts'

/** From the try to mail it: a mail that was held up for hours brings no dead link. */
export const RESET_LIFETIME_MS = 30 * MINUTE_MS

/**
 * Mails a link to set a new password: one row, whatever the address, for the job looks the user up, and
 * known and unknown cost the same. `email` is canonical; `client` is who asked, for the mail to say, or
 * nobody when the service itself did.
 */
export async function enqueuePasswordReset(
  { nowMs, enqueue }: Write,
  email: string,
  client: Client = { ip: null, userAgent: null },
): Promise<void> {
  const payload = { ...client, email, resetId: newId(), requestedAt: toIso(nowMs) }
  await enqueue('password_reset', payload, { email })
}

interface OpenReset {
  readonly id: string
  readonly userId: number
  readonly requestedAt: string
  readonly expiresAt: string
}

/**
 * Opens a link and makes every other of its user void. One that was opened by an earlier try to mail it
 * is given new life. `used`: it has done its work, and nothing is to be mailed. The caller holds the
 * user's lock.
 */
export async function openPasswordReset(
  tx: Tx,
  keys: KeyRing,
  { id, userId, requestedAt, expiresAt }: OpenReset,
): Promise<'opened' | 'renewed' | 'used'> {
  const earlier = await tx
    .selectFrom('password_resets')
    .select('used_at')
    .where('id', '=', id)
    .executeTakeFirst()
  if (earlier !== undefined && earlier.used_at !== null) return 'used'
  await deletePasswordResetsOf(tx, userId)
  const [key_id, created_at] = [keys.current.id, requestedAt]
  await tx
    .insertInto('password_resets')
    .values({ id, user_id: userId, key_id, created_at, expires_at: expiresAt, used_at: null })
    .execute()
  return earlier === undefined ? 'opened' : 'renewed'
}

/** Whose password a link sets; undefined once it was used, replaced or has expired. */
export function findResetOwner(
  db: Db,
  id: string,
  nowMs: number,
): Promise<PublicUserRow | undefined> {
  return db
    .selectFrom('password_resets')
    .innerJoin('users', 'users.id', 'password_resets.user_id')
    .select(USER_COLUMNS.map((column) => `users.${column}` as const))
    .where('password_resets.id', '=', id)
    .where('password_resets.used_at', 'is', null)
    .where('password_resets.expires_at', '>', toIso(nowMs))
    .executeTakeFirst()
}

/** Uses a link up, once; false when it was used, replaced or has expired meanwhile. */
export async function usePasswordReset(tx: Tx, id: string, nowMs: number): Promise<boolean> {
  const now = toIso(nowMs)
  const used = await tx
    .updateTable('password_resets')
    .set({ used_at: now })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return used !== undefined
}

/** Makes every link void that a user could still use. What was used stays: it is not to be mailed again. */
export async function deletePasswordResetsOf(tx: Tx, userId: number): Promise<void> {
  await tx
    .deleteFrom('password_resets')
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .execute()
}

/** Deletes at most `limit` links that expired before a time, used or not; returns how many. */
export function deleteResetsExpiredBefore(tx: Tx, before: string, limit: number): Promise<number> {
  return deleteBefore(tx, ['password_resets', 'expires_at'], { before, limit })
}
