import type { Db, Tx } from '../database/connect.ts'
import type { PublicUserRow } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import { newId } from '../lib/random.ts'
import { DAY_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import { dropWaiting } from '../outbox/outbox.ts'
import { USER_COLUMNS } from './users.ts'
import type { Write } from './write.ts'
import { deleteBefore } from '../database/delete-before.ts'

/** Starts at the delivery attempt: a mail that was delayed for hours still contains a working link. */
export const RESET_LIFETIME_MS = 30 * MINUTE_MS

/** Requests renew a link until it is this old, so that a stranger cannot keep one alive for ever. */
const RENEWED_FOR_MS = DAY_MS

/** Whether a request is within the limits of its network and of its device. */
export interface Places {
  readonly network: boolean
  readonly device: boolean
}

const NOBODY: Client = { ip: null, userAgent: null }

/**
 * Enqueues a request for a reset link. Every address costs one row, because the worker looks up the user
 * and decides on the mail: timing does not reveal registered addresses. `email` is canonical; `client` is
 * shown in the mail. Without both, the service itself requests the reset, which is always mailed.
 */
export async function enqueuePasswordReset(
  { ctx, nowMs, enqueue }: Write,
  email: string,
  client: Client & { readonly places?: Places } = NOBODY,
): Promise<void> {
  // A worker of 1.0 that runs during an upgrade needs the id of the link.
  const ids = { resetId: newId(), keyId: ctx.keys.current.id }
  await enqueue(
    'password_reset',
    { ...client, email, ...ids, requestedAt: toIso(nowMs) },
    { email },
  )
}

interface LivingReset {
  readonly id: string
  readonly key_id: string
  readonly created_at: string
}

/** The user's newest link that works. */
export function findLivingReset(
  db: Db,
  userId: number,
  nowMs: number,
): Promise<LivingReset | undefined> {
  return db
    .selectFrom('password_resets')
    .select(['id', 'key_id', 'created_at'])
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .where('expires_at', '>', toIso(nowMs))
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/**
 * The id of the link to mail: the living one, so that a further request voids no link in the mailbox, or a
 * new one. The caller holds the user's lock.
 */
async function openPasswordReset(
  tx: Tx,
  living: LivingReset | undefined,
  { userId, keyId, nowMs }: { userId: number; keyId: string; nowMs: number },
): Promise<string> {
  const isRenewed = living?.key_id === keyId && living.created_at > toIso(nowMs - RENEWED_FOR_MS)
  if (isRenewed) return living.id
  const id = newId()
  await tx
    .insertInto('password_resets')
    .values({
      id,
      user_id: userId,
      key_id: keyId,
      created_at: toIso(nowMs),
      expires_at: toIso(nowMs + RESET_LIFETIME_MS),
      used_at: null,
    })
    .execute()
  return id
}

/**
 * Enqueues the mail with the user's living link or a new one, and records it. Without a client, the mail
 * names nobody who asked. The caller holds the user's lock.
 */
export async function enqueueResetLink(
  { ctx, tx, nowMs, record, enqueue }: Write,
  { id: userId, email_canonical: email }: Pick<PublicUserRow, 'id' | 'email_canonical'>,
  {
    living,
    keyId = ctx.keys.current.id,
    requestedAt = toIso(nowMs),
    client = NOBODY,
  }: {
    living: LivingReset | undefined
    keyId?: string
    requestedAt?: string
    client?: Client
  },
): Promise<void> {
  const resetId = await openPasswordReset(tx, living, { userId, keyId, nowMs })
  const payload = { ...client, email, userId, resetId, requestedAt, at: toIso(nowMs) }
  await enqueue('reset_link', payload, { email, userId })
  await record('password.reset_requested', { subjectId: userId })
}

/** Extends an unused link; undefined once it has been used or revoked. */
export function extendPasswordReset(
  tx: Tx,
  id: string,
  expiresAt: string,
): Promise<{ key_id: string } | undefined> {
  return tx
    .updateTable('password_resets')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .returning('key_id')
    .executeTakeFirst()
}

/** The user of a reset link; undefined once it has been used or revoked, or has expired. */
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

/** Consumes a link; false when it has been used or revoked, or has expired. */
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

/**
 * Revokes a user's links: mailed ones, those in a waiting mail, and those requested but not opened yet.
 * The caller holds the user's lock.
 */
export async function revokePasswordResetsOf(
  tx: Tx,
  user: Pick<PublicUserRow, 'id' | 'email_canonical'>,
  nowMs: number,
): Promise<void> {
  await tx
    .deleteFrom('password_resets')
    .where('user_id', '=', user.id)
    .where('used_at', 'is', null)
    .execute()
  await dropWaiting(tx, 'password_reset', { email: user.email_canonical, nowMs })
}

/** Deletes at most `limit` links that expired before a time, used or not; returns how many. */
export function deleteResetsExpiredBefore(tx: Tx, before: string, limit: number): Promise<number> {
  return deleteBefore(tx, ['password_resets', 'expires_at'], { before, limit })
}
