import type { ExpressionBuilder } from 'kysely'
import { type Query, run, type Statement, type Tx } from '../database/connect.ts'
import type { Schema } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import { networkOf } from '../lib/networks.ts'
import { equalTexts, type KeyRing, mac } from '../keys/key-ring.ts'
import { newId } from '../lib/random.ts'
import { toIso } from '../lib/units.ts'
import type { ShownUserRow } from '../database/schema.ts'
import { SHOWN_COLUMNS } from './users.ts'
import type { Write } from './write.ts'
import { deleteBefore } from '../database/delete-before.ts'

/** Live sessions per user; a further one ends the oldest. */
export const SESSIONS_MAX = 20

export interface SessionTimes {
  readonly nowMs: number
  readonly idleLifetimeMs: number
  readonly lifetimeMs: number
}

/**
 * The user of a session that is neither revoked nor expired, if that user may sign in. Each request asks: a
 * condition of the query costs less than a column of the row.
 */
export const signedInUser: Query<{ sessionId: string; now: string }, ShownUserRow> = {
  name: 'signed_in_user',
  build: (db, { sessionId, now }) =>
    db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(SHOWN_COLUMNS.map((column) => `users.${column}` as const))
      .where('sessions.id', '=', sessionId)
      .where(openAt(now))
      .where('users.verified_at', 'is not', null)
      .where('users.disabled_at', 'is', null),
}

/** The condition of a session that is neither revoked nor expired. */
export function openAt(now: string) {
  return (eb: ExpressionBuilder<Schema, 'sessions'>) =>
    eb.and([eb('revoked_at', 'is', null), eb('expires_at', '>', now), eb('ends_at', '>', now)])
}

/**
 * Locks a session while it is neither revoked nor expired. `authenticated_at` is the login, or a later
 * proof of the password; a refresh proves none.
 */
export function lockSession(
  tx: Tx,
  id: string,
  nowMs: number,
): Promise<{ authenticated_at: string } | undefined> {
  return tx
    .selectFrom('sessions')
    .select(({ fn }) => fn.coalesce('authenticated_at', 'created_at').as('authenticated_at'))
    .where('id', '=', id)
    .where(openAt(toIso(nowMs)))
    .forUpdate()
    .executeTakeFirst()
}

/** Sets the time of the last proof of the password; 0 makes the session prove it again. */
export async function setAuthenticated(tx: Tx, id: string, atMs: number): Promise<void> {
  const values = { authenticated_at: toIso(atMs) }
  await tx.updateTable('sessions').set(values).where('id', '=', id).execute()
}

/**
 * Opens a session, ends the user's oldest ones beyond twenty and returns their ids. The caller holds the
 * user's lock.
 */
export async function openSession(
  tx: Tx,
  userId: number,
  { client, ...times }: SessionTimes & { client: Client },
): Promise<{ id: string; expiresAt: string; endedIds: string[] }> {
  const id = newId()
  const now = toIso(times.nowMs)
  const expiresAt = toIso(times.nowMs + Math.min(times.idleLifetimeMs, times.lifetimeMs))
  await run(tx, insertSession, {
    id,
    userId,
    now,
    expiresAt,
    endsAt: toIso(times.nowMs + times.lifetimeMs),
    userAgent: client.userAgent,
    ip: client.ip,
    network: client.ip && networkOf(client.ip),
  })
  const surplus = await run(tx, surplusSessions, { userId, now, id })
  const endedIds = surplus.map((session) => session.id)
  for (const oldest of endedIds) await endSession(tx, oldest, times.nowMs)
  return { id, expiresAt, endedIds }
}

const insertSession: Statement<
  {
    id: string
    userId: number
    now: string
    expiresAt: string
    endsAt: string
    userAgent: string | null
    ip: string | null
    network: string | null
  },
  unknown
> = {
  name: 'insert_session',
  build: (tx, { id, userId, now, expiresAt, endsAt, userAgent, ip, network }) =>
    tx.insertInto('sessions').values({
      id,
      user_id: userId,
      generation: 0,
      created_at: now,
      expires_at: expiresAt,
      ends_at: endsAt,
      last_seen_at: now,
      user_agent: userAgent,
      ip,
      login_network: network,
      login_user_agent: userAgent,
    }),
}

