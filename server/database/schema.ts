import type { Generated, Selectable } from 'kysely'

/**
 * One interface per table. Times are RFC 3339 texts in UTC with milliseconds (`timestamptz(3)` on
 * PostgreSQL, text on SQLite); there are no booleans: a nullable time says since when.
 */
export interface Schema {
  users: UsersTable
  sign_ups: SignUpsTable
  code_failures: CodeFailuresTable
  sessions: SessionsTable
  outbox: OutboxTable
}

export type Role = 'user' | 'admin'

export interface UsersTable {
  /** Never reused, even after a deletion. */
  id: Generated<number>
  /** As typed by whoever proved it. */
  email: string
  /** Unique; from lib/emails.ts, never from SQL. */
  email_canonical: string
  /** Null until verified: until then name and password belong to the attempts in sign_ups. */
  full_name: string | null
  password_hash: string | null
  role: Role
  verified_at: string | null
  disabled_at: string | null
  password_changed_at: string | null
  created_at: string
  updated_at: string
}

/** A user without the password hash: what everything but a login reads. */
export type PublicUserRow = Omit<Selectable<UsersTable>, 'password_hash'>

/** One attempt to sign up an address that nobody has verified yet. */
export interface SignUpsTable {
  /** UUID v4; the code in the mail is derived from it. */
  id: string
  user_id: number
  email: string
  full_name: string | null
  password_hash: string
  /** Which secret key the code is derived with. */
  key_id: string
  ip: string | null
  user_agent: string | null
  created_at: string
  expires_at: string
}

/** The budget of wrong codes of one address, known or not. */
export interface CodeFailuresTable {
  email_canonical: string
  purpose: 'verify'
  /** JSON: the times of the counted tries of the last 24 hours, oldest first. */
  times: string
}

export interface SessionsTable {
  /** UUID v4; the `sid` of access tokens. */
  id: string
  user_id: number
  /** How often the refresh token was rotated; only the newest generation rotates again. */
  generation: number
  rotated_at: string | null
  created_at: string
  /** Idle end, moved by each refresh. */
  expires_at: string
  /** Absolute end. */
  ends_at: string
  last_seen_at: string
  user_agent: string | null
  ip: string | null
  revoked_at: string | null
}

/** Mail to send, written in the transaction that causes it. */
export interface OutboxTable {
  /** UUID v4; the Message-ID of the mail. */
  id: string
  kind: string
  /** Canonical address for limits per address; null where the user is known by id. */
  email_canonical: string | null
  /** JSON: what the job of this kind needs; ids and addresses, never a code. */
  payload: string
  created_at: string
  due_at: string
  /** Until then the row belongs to one worker. */
  claimed_until: string | null
  /** Counts claims and fences: a worker that lost its claim finishes nothing. */
  claims: number
  finished_at: string | null
}
