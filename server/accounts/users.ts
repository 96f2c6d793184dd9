import type { LookUp, Db, Tx } from '../database/connect.ts'
import type { PublicUserRow, Role, UsersTable } from '../database/schema.ts'
import { type Selectable, sql } from 'kysely'
import { toIso } from '../lib/units.ts'

type UserRow = Selectable<UsersTable>
export type { PublicUserRow }

/** Never `select *`: a column added later would break prepared statements, or leak. */
export const USER_COLUMNS = [
  'id',
  'email',
  'email_canonical',
  'full_name',
  'role',
  'verified_at',
  'disabled_at',
  'password_changed_at',
  'created_at',
  'updated_at',
  'locale',
  'phone',
  'phone_verified_at',
] as const satisfies readonly (keyof PublicUserRow)[]

/** By id, without the password hash. */
export const userById: LookUp<number, PublicUserRow> = {
  name: 'user_by_id',
  build: (db, id) => db.selectFrom('users').select(USER_COLUMNS).where('id', '=', id),
}

/**
 * By canonical address, with what a login compares: the user's password hash, or while unverified
 * the newest attempt's. One query for every address, so that none is told by its time.
 */
export const userForLogin: LookUp<
  string,
  PublicUserRow & { password_hash: string | null; attempt_password_hash: string | null }
> = {
  name: 'user_for_login',
  build: (db, email) =>
    db
      .selectFrom('users')
      .select([...USER_COLUMNS, 'password_hash'])
      .select((eb) =>
        eb
          .selectFrom('sign_ups')
          .select('sign_ups.password_hash')
          .whereRef('sign_ups.user_id', '=', 'users.id')
          .orderBy('sign_ups.created_at', 'desc')
          .orderBy('sign_ups.id')
          .limit(sql.lit(1))
          .as('attempt_password_hash'),
      )
      .where('email_canonical', '=', email),
}

/** True for an account that was never verified and whose time is over: it counts as gone. */
export function isExpired(
  user: Pick<UserRow, 'verified_at' | 'created_at'>,
  cutoff: string,
): boolean {
  return user.verified_at === null && user.created_at <= cutoff
}

/** Locks the row until the transaction ends: whoever decides on its state decides on the newest one. */
export function lockUser(tx: Tx, id: number): Promise<PublicUserRow | undefined> {
  return tx
    .selectFrom('users')
    .select(USER_COLUMNS)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

export function lockUserByEmail(tx: Tx, email: string): Promise<PublicUserRow | undefined> {
  return tx
    .selectFrom('users')
    .select(USER_COLUMNS)
    .where('email_canonical', '=', email)
    .forUpdate()
    .executeTakeFirst()
}

/** What is kept by an account is kept by these. */
export type AccountKey = Pick<PublicUserRow, 'id' | 'email_canonical'>

/** Accounts that nobody has verified; with a cutoff, those that were made at it or before. */
export interface Unverified {
  readonly cutoff?: string
}

/**
 * Deletes accounts with their sessions and attempts, and returns them. The statement itself repeats the
 * condition: a sub-select alone deletes a user who verified while it waited.
 */
export function deleteUsers(
  tx: Tx,
  ids: readonly number[],
  unverified?: Unverified,
): Promise<AccountKey[]> {
  let query = tx.deleteFrom('users').where('id', 'in', ids)
  if (unverified !== undefined) query = query.where('verified_at', 'is', null)
  if (unverified?.cutoff !== undefined) query = query.where('created_at', '<=', unverified.cutoff)
  return query.returning(['id', 'email_canonical']).execute()
}

interface Activation {
  readonly email: string
  readonly locale: string | null
  readonly fullName: string | null
  readonly passwordHash: string
  /** Accounts made at this time or before are gone. */
  readonly cutoff: string
  readonly nowMs: number
}

/** Verifies an account with what the proven attempt holds; false when it is verified or gone already. */
export async function activateUser(tx: Tx, id: number, activation: Activation): Promise<boolean> {
  const now = toIso(activation.nowMs)
  const activated = await tx
    .updateTable('users')
    .set({
      email: activation.email,
      full_name: activation.fullName,
      locale: activation.locale,
      password_hash: activation.passwordHash,
      verified_at: now,
      password_changed_at: now,
      updated_at: now,
    })
    .where('id', '=', id)
    .where('verified_at', 'is', null)
    .where('created_at', '>', activation.cutoff)
    .returning('id')
    .executeTakeFirst()
  return activated !== undefined
}

/** Replaces a hash by one of the same password, unless the password was changed meanwhile. */
export async function upgradePasswordHash(
  tx: Tx,
  id: number,
  hashes: { from: string; to: string },
): Promise<void> {
  await tx
    .updateTable('users')
    .set({ password_hash: hashes.to })
    .where('id', '=', id)
    .where('password_hash', '=', hashes.from)
    .execute()
}

export async function renameUser(
  tx: Tx,
  id: number,
  { fullName, nowMs }: { fullName: string | null; nowMs: number },
): Promise<void> {
  await update(tx, id, { full_name: fullName, updated_at: toIso(nowMs) })
}

/** Keeps a number that was proved, or forgets it. */
export async function setPhone(
  tx: Tx,
  id: number,
  { phone, nowMs }: { phone: string | null; nowMs: number },
): Promise<void> {
  const now = toIso(nowMs)
  await update(tx, id, {
    phone,
    phone_verified_at: phone === null ? null : now,
    updated_at: now,
  })
}

export async function setRole(
  tx: Tx,
  id: number,
  { role, nowMs }: { role: Role; nowMs: number },
): Promise<void> {
  await update(tx, id, { role, updated_at: toIso(nowMs) })
}

/** Idempotent: the time of the first call stays. The caller ends the sessions. */
export async function disableUser(tx: Tx, id: number, nowMs: number): Promise<void> {
  const now = toIso(nowMs)
  await tx
    .updateTable('users')
    .set({ disabled_at: now, updated_at: now })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .execute()
}

export async function enableUser(tx: Tx, id: number, nowMs: number): Promise<void> {
  await update(tx, id, { disabled_at: null, updated_at: toIso(nowMs) })
}

async function update(tx: Tx, id: number, values: Partial<UserRow>): Promise<void> {
  await tx.updateTable('users').set(values).where('id', '=', id).execute()
}

/**
 * Locks these users and, where asked, every active admin, in one order: two such changes never wait
 * for each other in a circle. Whoever takes an admin away asks for them first: an `exists` in the
 * UPDATE itself leaves none when two do so at once (READ COMMITTED).
 */
export function lockUsers(
  tx: Tx,
  ids: readonly number[],
  { withActiveAdmins }: { withActiveAdmins: boolean },
): Promise<PublicUserRow[]> {
  return tx
    .selectFrom('users')
    .select(USER_COLUMNS)
    .where((eb) => {
      const named = eb('id', 'in', ids)
      if (!withActiveAdmins) return named
      const admin = eb.and({ role: 'admin' })
      const active = eb('verified_at', 'is not', null).and('disabled_at', 'is', null)
      return eb.or([named, admin.and(active)])
    })
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** Verified and not disabled. */
export function isActiveAdmin(user: PublicUserRow): boolean {
  return user.role === 'admin' && user.verified_at !== null && user.disabled_at === null
}

/** Whether anybody can act as an admin. */
export async function hasActiveAdmin(db: Db): Promise<boolean> {
  const admin = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('verified_at', 'is not', null)
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return admin !== undefined
}
