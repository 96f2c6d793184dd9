import type { ExpressionBuilder } from 'kysely'
import type { LookUp, Tx } from '../database/connect.ts'
import type { Schema } from '../database/schema.ts'
import type { Client } from '../http/client.ts'
import { networkOf } from '../lib/networks.ts'
import { equalTexts, type KeyRing, mac } from '../keys/key-ring.ts'
import { newId } from '../lib/random.ts'
import { toIso } from '../lib/units.ts'
import { type PublicUserRow, USER_COLUMNS } from './users.ts'
import { deleteBefore } from '../database/delete-before.ts'

/** Sessions of one user; one more ends the oldest. */
export const SESSIONS_MAX = 20

export interface SessionTimes {
  readonly nowMs: number
  readonly idleLifetimeMs: number
  readonly lifetimeMs: number
}

/** The session of an access token with its user, both as they are now. `id` is the user's. */
export interface SessionUser extends PublicUserRow {
  expires_at: string
  ends_at: string
  revoked_at: string | null
}

export const sessionUserById: LookUp<string, SessionUser> = {
  name: 'session_user_by_id',
  build: (db, id) =>
    db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(USER_COLUMNS.map((column) => `users.${column}` as const))
      .select(['sessions.expires_at', 'sessions.ends_at', 'sessions.revoked_at'])
      .where('sessions.id', '=', id),
}

/** True when the session may act now: neither of the two has ended, and the user may sign in. */
export function isLive(session: SessionUser, nowMs: number): boolean {
  const now = toIso(nowMs)
  return (
    session.revoked_at === null &&
    session.expires_at > now &&
    session.ends_at > now &&
    session.verified_at !== null &&
    session.disabled_at === null
  )
}

/** What `isLive` asks of the session itself, in SQL. */
export function openAt(now: string) {
  return (eb: ExpressionBuilder<Schema, 'sessions'>) =>
    eb.and([eb('revoked_at', 'is', null), eb('expires_at', '>', now), eb('ends_at', '>', now)])
}

/** Locks a session and says whether it has not ended, by time or by somebody. */
export async function isSessionOpen(tx: Tx, id: string, nowMs: number): Promise<boolean> {
  const now = toIso(nowMs)
  const session = await tx
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', id)
    .where(openAt(now))
    .forUpdate()
    .executeTakeFirst()
  return session !== undefined
}

/** Opens a session of a user whose lock the caller holds; ends the oldest beyond twenty, and names them. */
export async function openSession(
  tx: Tx,
  userId: number,
  { client, ...times }: SessionTimes & { client: Client },
): Promise<{ id: string; ended: string[] }> {
  const id = newId()
  const now = toIso(times.nowMs)
  await tx
    .insertInto('sessions')
    .values({
      id,
      user_id: userId,
      generation: 0,
      rotated_at: null,
      created_at: now,
      expires_at: toIso(times.nowMs + Math.min(times.idleLifetimeMs, times.lifetimeMs)),
      ends_at: toIso(times.nowMs + times.lifetimeMs),
      last_seen_at: now,
      user_agent: client.userAgent,
      ip: client.ip,
      login_network: client.ip && networkOf(client.ip),
      login_user_agent: client.userAgent,
      revoked_at: null,
    })
    .execute()
  const surplus = await tx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where(openAt(now))
    .where('id', '!=', id)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(SESSIONS_MAX)
    .offset(SESSIONS_MAX - 1)
    .execute()
  const ended = surplus.map((session) => session.id)
  for (const oldest of ended) await endSession(tx, oldest, times.nowMs)
  return { id, ended }
}

export type Rotation =
  | {
      readonly outcome: 'rotated' | 'repeated'
      readonly userId: number
      readonly generation: number
    }
  | { readonly outcome: 'replayed' | 'unissued'; readonly userId: number }
  | { readonly outcome: 'refused' }

/**
 * Rotates the refresh token of one generation. `rotated`: it was the newest until now.
 * `repeated`: it is the one before, within the grace, and gets the same successor. `replayed`: it is
 * older, and the session, which was live, is ended now. `unissued`: so it is, but nobody had the token
 * from this database as it is: one that lost commits in a fail-over issued it, which is no theft. N calls at once yield one successor
 * (RFC 9700 section 4.14.2).
 */
