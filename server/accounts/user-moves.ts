import type { Tx } from '../database/connect.ts'
import { adoptMessagesTo } from '../outbox/outbox.ts'
import { endSessionsOf } from './sessions.ts'
import { setEmail } from './addresses.ts'
import { moveCodeFailures } from './code-failures.ts'
import { deletePendingEmailChangesOf } from './email-changes.ts'
import { revokePasswordResetsOf } from './resets.ts'
import { deletePhoneChangeOf } from './phone-changes.ts'
import type { PublicUserRow } from './users.ts'

interface Move {
  /** As typed. */
  readonly email: string
  readonly emailCanonical: string
  readonly nowMs: number
  /** The session that stays open. */
  readonly keep?: string
}

/**
 * Changes a user's address and revokes the links, codes and sessions that the old one gave access to.
 * Returns the number of ended sessions; undefined when the address is taken or reserved for another
 * user. The caller holds the user's lock.
 */
export async function moveUser(
  tx: Tx,
  user: PublicUserRow,
  { keep, ...to }: Move,
): Promise<number | undefined> {
  if (!(await setEmail(tx, user.id, to))) return undefined
  const { id: userId, email_canonical: from } = user
  await adoptMessagesTo(tx, from, userId)
  await moveCodeFailures(tx, { from, to: to.emailCanonical, nowMs: to.nowMs })
  await revokePasswordResetsOf(tx, user, to.nowMs)
  await deletePendingEmailChangesOf(tx, userId)
  await deletePhoneChangeOf(tx, userId)
  return endSessionsOf(tx, userId, { nowMs: to.nowMs, ...(keep === undefined ? {} : { keep }) })
}
