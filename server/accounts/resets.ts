import type { Db, Tx } from '../database/connect.ts'
import type { PublicUserRow } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import { newId } from '../lib/random.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import { USER_COLUMNS } from './users.ts'
import type { Write } from './write.ts'
import { deleteBefore } from '../database/delete-before.ts'

/** Starts at the delivery attempt: a mail that was delayed for hours still contains a working link. */
export const RESET_LIFETIME_MS = 30 * MINUTE_MS

/**
 * Enqueues a mail with a reset link. Every address costs one row, because the worker looks up the user:
 * timing does not reveal registered addresses. `email` is canonical; `client` is shown in the mail and
 * is empty when the service itself requested the reset.
 */
export async function enqueuePasswordReset(
  { ctx, nowMs, enqueue }: Write,
  email: string,
  client: Client = { ip: null, userAgent: null },
): Promise<void> {
  const keyId = ctx.keys.current.id
  const payload = { ...client, email, resetId: newId(), keyId, requestedAt: toIso(nowMs) }
  await enqueue('password_reset', payload, { email })
}

interface OpenReset {
  readonly id: string
  readonly userId: number
  /** The key of the link. */
  readonly keyId: string
  readonly requestedAt: string
  readonly expiresAt: string
}

/**
 * Activates a reset link and revokes the user's other links. `renewed`: a retry of the delivery extends
 * the same link. `used`: the link has set a password, and no mail is needed. The caller holds the
 * user's lock.
 */
export async function openPasswordReset(
  tx: Tx,
  { id, userId, keyId, requestedAt, expiresAt }: OpenReset,
): Promise<'opened' | 'renewed' | 'used'> {
  const existing = await tx
    .selectFrom('password_resets')
    .select('used_at')
    .where('id', '=', id)
    .executeTakeFirst()
  if (existing !== undefined && existing.used_at !== null) return 'used'
  await deletePasswordResetsOf(tx, userId)
  const [key_id, created_at] = [keyId, requestedAt]
  await tx
    .insertInto('password_resets')
    .values({ id, user_id: userId, key_id, created_at, expires_at: expiresAt, used_at: null })
    .execute()
  return existing === undefined ? 'opened' : 'renewed'
}

/** The user of a reset link; undefined once it has been used or replaced, or has expired. */
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

/** Consumes a link; false when it has been used or replaced, or has expired. */
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

/** Revokes a user's unused links. Used ones stay, so that a redelivery does not mail them again. */
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
