import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'

/** The number of attempts per key and window. */
export interface Limit {
  readonly points: number
  readonly windowMs: number
  /**
   * The kind of key. A network is an IPv4 address or an IPv6 /64, whose /56 and /48 have 4 and 16 times
   * the points; RATE_LIMIT_SCALE multiplies the points per network.
   */
  readonly per:
    | 'network'
    | 'address'
    | 'address and network'
    | 'address and device'
    | 'address and reason'
    | 'session'
    | 'user'
    | 'phone number'
    | 'service'
  /**
   * For limits that a route declares: the statuses that count. A request is counted once its body has
   * been read, and refunded when its response has another status.
   */
  readonly counts?: readonly number[]
  /** Beyond the limit: one attempt after each pause; pauses double from `firstMs` to `maxMs`. */
  readonly backoff?: {
    readonly firstMs: number
    readonly maxMs: number
    /** Time from the first pause until the backoff resets. */
    readonly forgetMs: number
  }
}

/**
 * Every limit on repeated requests. Addresses are canonical; registered and unknown ones are counted
 * alike. Wrong codes, and messages per user and address, are counted in the database.
 */
export const LIMITS = {
  // ASVS 2.4.1, automation. 409 counts, otherwise registered addresses could be enumerated.
  sign_up_network: network(10, HOUR_MS, [201, 409, 429]),
  // Against spraying: one guess at each of many addresses. A correct code is refunded.
  verify_network: network(100, 10 * MINUTE_MS, [400]),
  // Each request may send mail to a third party.
  resend_network: network(30, HOUR_MS, [202]),
  // Places of one network, whatever others have requested for the address.
  resend: { points: 3, windowMs: HOUR_MS, per: 'address and network' },
  forgot_network: network(10, HOUR_MS, [202]),
  // Beyond it no mail is sent; the response is the same. Per network, so that an attacker cannot use up the
  // owner's limit.
  forgot: { points: 3, windowMs: HOUR_MS, per: 'address and network' },
  forgot_device: { points: 3, windowMs: HOUR_MS, per: 'address and device' },

  // Hashes, the most expensive part of a request, whatever its outcome: right passwords that end in 403
  // are refunded by all other limits. Far more than a network of honest clients needs.
  hashes_network: { points: 600, windowMs: 10 * MINUTE_MS, per: 'network' },
  // Beyond it the leaked list is not queried. Below the 20 concurrent queries, so that one network cannot
  // block them all.
  leaked_list_network: { points: 15, windowMs: 10 * MINUTE_MS, per: 'network' },

  // Wrong passwords for many addresses from one network,
  login_network: network(100, 10 * MINUTE_MS, [401]),
  // for one address from one network,
  login: {
    points: 10,
    windowMs: 10 * MINUTE_MS,
    per: 'address and network',
    backoff: { firstMs: 30 * SECOND_MS, maxMs: HOUR_MS, forgetMs: DAY_MS },
  },
  // and for one address from many networks (NIST SP 800-63B-4 section 3.2.2 allows 100 in a row). Networks
  // of the owner's recent logins are exempt; a login or a reset clears it. At most a day: nothing clears the
  // lock of an unknown address, so a longer one would reveal which addresses are unknown.
  login_address: { points: 50, windowMs: DAY_MS, per: 'address' },
  // A user agent of the owner's recent logins is exempt from that lock until it is spent: it may be copied.
  login_device: { points: 10, windowMs: DAY_MS, per: 'address and device' },
  // Beyond it a failed login is not recorded again.
  login_failed: { points: 1, windowMs: HOUR_MS, per: 'address and reason' },
  // Against a stolen session or an unlocked screen. Per session, so that other sessions are not affected;
  // the correct password clears it.
  current_password: {
    points: 10,
    windowMs: 10 * MINUTE_MS,
    per: 'session',
    backoff: { firstMs: 30 * SECOND_MS, maxMs: HOUR_MS, forgetMs: DAY_MS },
  },
  // Beyond it the session ends; a new one requires the password.
  current_password_in_a_row: { points: 50, windowMs: 30 * DAY_MS, per: 'session' },

  // These tokens cannot be guessed; the limit keeps broken clients off the database.
  refresh_network: network(300, 10 * MINUTE_MS, [401]),
  reset_network: network(30, 10 * MINUTE_MS, [400]),
  undo_network: network(30, 10 * MINUTE_MS, [400]),

  // Users, not admins: each write adds an audit event, and an export reads all data of the user.
  own_writes: user(60, 10 * MINUTE_MS, [200, 202, 204]),
  own_exports: user(10, HOUR_MS, [200]),
  // Each login costs a hash, and writes a session and an audit event. Counts correct passwords, including
  // those that end in 403, so that the limit reveals nothing to others. Includes admins.
  own_logins: { points: 200, windowMs: HOUR_MS, per: 'user' },
  // Each change is mailed. Counted before the hash and refunded unless it succeeds. Includes admins.
  own_password_changes: { points: 10, windowMs: HOUR_MS, per: 'user' },
  // Correct current passwords, each of which costs a hash. Includes admins.
  own_proofs: { points: 60, windowMs: HOUR_MS, per: 'user' },
  // By an admin: bounds what a stolen token can destroy. Acts are changes of roles and of disabled accounts,
  // and requested clean-ups.
  admin_acts: { points: 100, windowMs: HOUR_MS, per: 'user' },
  admin_deletions: { points: 100, windowMs: HOUR_MS, per: 'user' },
  // Mails that an admin has sent to others,
  admin_mails: { points: 100, windowMs: HOUR_MS, per: 'user' },
  // and reset links and invitations to one address, by all admins.
  sent_resets: { points: 3, windowMs: HOUR_MS, per: 'address' },
  invitations: { points: 5, windowMs: HOUR_MS, per: 'address' },

  // Text messages cost money: limited per number, over all users, and in total.
  phone_number: { points: 5, windowMs: HOUR_MS, per: 'phone number' },
  // SMS_MAX_PER_HOUR replaces the points.
  text_messages: { points: 100, windowMs: HOUR_MS, per: 'service' },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof LIMITS
/** The limits that routes declare. */
export type RouteLimitName = {
  [Name in LimitName]: (typeof LIMITS)[Name] extends { counts: readonly number[] } ? Name : never
}[LimitName]

function network(points: number, windowMs: number, counts: readonly number[]) {
  return { points, windowMs, per: 'network' as const, counts }
}

function user(points: number, windowMs: number, counts: readonly number[]) {
  return { points, windowMs, per: 'user' as const, counts }
}