const surplusSessions: Query<{ userId: number; now: string; id: string }, { id: string }> = {
  name: 'surplus_sessions',
  build: (db, { userId, now, id }) =>
    db
      .selectFrom('sessions')
      .select('id')
      .where('user_id', '=', userId)
      .where(openAt(now))
      .where('id', '!=', id)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(SESSIONS_MAX)
      .offset(SESSIONS_MAX - 1),
}

export type Rotation =
  | {
      readonly outcome: 'rotated' | 'repeated'
      readonly userId: number
      readonly generation: number
      readonly expiresAt: string
    }
  | { readonly outcome: 'replayed' | 'unissued'; readonly userId: number }
  | { readonly outcome: 'refused' }

/** The user's part of `isLive`, in SQL. */
function ofActiveUser(eb: ExpressionBuilder<Schema, 'sessions'>) {
  return eb.exists(
    eb
      .selectFrom('users')
      .select('users.id')
      .whereRef('users.id', '=', 'sessions.user_id')
      .where('users.verified_at', 'is not', null)
      .where('users.disabled_at', 'is', null),
  )
}

/** A rotation as it is asked for: by the client with a token, now. */
export interface RotationRequest extends SessionTimes {
  readonly sessionId: string
  readonly generation: number
  readonly client: Client
  readonly graceMs: number
}

/** Rotates the refresh token of the newest generation; no row for any other, or where it is not live. */
export const rotateNewest: Statement<
  {
    id: string
    generation: number
    now: string
    idleEnd: string
    userAgent: string | null
    ip: string | null
  },
  { user_id: number; generation: number; expires_at: string }
> = {
  name: 'rotate_newest',
  build: (tx, { id, generation, now, idleEnd, userAgent, ip }) =>
    tx
      .updateTable('sessions')
      .set((eb) => ({
        generation: eb('generation', '+', 1),
        rotated_at: now,
        last_seen_at: now,
        // Capped at the absolute end: the purge reads only this column.
        expires_at: eb
          .case()
          .when('ends_at', '<', idleEnd)
          .then(eb.ref('ends_at'))
          .else(idleEnd)
          .end(),
        user_agent: userAgent,
        ip,
      }))
      .where('id', '=', id)
      .where('generation', '=', generation)
      .where(openAt(now))
      .where(ofActiveUser)
      .returning(['user_id', 'generation', 'expires_at']),
}

/** The parameters of `rotateNewest`. */
export function rotationValues({ sessionId, generation, client, ...times }: RotationRequest) {
  return {
    id: sessionId,
    generation,
    now: toIso(times.nowMs),
    idleEnd: toIso(times.nowMs + times.idleLifetimeMs),
    userAgent: client.userAgent,
    ip: client.ip,
  }
}

/**
 * Rotates the refresh token of one generation; concurrent calls yield one successor (RFC 9700 section
 * 4.14.2). `repeated`: the predecessor, within the grace period, gets the same successor. `replayed`: an
 * older token ends the session. `unissued`: a newer token than this database has issued ends it, too, but
 * is no theft: a primary that lost commits in a failover issued it. `refused`, also while the user may
 * not log in, changes nothing.
 */
export async function rotateSession(tx: Tx, request: RotationRequest): Promise<Rotation> {
  const [rotated] = await run(tx, rotateNewest, rotationValues(request))
  return rotated ? renewed('rotated', rotated) : judgeOldGeneration(tx, request)
}

/** The outcome for the session as it is now. */
export function renewed(
  outcome: 'rotated' | 'repeated',
  session: { user_id: number; generation: number; expires_at: string },
): Rotation {
  const { user_id: userId, generation, expires_at: expiresAt } = session
  return { outcome, userId, generation, expiresAt }
}

async function judgeOldGeneration(
  tx: Tx,
  { nowMs, graceMs, ...presented }: RotationRequest,
): Promise<Rotation> {
  const now = toIso(nowMs)
  const session = await tx
    .selectFrom('sessions')
    .select(['user_id', 'generation', 'expires_at', 'rotated_at'])
    .where('id', '=', presented.sessionId)
    .where(openAt(now))
    .where(ofActiveUser)
    .forUpdate()
    .executeTakeFirst()
  if (session === undefined) return { outcome: 'refused' }
  const graceStart = toIso(nowMs - graceMs)
  const isPredecessor = presented.generation === session.generation - 1
  if (isPredecessor && session.rotated_at !== null && session.rotated_at > graceStart)
    return renewed('repeated', session)
  await endSession(tx, presented.sessionId, nowMs)
  const isOlder = presented.generation < session.generation
  return { outcome: isOlder ? 'replayed' : 'unissued', userId: session.user_id }
}

