import type { Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { PublicUserRow, Role, UsersTable } from '../database/schema.ts'
import { toIso } from '../lib/units.ts'
import { findReservation, isEmailReserved } from './email-changes.ts'
import { deleteUsers, USER_COLUMNS, isExpired, lockUserByEmail } from './users.ts'
import type { Write } from './write.ts'
import { erase } from './erase.ts'
import { handOver } from './erasures.ts'
import { replacementCutoff } from './expiry.ts'

// Assigns addresses to accounts.

/** Without a lock: do not base a write on the result. */
export function findUserByEmail(db: Db, email: string): Promise<PublicUserRow | undefined> {
  return db
    .selectFrom('users')
    .select(USER_COLUMNS)
    .where('email_canonical', '=', email)
    .executeTakeFirst()
}

interface NewUser {
  readonly email: string
  readonly emailCanonical: string
  readonly nowMs: number
  /** The user who may take the address although it is reserved for that user. */
  readonly owner?: number
}

/** Undefined when the address is taken (the unique index decides) or reserved for its former owner. */
export function insertUnverifiedUser(tx: Tx, user: NewUser): Promise<PublicUserRow | undefined> {
  return insertUser(tx, user, { role: 'user' })
}

/**
 * The locked unverified account of a canonical address. Creates it if needed, with a reminder halfway
 * through its lifetime. Undefined while the address is verified or reserved for its former owner.
 */
export async function openUnverified(
  write: Write,
  emailCanonical: string,
): Promise<PublicUserRow | undefined> {
  const { ctx, tx, nowMs } = write
  const inserted = await insertWithReminder(write, emailCanonical)
  if (inserted !== undefined) return inserted
  const user = await lockUserByEmail(tx, emailCanonical)
  if (user === undefined) {
    if (await isEmailReserved(tx, emailCanonical, nowMs)) return undefined
    // Deleted between the two statements: the address is free again, and a retry inserts it.
    return openUnverified(write, emailCanonical)
  }
  if (user.verified_at !== null) return undefined
  const cutoff = replacementCutoff(ctx)
  return isExpired(user, cutoff) ? replaceExpired(write, user) : user
}

/** Keeps only the mails of the expired account, which count against the address's limit. */
async function replaceExpired(
  write: Write,
  expired: PublicUserRow,
): Promise<PublicUserRow | undefined> {
  const unverified = { cutoff: replacementCutoff(write.ctx) }
  await erase(write, [expired], { unverified, isReplaced: true })
  const inserted = await insertWithReminder(write, expired.email_canonical)
  if (inserted !== undefined) await handOver(write, { userId: expired.id }, inserted.id)
  return inserted
}

/** At delivery, the reminder is dropped if the account has been verified or deleted. */
async function insertWithReminder(
  { ctx, tx, nowMs, enqueue }: Write,
  emailCanonical: string,
): Promise<PublicUserRow | undefined> {
  // The first sign-up may be a stranger's: each keeps its spelling until one is verified.
  const email = emailCanonical
  const user = await insertUnverifiedUser(tx, { email, emailCanonical, nowMs })
  if (user === undefined) return undefined
  const dueAtMs = nowMs + ctx.config.unverifiedLifetimeMs / 2
  await enqueue('reminder', { userId: user.id }, { userId: user.id, dueAtMs })
  return user
}

/** Same guarantee, for an account that an operator creates without a code. */
export function insertVerifiedUser(
  tx: Tx,
  user: NewUser,
  account: { fullName: string | null; passwordHash: string; role: Role },
): Promise<PublicUserRow | undefined> {
  const now = toIso(user.nowMs)
  return insertUser(tx, user, {
    full_name: account.fullName,
    password_hash: account.passwordHash,
    role: account.role,
    verified_at: now,
    password_changed_at: now,
  })
}

/** Changes a user's address; false when it is taken or reserved for another user. */
export async function setEmail(
  tx: Tx,
  id: number,
  { email, emailCanonical, nowMs }: Omit<NewUser, 'owner'>,
): Promise<boolean> {
  // An UPDATE has no `on conflict`, and a unique violation would abort the transaction: a placeholder
  // row, deleted again before the commit, claims the index entry first.
  const claim = await insertUnverifiedUser(tx, { email, emailCanonical, nowMs, owner: id })
  if (claim === undefined) return false
  await deleteUsers(tx, [claim.id])
  const values = { email, email_canonical: emailCanonical, updated_at: toIso(nowMs) }
  await tx.updateTable('users').set(values).where('id', '=', id).execute()
  return true
}

async function insertUser(
  tx: Tx,
  { email, emailCanonical, nowMs, owner }: NewUser,
  values: Partial<Selectable<UsersTable>> & { readonly role: Role },
): Promise<PublicUserRow | undefined> {
  const now = toIso(nowMs)
  const inserted = await tx
    .insertInto('users')
    .values({
      ...values,
      email,
      email_canonical: emailCanonical,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('email_canonical').doNothing())
    .returning(USER_COLUMNS)
    .executeTakeFirst()
  if (inserted === undefined) return undefined
  // After the insert: its wait for the index may have ended with a change that reserved the address.
  const reserved = await findReservation(tx, emailCanonical, nowMs)
  if (reserved === undefined || reserved.user_id === owner) return inserted
  await deleteUsers(tx, [inserted.id])
  return undefined
}
