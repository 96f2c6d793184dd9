import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'

/** The tries that a key has within a window. */
export interface Limit {
  readonly points: number
  readonly windowMs: number
  /** Each has a count of its own; a network is an IPv4 address or an IPv6 /64. */
  readonly per:
    | 'network'
    | 'address'
    | 'address and network'
    | 'session'
    | 'user'
    | 'phone number'
    | 'service'
  /**
   * For the limits that a route declares: the statuses that count. Each request is counted before its
   * body is read, and refunded when its answer has another status.
   */
  readonly counts?: readonly number[]
  /** Instead of the rest of the window: one try after the first pause, then twice as long each time. */
  readonly backoff?: {
    readonly firstMs: number
    readonly maxMs: number
    /** From the first pause until they start over with it. */
    readonly forgetMs: number
  }
}

/**
 * Every limit on repeated requests, on one screen. Addresses are canonical and counted the same whether
 * known or not. The budgets of wrong codes, and of messages per user and address, are in the database.
 */
export const LIMITS = {
  // ASVS 2.4.1: no robots. A taken address counts, or registered ones could be listed.
  sign_up_network: network(10, HOUR_MS, [201, 409, 429]),
  // A right code is refunded; 10 000 addresses with one guess each are stopped here (spraying).
  verify_network: network(100, 10 * MINUTE_MS, [400]),
  // Each may send a mail to somebody else.
  resend_network: network(30, HOUR_MS, [202]),
  forgot_network: network(10, HOUR_MS, [202]),
  // Beyond these none is sent, and the answer is the same. By network, too: a stranger uses up no owner's.
  forgot: { points: 3, windowMs: HOUR_MS, per: 'address and network' },

  // Beyond these a password is set without a look at the leaked ones. Fewer than may ask at once (20).
  leaked_list_network: { points: 15, windowMs: 10 * MINUTE_MS, per: 'network' },

  // Wrong passwords: many addresses from one network,
  login_network: network(100, 10 * MINUTE_MS, [401]),
  // one address from one network,
  login: {
    points: 10,
    windowMs: 10 * MINUTE_MS,
    per: 'address and network',
    backoff: { firstMs: 30 * SECOND_MS, maxMs: HOUR_MS, forgetMs: DAY_MS },
  },
  // and one address from many networks (NIST SP 800-63B-4 section 3.2.2 allows 100 in a row). Where its
  // owner logged in lately is exempt; a login or a reset clears it. A day and no longer: nothing clears an
  // address without an account, so a longer lock would show which addresses have none.
  login_address: { points: 50, windowMs: DAY_MS, per: 'address' },
  // Somebody with a stolen session, or at an unlocked screen: no other session is hindered, and the
  // right password clears them.
  current_password: {
    points: 10,
    windowMs: 10 * MINUTE_MS,
    per: 'session',
    backoff: { firstMs: 30 * SECOND_MS, maxMs: HOUR_MS, forgetMs: DAY_MS },
  },
  // Beyond these the session ends, and another one needs the password.
  current_password_in_a_row: { points: 50, windowMs: 30 * DAY_MS, per: 'session' },

  // These tokens cannot be guessed: a client that keeps trying is broken, and stopped before the database.
  refresh_network: network(300, 10 * MINUTE_MS, [401]),
  reset_network: network(30, 10 * MINUTE_MS, [400]),
  undo_network: network(30, 10 * MINUTE_MS, [400]),

  // Users, admins apart: a record is written at each call, and an export reads everything.
  own_writes: user(60, 10 * MINUTE_MS, [200, 202, 204]),
  own_exports: user(10, HOUR_MS, [200]),
  // Each leaves a session and a record. Counted once the password was right, so that only who knows it
  // reaches this, and nobody learns anything; admins too, for no job needs so many.
  own_logins: { points: 200, windowMs: HOUR_MS, per: 'user' },

  // Text messages cost money: to one number by any user, and in all.
  phone_number: { points: 5, windowMs: HOUR_MS, per: 'phone number' },
  // The points are SMS_MAX_PER_HOUR.
  text_messages: { points: 100, windowMs: HOUR_MS, per: 'service' },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof LIMITS
/** Those that a route declares. */
export type RouteLimitName = {
  [Name in LimitName]: (typeof LIMITS)[Name] extends { counts: readonly number[] } ? Name : never
}[LimitName]

function network(points: number, windowMs: number, counts: readonly number[]) {
  return { points, windowMs, per: 'network' as const, counts }
}

function user(points: number, windowMs: number, counts: readonly number[]) {
  return { points, windowMs, per: 'user' as const, counts }
}
