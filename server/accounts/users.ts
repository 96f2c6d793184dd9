import { type Query, type Db, run, type Statement, type Tx } from '../database/connect.ts'
import type { PublicUserRow, Role, Schema, ShownUserRow, UsersTable } from '../database/schema.ts'
import { type ExpressionBuilder, type Selectable, sql } from 'kysely'
import { toIso } from '../lib/units.ts'

type UserRow = Selectable<UsersTable>
export type { PublicUserRow }

/** Replaces `select *`: a column added later would break prepared statements, or leak. */
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
  'invited_role',
  'invited_until',
] as const satisfies readonly (keyof PublicUserRow)[]

/** What responses show: reading the other columns doubles the cost of a page. */
export const SHOWN_COLUMNS = [
  'id',
  'email',
  'email_canonical',
  'full_name',
  'phone',
  'role',
  'verified_at',
  'disabled_at',
  'created_at',
  'updated_at',
  'invited_role',
  'invited_until',
] as const satisfies readonly (keyof ShownUserRow)[]

/** By id, without the password hash. */
export const userById: Query<number, PublicUserRow> = {
  name: 'user_by_id',
  build: (db, id) => db.selectFrom('users').select(USER_COLUMNS).where('id', '=', id),
}

/**
 * By canonical address, with the hash that a login compares: the user's, or that of the newest sign-up
 * while unverified. The same query runs for every address, so timing does not reveal which ones exist.
 */
export const userForLogin: Query<
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

/** An unverified account expires if it was created by the first time, and its invitation ends by the second. */
export type Cutoff = Readonly<{ createdAt: string; invitedUntil: string }>

/** True for an unverified account that has expired: it counts as deleted. */
export function isExpired(
  user: Pick<UserRow, 'verified_at' | 'created_at' | 'invited_until'>,
  cutoff: Cutoff,
): boolean {
  if (user.verified_at !== null || user.created_at > cutoff.createdAt) return false
  return user.invited_until === null || user.invited_until <= cutoff.invitedUntil
}

/** The same of an unverified account, in SQL. */
export function hasExpired(cutoff: Cutoff) {
  return ({ and, eb, or }: ExpressionBuilder<Schema, 'users'>) =>
    and([
      eb('users.created_at', '<=', cutoff.createdAt),
      or([
        eb('users.invited_until', 'is', null),
        eb('users.invited_until', '<=', cutoff.invitedUntil),
      ]),
    ])
}

/** Locks the row until the transaction ends, so that the caller decides on its current state. */
export async function lockUser(tx: Tx, id: number): Promise<PublicUserRow | undefined> {
  return (await run(tx, userToLock, id))[0]
}

const userToLock: Statement<number, PublicUserRow> = {
  name: 'user_to_lock',
  build: (tx, id) => tx.selectFrom('users').select(USER_COLUMNS).where('id', '=', id).forUpdate(),
}

export async function lockUserByEmail(tx: Tx, email: string): Promise<PublicUserRow | undefined> {
  return (await run(tx, userToLockByEmail, email))[0]
}

const userToLockByEmail: Statement<string, PublicUserRow> = {
  name: 'user_to_lock_by_email',
  build: (tx, email) =>
    tx.selectFrom('users').select(USER_COLUMNS).where('email_canonical', '=', email).forUpdate(),
}

/** The keys under which other tables refer to an account. */
export type AccountKey = Pick<PublicUserRow, 'id' | 'email_canonical'>

/** Unverified accounts; with a cutoff, those that have expired. */
export interface Unverified {
  readonly cutoff?: Cutoff
}

/**
 * Deletes accounts with their sign-ups, links and pending changes, and returns them. The statement itself repeats the
 * condition: a subquery alone deletes a user who verified while it waited for the lock.
 */
export function deleteUsers(
  tx: Tx,
  ids: readonly number[],
  unverified?: Unverified,
): Promise<AccountKey[]> {
  let query = tx.deleteFrom('users').where('id', 'in', ids)
  if (unverified !== undefined) query = query.where('verified_at', 'is', null)
  if (unverified?.cutoff !== undefined) query = query.where(hasExpired(unverified.cutoff))
  return query.returning(['id', 'email_canonical']).execute()
}

