import type { Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { PublicUserRow, Role, UsersTable } from '../database/schema.ts'
import { toIso } from '../lib/units.ts'
import { findReservation } from './email-changes.ts'
import { deleteUser, USER_COLUMNS } from './users.ts'

// Who has which address: everything that gives one to an account.

/** Without a lock: for a look, not for a decision. */
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
  /** A user for whom the address may be reserved. */
  readonly owner?: number
}

/** Undefined when the address is taken, verified or not, or reserved for who left it: the unique index decides. */
export function insertUnverifiedUser(tx: Tx, user: NewUser): Promise<PublicUserRow | undefined> {
  return insertUser(tx, user, { role: 'user' })
}

/** As above for an account that needs no code: made by an operator. */
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

/** Gives a user another address; false when it is taken, verified or not, or reserved for somebody else. */
export async function setEmail(
  tx: Tx,
  id: number,
  { email, emailCanonical, nowMs }: Omit<NewUser, 'owner'>,
): Promise<boolean> {
  // An UPDATE cannot pass over a conflict as an INSERT can, and its error would end the transaction: a
  // row that nobody ever sees takes the index entry first.
  const claim = await insertUnverifiedUser(tx, { email, emailCanonical, nowMs, owner: id })
  if (claim === undefined) return false
  await deleteUser(tx, claim.id)
  const values = { email, email_canonical: emailCanonical, updated_at: toIso(nowMs) }
  await tx.updateTable('users').set(values).where('id', '=', id).execute()
  return true
}

/** Deletes an account that nobody has verified, however young; false when it is verified or gone. */
export async function deleteUnverifiedUser(tx: Tx, id: number): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('users')
    .where('id', '=', id)
    .where('verified_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
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
  // Only now: whoever left the address while the index made us wait has reserved it since.
  const reserved = await findReservation(tx, emailCanonical, nowMs)
  if (reserved === undefined || reserved.user_id === owner) return inserted
  await deleteUser(tx, inserted.id)
  return undefined
}
