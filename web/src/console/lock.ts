import { DAY_MS } from '../../../server/lib/units.ts'
import { type AuditEvent, textIn } from './facts.ts'

/** The longest that logins with an address are refused. */
const LOCK_MS = DAY_MS
const ENDS_LOCK: ReadonlySet<string> = new Set([
  'login.unlocked',
  'session.opened',
  'password.reset',
])

/**
 * When the lock after wrong passwords last refused a login, as far as the events tell; undefined once it was
 * lifted or is over. The API has no field for it, because the lock is of an address, not of a user.
 */
export function lockedAt(newestFirst: readonly AuditEvent[], nowMs: number): string | undefined {
  const newest = newestFirst.find(
    (one) =>
      ENDS_LOCK.has(one.event) ||
      (one.event === 'login.failed' && textIn(one.changes, 'reason') === 'login_locked'),
  )
  if (newest?.event !== 'login.failed') return undefined
  return Date.parse(newest.at) > nowMs - LOCK_MS ? newest.at : undefined
}