interface Activation {
  readonly email: string
  readonly locale: string | null
  readonly fullName: string | null
  readonly passwordHash: string
  readonly role?: Role
  readonly cutoff: Cutoff
  readonly nowMs: number
}

/** Verifies an account and sets its data; false when it is already verified, expired or deleted. */
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
      invited_role: null,
      invited_until: null,
      ...(activation.role && { role: activation.role }),
    })
    .where('id', '=', id)
    .where('verified_at', 'is', null)
    .where((eb) => eb.not(hasExpired(activation.cutoff)(eb)))
    .returning('id')
    .executeTakeFirst()
  return activated !== undefined
}

/** Sets what accepting an invitation gives, and until when; the role stays what it is. */
export async function setInvited(
  tx: Tx,
  id: number,
  { role, fullName, untilMs, nowMs }: Invited & { untilMs: number; nowMs: number },
): Promise<void> {
  await update(tx, id, {
    invited_role: role,
    invited_until: toIso(untilMs),
    full_name: fullName,
    updated_at: toIso(nowMs),
  })
}

/** Removes what accepting gives; the account does not expire earlier. */
export async function clearInvited(tx: Tx, id: number, nowMs: number): Promise<void> {
  await update(tx, id, { invited_role: null, full_name: null, updated_at: toIso(nowMs) })
}

export interface Invited {
  readonly role: Role
  readonly fullName: string | null
}

/** Replaces a hash with a stronger one of the same password, unless the password has changed since. */
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

/** Stores a verified number, or removes it. */
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

/** Idempotent: keeps the time of the first call. The caller ends the sessions. */
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

/** Lifts the lock of logins that began before; processes read the time, because each may count alone. */
export async function unlockLogins(tx: Tx, id: number, nowMs: number): Promise<void> {
  await update(tx, id, { login_unlocked_at: toIso(nowMs) })
}

/** True when the logins of a canonical address were unlocked at a time or later. */
export async function areLoginsUnlocked(db: Db, email: string, sinceMs: number): Promise<boolean> {
  const unlocked = await db
    .selectFrom('users')
    .select('id')
    .where('email_canonical', '=', email)
    .where('login_unlocked_at', '>=', toIso(sinceMs))
    .executeTakeFirst()
  return unlocked !== undefined
}

async function update(tx: Tx, id: number, values: Partial<UserRow>): Promise<void> {
  await tx.updateTable('users').set(values).where('id', '=', id).execute()
}

/**
 * Locks these users and, if requested, every active admin, always in the order of their ids, which
 * prevents deadlocks. A caller that removes an admin must lock all of them first: with an `exists` in
 * the UPDATE, two concurrent removals would remove the last two admins (READ COMMITTED).
 */
export async function lockUsers(
  tx: Tx,
  ids: readonly number[],
  { withActiveAdmins }: { withActiveAdmins: boolean },
): Promise<PublicUserRow[]> {
  // Two statements: SQLite scans all users for an `or`, and PostgreSQL skips a row of a union that
  // changed while the statement waited for its lock.
  const admins = withActiveAdmins ? await activeAdmins(tx).execute() : []
  return tx
    .selectFrom('users')
    .select(USER_COLUMNS)
    .where('id', 'in', [...ids, ...admins.map(({ id }) => id)])
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** Verified and not disabled. */
export function isActiveAdmin(user: PublicUserRow): boolean {
  return user.role === 'admin' && user.verified_at !== null && user.disabled_at === null
}

export async function hasActiveAdmin(db: Db): Promise<boolean> {
  return (await findActiveAdmins(db, 1)).length > 0
}

/** The ids of at most `limit` active admins, in ascending order. */
export async function findActiveAdmins(db: Db, limit: number): Promise<number[]> {
  const admins = await activeAdmins(db).orderBy('id').limit(limit).execute()
  return admins.map(({ id }) => id)
}

function activeAdmins(db: Db) {
  return (
    db
      .selectFrom('users')
      .select('id')
      // Literal: SQLite uses a partial index only for the exact condition of its definition.
      .where('role', '=', sql.lit<Role>('admin'))
      .where('verified_at', 'is not', null)
      .where('disabled_at', 'is', null)
  )
}
