import type { Generated, Selectable } from 'kysely'

/** What a code proves. One made for one purpose never works for another. */
export type CodePurpose = 'verify' | 'phone' | 'email'

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
  phone_changes: PhoneChangesTable
  password_resets: PasswordResetsTable
  email_changes: EmailChangesTable
  jobs: JobsTable
  audit_events: AuditEventsTable
  audit_leftovers: AuditLeftoversTable
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
  /** The language of mails; null: English. */
  locale: string | null
  /** E.164, only once its owner proved it. */
  phone: string | null
  phone_verified_at: string | null
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
  locale: string | null
  created_at: string
  expires_at: string
}

/** `new_email`: at the codes that all users together had mailed to an address they want. */
export type CodeBudget = CodePurpose | 'new_email'

/** The budget of wrong codes of one address, known or not. */
export interface CodeFailuresTable {
  /** For `new_email` an HMAC of it: the row names nobody. */
  email_canonical: string
  purpose: CodeBudget
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
  /** At the login or the newest refresh. */
  user_agent: string | null
  ip: string | null
  /** At the login: an IPv4 address, or the /64 of an IPv6 one. */
  login_network: string | null
  login_user_agent: string | null
  revoked_at: string | null
}

/** How a message ended; `dead` and `bounced` wait for an admin. */
export type OutboxState = 'waiting' | 'sent' | 'dropped' | 'bounced' | 'dead'

/** A mail or text message to send, written in the transaction that causes it. */
export interface OutboxTable {
  /** UUID v4; the Message-ID of the mail. */
  id: string
  kind: string
  channel: Generated<'mail' | 'sms'>
  state: Generated<OutboxState>
  /** Canonical address for limits per address; null where the user is known by id. */
  email_canonical: string | null
  /** Whose message it is; what it names is blanked when that user goes. */
  user_id: number | null
  /** Where it went at the last try; for admins. */
  recipient: string | null
  /** JSON: what the job of this kind needs; ids and addresses, never a code. */
  payload: string
  created_at: string
  due_at: string
  /** Until then the row belongs to one worker. */
  claimed_until: string | null
  /** Counts claims and fences: a worker that lost its claim finishes nothing. */
  claims: number
  /** How often the recipient's server asked to try later. */
  refusals: Generated<number>
  /** How often a worker ended with this message in hand. */
  crashes: Generated<number>
  /** How often it was handed over whole and never confirmed: copies that may have arrived. */
  unconfirmed: Generated<number>
  /** How often it could not be made: bugs of ours. */
  bugs: Generated<number>
  /** When the transport first failed with it: it is not tried for ever. */
  first_failed_at: string | null
  last_error: string | null
  finished_at: string | null
}

/** A phone number that its user has not proved yet; one per user. */
export interface PhoneChangesTable {
  /** UUID v4; the code in the text message is derived from it. */
  id: string
  user_id: number
  phone: string
  key_id: string
  created_at: string
  expires_at: string
}

/** A link to set a new password; the token in it is derived from the id. */
export interface PasswordResetsTable {
  /** UUID v4. */
  id: string
  user_id: number
  key_id: string
  created_at: string
  expires_at: string
  /** Set once; a used token opens nothing. */
  used_at: string | null
}

/** A change of the address: begun, then confirmed by the code mailed to the new one, then perhaps undone. */
export interface EmailChangesTable {
  /** UUID v4; the code for the new address and the undo token for the old one are derived from it. */
  id: string
  user_id: number
  email: string
  email_canonical: string
  /** Reserved for its owner while the change can be undone. */
  old_email: string
  old_email_canonical: string
  key_id: string
  created_at: string
  /** Of the code. */
  expires_at: string
  confirmed_at: string | null
  /** Set when confirmed. */
  undo_until: string | null
  undone_at: string | null
}

/** One recurring job, over all replicas. */
export interface JobsTable {
  name: string
  /** The newest time that its schedule named and that was run. */
  last_slot: string | null
  /** JSON: what that run did. */
  counts: string | null
  /** UUID v4 of the run that holds the lease. */
  holder: string | null
  lease_until: string | null
}

/** What happened, append-only: ids and field names, never an address or a name. */
export interface AuditEventsTable {
  id: Generated<number>
  at: string
  event: string
  actor_id: number | null
  subject_id: number | null
  /** JSON. */
  changes: string
  ip: string | null
  request_id: string | null
}

/** Deleted users whose events still tell where they acted from; the purge blanks them. */
export interface AuditLeftoversTable {
  user_id: number
}
