import { endSessionsOf } from './sessions.ts'
import { setEmail } from './addresses.ts'
import { moveCodeFailures } from './code-failures.ts'
import { handOver } from './erasures.ts'
import { deletePendingEmailChangesOf } from './email-changes.ts'
import { revokePasswordResetsOf } from './resets.ts'
import { deletePhoneChangeOf } from './phone-changes.ts'
import type { PublicUserRow } from './users.ts'
import type { Write } from './write.ts'

interface Move {
  /** As typed. */
  readonly email: string
  readonly emailCanonical: string
  /** The session that stays open. */
  readonly keep?: string
}

/**
 * Changes a user's address and revokes the links, codes and sessions that the old one gave access to.
 * Returns the number of ended sessions; undefined when the address is taken or reserved for another
 * user. The caller holds the user's lock.
 */
export async function moveUser(
  write: Write,
  user: PublicUserRow,
  { keep, ...to }: Move,
): Promise<number | undefined> {
  const { tx, nowMs } = write
  if (!(await setEmail(tx, user.id, { ...to, nowMs }))) return undefined
  const { id: userId, email_canonical: from } = user
  await handOver(write, { email: from }, userId)
  await moveCodeFailures(tx, { from, to: to.emailCanonical, nowMs })
  await revokePasswordResetsOf(tx, user, nowMs)
  await deletePendingEmailChangesOf(tx, userId)
  await deletePhoneChangeOf(tx, userId)
  return endSessionsOf(tx, userId, { nowMs, ...(keep === undefined ? {} : { keep }) })
}
