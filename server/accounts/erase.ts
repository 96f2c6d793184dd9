import type { Write } from './write.ts'
import { forgetCodeFailuresOf } from './code-failures.ts'
import { type EmailChangeRow, findReservationsOf } from './email-changes.ts'
import { eraseRowsOf } from './erasures.ts'
import { type AccountKey, deleteUsers, type Unverified } from './users.ts'

interface EraseOptions {
  /** Erases only unverified accounts. */
  readonly unverified?: Unverified
  /** A new account takes over the address, with its mails and code budgets. */
  readonly isReplaced?: boolean
  /** False for the clean-up, which records one event per batch. */
  readonly isRecorded?: boolean
}

/**
 * Erases accounts and all data stored under their ids and addresses: for every reader at once, in the
 * tables one batch at once and the rest by a job. Every deletion of an account runs through here. Returns
 * the erased accounts and their email changes that could still be undone. The caller holds the locks or
 * passes `unverified`.
 */
export async function erase(
  write: Write,
  users: readonly AccountKey[],
  { unverified, isReplaced = false, isRecorded = true }: EraseOptions = {},
): Promise<{ erased: AccountKey[]; undoable: EmailChangeRow[] }> {
  const { tx, nowMs, record } = write
  const wanted = users.map(({ id }) => id)
  // Unverified accounts cannot change their address.
  const undoable = unverified === undefined ? await findReservationsOf(tx, wanted, nowMs) : []
  const erased = await deleteUsers(tx, wanted, unverified)
  const ids = erased.map(({ id }) => id)
  // Recorded first, so that these events are blanked with all others of the accounts.
  if (isRecorded) for (const subjectId of ids) await record('user.deleted', { subjectId })
  const former = undoable.map((change) => ({
    id: change.user_id,
    email_canonical: change.old_email_canonical,
  }))
  const keys = [...erased, ...former]
  if (!isReplaced) {
    await forgetCodeFailuresOf(
      tx,
      keys.map((key) => key.email_canonical),
    )
  }
  await eraseRowsOf(write, keys, { keepMessages: isReplaced })
  return { erased, undoable }
}
