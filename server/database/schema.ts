import type { Generated, Selectable } from 'kysely'

/** The purpose of a code; a code derived for one purpose is not valid for another. */
export type CodePurpose = 'verify' | 'phone' | 'email'

/**
 * One interface per table. Times are RFC 3339 texts in UTC with milliseconds (`timestamptz(3)` on
 * PostgreSQL, text on SQLite); nullable times replace booleans.
 */
export interface Schema {
  users: UsersTable
  sign_ups: SignUpsTable
  code_failures: CodeFailuresTable
  sessions: SessionsTable
  outbox: OutboxTable
  phone_changes: PhoneChangesTable
  password_resets: PasswordResetsTable
  invitations: InvitationsTable
  email_changes: EmailChangesTable
  jobs: JobsTable
  daily_counts: DailyCountsTable
  audit_events: AuditEventsTable
  erasures: ErasuresTable
  keys_in_use: KeysInUseTable
}

export type Role = 'user' | 'admin'

export interface UsersTable {
  /** Never reused, even after a deletion. */
  id: Generated<number>
  /** As typed by the owner who verified it; canonical until then, and after a reset that verified it. */
  email: string
  /** Unique; from lib/emails.ts, never from SQL. */
  email_canonical: string
  /** Until verified, that of an invitation; sign_ups holds the name and password of each attempt. */
  full_name: string | null
  password_hash: string | null
  role: Role
  verified_at: string | null
  disabled_at: string | null
  password_changed_at: string | null
  created_at: string
  updated_at: string
  /** The language of messages; null means English. */
  locale: string | null
  /** E.164; set once the user has confirmed it. */
  phone: string | null
  phone_verified_at: string | null
  /** When an admin or operator last lifted the lock of logins. */
  login_unlocked_at: string | null
  /** The role that accepting the invitation gives; null without one, and once verified. */
  invited_role: Role | null
  /** The end of the newest invitation, before which an unverified account does not expire, also once revoked. */
  invited_until: string | null
}

/** A user without what only the login reads. */
export type PublicUserRow = Omit<Selectable<UsersTable>, 'password_hash' | 'login_unlocked_at'>

/** What responses show of a user: each request reads it. */
export type ShownUserRow = Omit<
  PublicUserRow,
  'password_changed_at' | 'locale' | 'phone_verified_at'
>

/** A pending attempt to sign up an unverified address. */
export interface SignUpsTable {
  /** UUID v4; the code in the mail is derived from it. */
  id: string
  user_id: number
  email: string
  full_name: string | null
  password_hash: string
  /** The secret key from which the code is derived. */
  key_id: string
  ip: string | null
  user_agent: string | null
  locale: string | null
  created_at: string
  expires_at: string
}

/** `new_email` counts wrong codes for a new address, over all users who request it. */
export type CodeBudget = CodePurpose | 'new_email'

/** The budget of wrong codes of one address, known or not. */
export interface CodeFailuresTable {
  /** An HMAC of the address for `new_email`, because this row outlives the user. */
  email_canonical: string
  purpose: CodeBudget
  /** JSON: the times of the counted attempts of the last 24 hours, oldest first. */
  times: string
}

export interface SessionsTable {
  /** UUID v4; the `sid` of access tokens. */
  id: string
  user_id: number
  /** Number of refresh token rotations; only the newest generation can be rotated. */
  generation: number
  rotated_at: string | null
  created_at: string
  /** Idle expiry, extended by each refresh. */
  expires_at: string
  /** Absolute expiry. */
  ends_at: string
  last_seen_at: string
  /** As of the login or the newest refresh. */
  user_agent: string | null
  ip: string | null
  /** As of the login: an IPv4 address or the /64 of an IPv6 address. */
  login_network: string | null
  login_user_agent: string | null
  /** The last proof of the password after the login, or 1970 after a change of the password; null: neither. */
  authenticated_at: string | null
  revoked_at: string | null
}

/** The state of a message; an admin can resend `dead` and `bounced` ones. */
export type OutboxState = 'waiting' | 'sent' | 'dropped' | 'bounced' | 'dead'

