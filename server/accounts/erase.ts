import { blankEventsOf, recordEvent } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import type { PublicUserRow } from '../database/schema.ts'
import type { Cause } from '../http/client.ts'
import { forgetMessagesOf } from '../outbox/outbox.ts'
import { forgetCodeFailuresOf } from './code-failures.ts'
import { type EmailChangeRow, findReservationsOf } from './email-changes.ts'
import { keptOfDeleted } from './expiry.ts'
import { deleteUser } from './users.ts'

/**
 * Deletes a locked user and what is kept by address or by id: nothing that remains names anybody. Returns
 * the changes of the address that could have been undone.
 */
export async function eraseUser(
  ctx: Context,
  tx: Tx,
  { user, cause }: { user: PublicUserRow; cause?: Cause },
): Promise<EmailChangeRow[]> {
  const nowMs = ctx.now()
  // First: what a deletion blanks, it blanks here, too.
  await recordEvent(tx, { event: 'user.deleted', subjectId: user.id, ...cause }, nowMs)
  const left = await findReservationsOf(tx, user.id, nowMs)
  const emails = [user.email_canonical, ...left.map((change) => change.old_email_canonical)]
  await deleteUser(tx, user.id)
  await forgetCodeFailuresOf(tx, emails)
  const addresses = emails.map((email_canonical) => ({ id: user.id, email_canonical }))
  await forgetMessagesOf(tx, addresses, nowMs, keptOfDeleted(ctx))
  await blankEventsOf(tx, [user.id], ctx.batchMax)
  return left
}
