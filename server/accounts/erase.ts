import { blankEventsOf } from '../audit/events.ts'
import { forgetMessagesOf } from '../outbox/outbox.ts'
import type { Write } from '../outbox/write.ts'
import { forgetCodeFailuresOf } from './code-failures.ts'
import { type EmailChangeRow, findReservationsOf } from './email-changes.ts'
import { keptOfDeleted } from './expiry.ts'
import { type AccountKey, deleteUsers, type Unverified } from './users.ts'

interface EraseOptions {
  /** Erases only accounts that nobody has verified. */
  readonly unverified?: Unverified
  /** Another account takes the address over, with the mails and code budgets that are kept by it. */
  readonly isReplaced?: boolean
  /** False for the clean-up, which records one event for all. */
  readonly isRecorded?: boolean
}

/**
 * Erases accounts, with everything that is kept by their ids and addresses: nothing that remains names
 * anybody. The one way in which an account goes. Returns those that it erased, and the changes of address
 * that could still be undone. The caller holds the locks, or says `unverified`.
 */
export async function erase(
  { ctx, tx, nowMs, record }: Write,
  users: readonly AccountKey[],
  { unverified, isReplaced = false, isRecorded = true }: EraseOptions = {},
): Promise<{ erased: AccountKey[]; undoable: EmailChangeRow[] }> {
  const wanted = users.map(({ id }) => id)
  // Only a verified account can have changed its address.
  const undoable = unverified === undefined ? await findReservationsOf(tx, wanted, nowMs) : []
  const erased = await deleteUsers(tx, wanted, unverified)
  const ids = erased.map(({ id }) => id)
  // Before the events of these accounts are blanked, so that these are, too.
  if (isRecorded) for (const subjectId of ids) await record('user.deleted', { subjectId })
  if (!isReplaced) {
    const former = undoable.map((change) => ({
      id: change.user_id,
      email_canonical: change.old_email_canonical,
    }))
    const keys = [...erased, ...former]
    await forgetCodeFailuresOf(
      tx,
      keys.map((key) => key.email_canonical),
    )
    await forgetMessagesOf(tx, keys, nowMs, keptOfDeleted(ctx))
  }
  await blankEventsOf(tx, ids, ctx.batchMax)
  return { erased, undoable }
}
