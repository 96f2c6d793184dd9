import type { Selectable } from 'kysely'
import { type Db, type Query, run, type Statement, type Tx } from '../database/connect.ts'
import type { SignUpsTable } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import { codeOf } from '../keys/codes.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { Locale } from '../lib/locales.ts'
import { networkKey } from '../lib/networks.ts'
import { newId } from '../lib/random.ts'
import { toIso } from '../lib/units.ts'
import { type Cutoff, hasExpired } from './users.ts'

export type SignUpRow = Selectable<SignUpsTable>

export const PENDING_MAX = 5

const COLUMNS = [
  'sign_ups.id',
  'sign_ups.user_id',
  'sign_ups.email',
  'sign_ups.full_name',
  'sign_ups.password_hash',
  'sign_ups.key_id',
  'sign_ups.ip',
  'sign_ups.user_agent',
  'sign_ups.locale',
  'sign_ups.created_at',
  'sign_ups.expires_at',
] as const

interface NewSignUp {
  readonly userId: number
  readonly email: string
  readonly fullName: string | null
  readonly passwordHash: string
  readonly client: Client
  readonly locale: Locale | null
  readonly nowMs: number
  readonly expiresAtMs: number
  /** With five live codes: drop the oldest sign-up instead of refusing this one. */
  readonly replaceOldest: boolean
}

/**
 * Adds a sign-up with its own password and name; undefined when five are pending. It replaces an expired
 * one first, or the oldest with `replaceOldest`. The caller holds the user's lock.
 */
export async function addSignUp(
  tx: Tx,
  keys: KeyRing,
  signUp: NewSignUp,
): Promise<string | undefined> {
  const others = await findSignUpsOf(tx, signUp.userId)
  if (others.length >= PENDING_MAX) {
    const expired = others.findLast((other) => other.expires_at <= toIso(signUp.nowMs))
    const dropped = expired ?? (signUp.replaceOldest ? others.at(-1) : undefined)
    if (dropped === undefined) return undefined
    await tx.deleteFrom('sign_ups').where('id', '=', dropped.id).execute()
  }
  const id = idWithOwnCode(keys, others)
  await run(tx, insertSignUp, {
    id,
    user_id: signUp.userId,
    email: signUp.email,
    full_name: signUp.fullName,
    password_hash: signUp.passwordHash,
    key_id: keys.current.id,
    ip: signUp.client.ip,
    user_agent: signUp.client.userAgent,
    locale: signUp.locale,
    created_at: toIso(signUp.nowMs),
    expires_at: toIso(signUp.expiresAtMs),
  })
  return id
}

const insertSignUp: Statement<SignUpRow, unknown> = {
  name: 'insert_sign_up',
  build: (tx, row) => tx.insertInto('sign_ups').values(row),
}

/** Newest first; at most five. */
export function findSignUpsOf(db: Db, userId: number): Promise<SignUpRow[]> {
  return run(db, signUpsOfUser, userId)
}

const signUpsOfUser: Query<number, SignUpRow> = {
  name: 'sign_ups_of_user',
  build: (db, userId) =>
    db
      .selectFrom('sign_ups')
      .select(COLUMNS)
      .where('user_id', '=', userId)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(PENDING_MAX),
}

export async function findSignUp(db: Db, id: string): Promise<SignUpRow | undefined> {
  return (await run(db, signUpById, id))[0]
}

const signUpById: Query<string, SignUpRow> = {
  name: 'sign_up_by_id',
  build: (db, id) => db.selectFrom('sign_ups').select(COLUMNS).where('id', '=', id),
}

/** The sign-ups of an address whose codes are valid; none once the account is verified, expired or deleted. */
export function findPendingSignUps(
  db: Db,
  email: string,
  { nowMs, cutoff }: { nowMs: number; cutoff: Cutoff },
): Promise<SignUpRow[]> {
  return run(db, pendingSignUps, { email, ...cutoff, now: toIso(nowMs) })
}

const pendingSignUps: Query<Cutoff & { email: string; now: string }, SignUpRow> = {
  name: 'pending_sign_ups',
  build: (db, { email, now, ...cutoff }) =>
    db
      .selectFrom('sign_ups')
      .innerJoin('users', 'users.id', 'sign_ups.user_id')
      .select(COLUMNS)
      .where('users.email_canonical', '=', email)
      .where('users.verified_at', 'is', null)
      .where((eb) => eb.not(hasExpired(cutoff)(eb)))
      .where('sign_ups.expires_at', '>', now)
      .limit(PENDING_MAX),
}

/**
 * The sign-ups that a request may verify or repeat: the one with its id; without an id all if they came
 * from one network and are not five, else those from the network of the request. An owner must not be able to activate a
 * stranger's password with the code of the wrong mail.
 */
export function selectSignUps(
  signUps: readonly SignUpRow[],
  { id, network }: { id: string | null | undefined; network: string | undefined },
): readonly SignUpRow[] {
  if (id != null) return signUps.filter((signUp) => signUp.id === id)
  const networks = new Set(signUps.map(({ ip }) => networkKey(ip)))
  // With all places taken, the owner of the address may have been refused: none need be the owner's.
  const isOneClients = networks.size <= 1 && signUps.length < PENDING_MAX
  return isOneClients ? signUps : signUps.filter(({ ip }) => networkKey(ip) === network)
}

export async function extendSignUp(tx: Tx, id: string, expiresAt: string): Promise<void> {
  await tx.updateTable('sign_ups').set({ expires_at: expiresAt }).where('id', '=', id).execute()
}

export async function deleteSignUpsOf(tx: Tx, userId: number): Promise<void> {
  await tx.deleteFrom('sign_ups').where('user_id', '=', userId).execute()
}

/** A cursor: the position of a sign-up in the order of expiry; the id breaks ties. */
export interface ExpiryKey {
  readonly id: string
  readonly expires_at: string
}

/** At most `limit` expired sign-ups, oldest first, with what tells whether their user is verified. */
export function findExpiredSignUps(
  db: Db,
  { nowMs, limit, after }: { nowMs: number; limit: number; after: ExpiryKey | undefined },
): Promise<(ExpiryKey & { verified_at: string | null })[]> {
  let query = db
    .selectFrom('sign_ups')
    .innerJoin('users', 'users.id', 'sign_ups.user_id')
    .select(['sign_ups.id', 'sign_ups.expires_at', 'users.verified_at'])
    .where('sign_ups.expires_at', '<=', toIso(nowMs))
  if (after !== undefined) {
    const { expires_at: at, id } = after
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('sign_ups.expires_at', 'sign_ups.id'), '>', tuple(at, id)),
    )
  }
  return query.orderBy('sign_ups.expires_at').orderBy('sign_ups.id').limit(limit).execute()
}

export async function deleteSignUps(tx: Tx, ids: readonly string[]): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('sign_ups')
    .where('id', 'in', ids)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** Avoids equal codes for one address: a mailed code could otherwise activate another sign-up's password. */
function idWithOwnCode(keys: KeyRing, others: readonly SignUpRow[]): string {
  const takenCodes = new Set(others.map((other) => codeOf(keys, 'verify', other)))
  let id = newId()
  while (takenCodes.has(codeOf(keys, 'verify', { id, key_id: keys.current.id }))) id = newId()
  return id
}