/** A mail or text message to send, written in the transaction that causes it. */
export interface OutboxTable {
  /** UUID v4; the Message-ID of the mail. */
  id: string
  kind: string
  channel: Generated<'mail' | 'sms'>
  state: Generated<OutboxState>
  /** From outbox/lines.ts by kind; `codes` for rows of an older version. */
  line: Generated<string>
  /** 0 to 3: the more messages of its owner waited when it was enqueued, the later its turn. */
  turn: Generated<number>
  /** Canonical address, or an HMAC of it, for limits per address. */
  email_canonical: string | null
  /** The user that the message belongs to; deleting the user blanks it. */
  user_id: number | null
  /** The recipient of the last attempt, for admins. */
  recipient: string | null
  /** JSON: the input of the kind's job; ids and addresses, never a code. */
  payload: string
  created_at: string
  due_at: string
  /** The end of the current worker's claim. */
  claimed_until: string | null
  /** Number of claims; a fencing token: a worker that lost its claim cannot write an outcome. */
  claims: number
  /** Temporary refusals by the recipient's server. */
  refusals: Generated<number>
  /** Workers that ended while they held the message. */
  crashes: Generated<number>
  /** Complete transmissions without a confirmation: copies that may have arrived. */
  unconfirmed: Generated<number>
  /** Failures to compose the message: bugs in this service. */
  bugs: Generated<number>
  /** The first transport failure, which limits further retries. */
  first_failed_at: string | null
  last_error: string | null
  finished_at: string | null
}

/** A phone number that awaits its code; one per user. */
export interface PhoneChangesTable {
  /** UUID v4; the code in the text message is derived from it. */
  id: string
  user_id: number
  phone: string
  key_id: string
  created_at: string
  expires_at: string
}

/** A password reset link; its token is derived from the id. */
export interface PasswordResetsTable {
  /** UUID v4. */
  id: string
  user_id: number
  key_id: string
  created_at: string
  expires_at: string
  /** A token works once. */
  used_at: string | null
}

/** The link of the newest invitation of an unverified user; its token is derived from the id. */
export interface InvitationsTable {
  /** UUID v4. */
  id: string
  user_id: number
  key_id: string
  created_at: string
}

/** An email change: requested, confirmed with the code sent to the new address, possibly undone. */
export interface EmailChangesTable {
  /** UUID v4; the code for the new address and the undo token are derived from it. */
  id: string
  user_id: number
  email: string
  email_canonical: string
  /** Reserved while the change can be undone. */
  old_email: string
  old_email_canonical: string
  key_id: string
  created_at: string
  /** Expiry of the code. */
  expires_at: string
  confirmed_at: string | null
  /** Set when confirmed. */
  undo_until: string | null
  undone_at: string | null
}

/** A recurring job, shared by all replicas. */
export interface JobsTable {
  name: string
  /** The newest scheduled time that has been run. */
  last_slot: string | null
  /** JSON: the totals of that run. */
  counts: string | null
  /** UUID v4 of the run that holds the lease. */
  holder: string | null
  lease_until: string | null
  /** The failure since the newest run, with its error code; the log has the cause. */
  failed_at: string | null
  failure: string | null
  /** The run that an admin requested; null once it has been run. */
  requested_at: string | null
  /** JSON: who requested it, and how it is to run. */
  request: string | null
}

/** The events of a day in UTC, counted from the audit log. */
export interface DailyCountsTable {
  /** `yyyy-mm-dd`. */
  day: string
  /** The end of the day, or of the last hour that was counted. */
  counted_until: string
  sign_ups: number
  logins: number
  refused_logins: number
}

/** The audit log, append-only: ids and field names, never an address or a name. */
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

/** What did not fit into the request that deleted an account; a job erases it in batches. */
export interface ErasuresTable {
  id: Generated<number>
  /** The deleted user; null when an account only left the address. */
  user_id: number | null
  /** The address, while messages without a user id belong to the account. */
  email_canonical: string | null
  /** The user who takes the messages over; null when they are blanked. */
  heir_id: number | null
  /** Later messages to the address belong to a later owner. */
  created_at: string
}

/** The key that all processes use, by purpose: ids, from which no key can be computed. */
export interface KeysInUseTable {
  purpose: 'secret' | 'token'
  key_id: string
  /** The key before it. */
  former_key_id: string | null
  /** When a process with this key was last alive. */
  seen_at: string
}
