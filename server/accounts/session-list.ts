import { type Db, type Query, run, type Tx } from '../database/connect.ts'
import type { SessionsTable } from '../database/schema.ts'
import { DAY_MS, toIso } from '../lib/units.ts'
import type { PublicUserRow } from './users.ts'
import { countLive, openAt, SESSIONS_MAX } from './sessions.ts'

/** A device or network counts as known for this long after a successful login. */
const KNOWN_FOR_MS = 30 * DAY_MS
/** A first login within this time after the verification is expected and needs no alert. */
const FIRST_LOGIN_WITHIN_MS = DAY_MS

type SessionRow = Pick<SessionsTable, 'id' | 'created_at' | 'last_seen_at' | 'ip' | 'user_agent'>

/** The live sessions of a user, most recently used first. */
export function findSessionsOf(db: Db, userId: number, nowMs: number): Promise<SessionRow[]> {
  return db
    .selectFrom('sessions')
    .select(['id', 'created_at', 'last_seen_at', 'ip', 'user_agent'])
    .where('user_id', '=', userId)
    .where(openAt(toIso(nowMs)))
    .orderBy('last_seen_at', 'desc')
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(SESSIONS_MAX)
    .execute()
}

/**
 * True for a login from a user agent that no login of the last 30 days used. Call it under the user's
 * lock, before `openSession`: of two concurrent logins, only one is new.
 */
export async function isNewDevice(
  tx: Tx,
  user: Pick<PublicUserRow, 'id' | 'verified_at'>,
  { userAgent, nowMs }: { userAgent: string | null; nowMs: number },
): Promise<boolean> {
  const login = { userId: user.id, since: toIso(nowMs - KNOWN_FOR_MS) }
  const known =
    userAgent === null
      ? await run(tx, loginsWithoutDevice, login)
      : await run(tx, loginsOfDevice, { ...login, userAgent })
  if (known.length > 0) return false
  const isYoung = (user.verified_at ?? '') > toIso(nowMs - FIRST_LOGIN_WITHIN_MS)
  return !isYoung || (await hasLoggedIn(tx, user.id))
}

const loginsOfDevice: Query<{ userId: number; since: string; userAgent: string }, { id: string }> =
  {
    name: 'logins_of_device',
    build: (db, { userId, since, userAgent }) =>
      loginsSince(db, userId, since).where('login_user_agent', '=', userAgent),
  }

const loginsWithoutDevice: Query<{ userId: number; since: string }, { id: string }> = {
  name: 'logins_without_device',
  build: (db, { userId, since }) =>
    loginsSince(db, userId, since).where('login_user_agent', 'is', null),
}

function loginsSince(db: Db, userId: number, since: string) {
  return db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where('created_at', '>', since)
    .limit(1)
}

/**
 * True when an account with this canonical address had a login from this network (see `networkOf`) in
 * the last 30 days. The same query runs for known and unknown addresses.
 */
export async function isKnownNetwork(
  db: Db,
  email: string,
  { network, nowMs }: { network: string; nowMs: number },
): Promise<boolean> {
  const from = recentLogins(db, email, nowMs).where('sessions.login_network', '=', network)
  return (await from.executeTakeFirst()) !== undefined
}

/** The same for a user agent, which strangers may copy: grant known devices only what is limited itself. */
export async function isKnownDevice(
  db: Db,
  email: string,
  { userAgent, nowMs }: { userAgent: string | null; nowMs: number },
): Promise<boolean> {
  if (userAgent === null) return false
  const by = recentLogins(db, email, nowMs).where('sessions.login_user_agent', '=', userAgent)
  return (await by.executeTakeFirst()) !== undefined
}

/**
 * Ends at most `limit` sessions whose ids follow `after`. Returns how many of them were live, and the
 * cursor of the next batch; undefined after the last one.
 */
export async function endSessionsAfter(
  tx: Tx,
  after: string,
  { limit, nowMs }: { limit: number; nowMs: number },
): Promise<{ ended: number; last: string | undefined }> {
  const found = await tx
    .selectFrom('sessions')
    .select('id')
    .where('id', '>', after)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .execute()
  const ids = found.map((session) => session.id)
  if (ids.length === 0) return { ended: 0, last: undefined }
  const revoked = await tx
    .updateTable('sessions')
    .set({ revoked_at: toIso(nowMs) })
    .where('id', 'in', ids)
    .returning('expires_at')
    .execute()
  return { ended: countLive(revoked, nowMs), last: ids.at(-1) }
}

function recentLogins(db: Db, email: string, nowMs: number) {
  return db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select('sessions.id')
    .where('users.email_canonical', '=', email)
    .where('sessions.created_at', '>', toIso(nowMs - KNOWN_FOR_MS))
    .limit(1)
}

async function hasLoggedIn(tx: Tx, userId: number): Promise<boolean> {
  const session = await tx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .limit(1)
    .executeTakeFirst()
  return session !== undefined
}