export async function rotateSession(
  tx: Tx,
  presented: { sessionId: string; generation: number },
  { client, ...times }: SessionTimes & { client: Client; graceMs: number },
): Promise<Rotation> {
  const now = toIso(times.nowMs)
  const idleEnd = toIso(times.nowMs + times.idleLifetimeMs)
  const rotated = await tx
    .updateTable('sessions')
    .set((eb) => ({
      generation: eb('generation', '+', 1),
      rotated_at: now,
      last_seen_at: now,
      // Never past the absolute end: the purge goes by this time alone.
      expires_at: eb
        .case()
        .when('ends_at', '<', idleEnd)
        .then(eb.ref('ends_at'))
        .else(idleEnd)
        .end(),
      user_agent: client.userAgent,
      ip: client.ip,
    }))
    .where('id', '=', presented.sessionId)
    .where('generation', '=', presented.generation)
    .where(openAt(now))
    .returning(['user_id', 'generation'])
    .executeTakeFirst()
  if (rotated)
    return { outcome: 'rotated', userId: rotated.user_id, generation: rotated.generation }
  return judgeOldGeneration(tx, presented, times)
}

async function judgeOldGeneration(
  tx: Tx,
  presented: { sessionId: string; generation: number },
  times: { nowMs: number; graceMs: number },
): Promise<Rotation> {
  const now = toIso(times.nowMs)
  const session = await tx
    .selectFrom('sessions')
    .select(['user_id', 'generation', 'rotated_at'])
    .where('id', '=', presented.sessionId)
    .where(openAt(now))
    .forUpdate()
    .executeTakeFirst()
  if (session === undefined) return { outcome: 'refused' }
  const graceStart = toIso(times.nowMs - times.graceMs)
  const isPredecessor = presented.generation === session.generation - 1
  if (isPredecessor && session.rotated_at !== null && session.rotated_at > graceStart) {
    return { outcome: 'repeated', userId: session.user_id, generation: session.generation }
  }
  await endSession(tx, presented.sessionId, times.nowMs)
  const isOlder = presented.generation < session.generation
  return { outcome: isOlder ? 'replayed' : 'unissued', userId: session.user_id }
}

/** Whose session it was; undefined when it had ended already, also by itself, or there is none. */
export async function endSession(tx: Tx, id: string, nowMs: number): Promise<number | undefined> {
  const ended = await tx
    .updateTable('sessions')
    .set({ revoked_at: toIso(nowMs) })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning(['user_id', 'expires_at'])
    .executeTakeFirst()
  return ended && countLive([ended], nowMs) > 0 ? ended.user_id : undefined
}

/** Ends a live session of this user and of nobody else; false when there is none. */
export async function endSessionOf(
  tx: Tx,
  userId: number,
  { id, nowMs }: { id: string; nowMs: number },
): Promise<boolean> {
  const now = toIso(nowMs)
  const ended = await tx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where(openAt(now))
    .returning('id')
    .executeTakeFirst()
  return ended !== undefined
}

/** Ends all sessions of a user, but for the one to keep, if any. Returns how many of them were live. */
export async function endSessionsOf(
  tx: Tx,
  userId: number,
  { nowMs, keep }: { nowMs: number; keep?: string },
): Promise<number> {
  let query = tx
    .updateTable('sessions')
    .set({ revoked_at: toIso(nowMs) })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .returning('expires_at')
  if (keep !== undefined) query = query.where('id', '!=', keep)
  return countLive(await query.execute(), nowMs)
}

/** Of sessions that were ended just now, those that had not been over by themselves. */
export function countLive(ended: readonly { expires_at: string }[], nowMs: number): number {
  return ended.filter((session) => session.expires_at > toIso(nowMs)).length
}

/**
 * Deletes at most `limit` sessions that could not be used since `before`; returns how many. A token of
 * theirs is refused then as before: an unknown session is an ended one.
 */
export function deleteSessionsBefore(tx: Tx, before: string, limit: number): Promise<number> {
  // A revoked one goes with its idle end, at most a week later: one index is enough.
  return deleteBefore(tx, ['sessions', 'expires_at'], { before, limit })
}

/** `<session id>.<generation>.<MAC>`: nothing secret is stored, and a wrong MAC never reaches the table. */
export function refreshTokenFor(keys: KeyRing, sessionId: string, generation: number): string {
  return `${sessionId}.${generation}.${mac(keys.current.of.refresh, `refresh:${sessionId}:${generation}`)}`
}

const REFRESH_TOKEN =
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})\.([\w-]{43})$/

/** What a refresh token says, or undefined unless its MAC is right, letter for letter. */
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