/** Returns the user's id; undefined when the session is unknown, revoked or expired. */
export async function endSession(tx: Tx, id: string, nowMs: number): Promise<number | undefined> {
  const session = await tx
    .updateTable('sessions')
    .set({ revoked_at: toIso(nowMs) })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    // Sessions of a deleted user are deleted in batches.
    .where(({ exists, selectFrom }) =>
      exists(selectFrom('users').select('users.id').whereRef('users.id', '=', 'sessions.user_id')),
    )
    .returning(['user_id', 'expires_at'])
    .executeTakeFirst()
  return session && countLive([session], nowMs) > 0 ? session.user_id : undefined
}

/** Ends the session for whoever presents its refresh token, who acts for its user, and records it. */
export async function logOut({ tx, nowMs, record }: Write, id: string): Promise<void> {
  const userId = await endSession(tx, id, nowMs)
  if (userId === undefined) return
  await record('session.ended', {
    actorId: userId,
    subjectId: userId,
    changes: { session_id: id },
  })
}

/** Ends a live session of this user; false for an unknown session or one of another user. */
export async function endSessionOf(
  tx: Tx,
  userId: number,
  { id, nowMs }: { id: string; nowMs: number },
): Promise<boolean> {
  const now = toIso(nowMs)
  const session = await tx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where(openAt(now))
    .returning('id')
    .executeTakeFirst()
  return session !== undefined
}

/** Ends every live session of a user except `keep`. Returns how many. */
export async function endSessionsOf(
  tx: Tx,
  userId: number,
  { nowMs, keep }: { nowMs: number; keep?: string },
): Promise<number> {
  const now = toIso(nowMs)
  let query = tx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    // An index leads to these: a user leaves thousands of ended sessions behind.
    .where(openAt(now))
  if (keep !== undefined) query = query.where('id', '!=', keep)
  const { numUpdatedRows } = await query.executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Deletes at most `limit` sessions of deleted users; returns how many. */
export async function deleteSessionsOf(
  tx: Tx,
  userIds: readonly number[],
  limit: number,
): Promise<number> {
  if (userIds.length === 0) return 0
  const { numDeletedRows } = await tx
    .deleteFrom('sessions')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('sessions')
        .select('id')
        .where('user_id', 'in', userIds)
        .orderBy('user_id')
        .orderBy('created_at')
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** Counts the sessions that had not expired before they were revoked. */
export function countLive(revoked: readonly { expires_at: string }[], nowMs: number): number {
  return revoked.filter((session) => session.expires_at > toIso(nowMs)).length
}

/**
 * Deletes at most `limit` sessions that expired before `before`; returns how many. Their tokens are
 * still refused: an unknown session counts as an ended one.
 */
export function deleteSessionsBefore(tx: Tx, before: string, limit: number): Promise<number> {
  // A revoked session is deleted once it would have expired, at most a week later: one index is enough.
  return deleteBefore(tx, ['sessions', 'expires_at'], { before, limit })
}

/** `<session id>.<generation>.<MAC>`: no secret is stored, and a forged token causes no query. */
export function refreshTokenFor(keys: KeyRing, sessionId: string, generation: number): string {
  return `${sessionId}.${generation}.${mac(keys.current.of.refresh, `refresh:${sessionId}:${generation}`)}`
}

const REFRESH_TOKEN =
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})\.([\w-]{43})$/

/** Verifies the MAC of a refresh token and parses it; undefined unless it is genuine. */
export function readRefreshToken(
  keys: KeyRing,
  token: string,
): { sessionId: string; generation: number } | undefined {
  const [, sessionId = '', generation = '', presented = ''] = REFRESH_TOKEN.exec(token) ?? []
  const genuine = keys.all.some((set) =>
    equalTexts(mac(set.of.refresh, `refresh:${sessionId}:${generation}`), presented),
  )
  return genuine ? { sessionId, generation: Number(generation) } : undefined
}
