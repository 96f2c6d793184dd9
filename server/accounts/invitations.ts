import type { Db, Tx } from '../database/connect.ts'
import type { PublicUserRow } from '../database/schema.ts'
import type { Locale } from '../lib/locales.ts'
import { newId } from '../lib/random.ts'
import { DAY_MS, toIso } from '../lib/units.ts'
import { clearInvited, type Invited, setInvited, USER_COLUMNS } from './users.ts'
import type { Write } from './write.ts'

/** Somebody on a holiday of a week still finds a link that works. */
const INVITATION_LIFETIME_MS = 7 * DAY_MS

/**
 * Invites an unverified user, or once more: earlier links die, and the account lives as long as the link. The
 * caller holds the user's lock.
 */
export async function openInvitation(
  { ctx, tx, nowMs, enqueue }: Write,
  user: Pick<PublicUserRow, 'id' | 'email_canonical'>,
  { locale, ...invited }: Invited & { readonly locale: Locale | null },
): Promise<void> {
  const { id: userId, email_canonical: email } = user
  const id = newId()
  await deleteInvitationOf(tx, userId)
  await tx
    .insertInto('invitations')
    .values({ id, user_id: userId, key_id: ctx.keys.current.id, created_at: toIso(nowMs) })
    .execute()
  await setInvited(tx, userId, { ...invited, untilMs: nowMs + INVITATION_LIFETIME_MS, nowMs })
  await enqueue('invitation', { invitationId: id, locale }, { email, userId })
}

/**
 * Ends an invitation. The account lives as long as before, because somebody may have signed up in that time.
 * The caller holds the user's lock.
 */
export async function endInvitation({ tx, nowMs }: Write, userId: number): Promise<void> {
  await deleteInvitationOf(tx, userId)
  await clearInvited(tx, userId, nowMs)
}

/** True until the invitation is accepted or ends. */
export function isInvited(
  user: Pick<PublicUserRow, 'verified_at' | 'invited_role' | 'invited_until'>,
  nowMs: number,
): boolean {
  const { verified_at: verifiedAt, invited_role: role, invited_until: until } = user
  return verifiedAt === null && role !== null && until !== null && until > toIso(nowMs)
}

/** The user whom a link invites, and the key of the link; undefined for one that no longer works. */
export async function findInvited(
  db: Db,
  id: string,
  nowMs: number,
): Promise<(PublicUserRow & { readonly key_id: string }) | undefined> {
  const found = await db
    .selectFrom('invitations')
    .innerJoin('users', 'users.id', 'invitations.user_id')
    .select(USER_COLUMNS.map((column) => `users.${column}` as const))
    .select('invitations.key_id')
    .where('invitations.id', '=', id)
    .executeTakeFirst()
  return found && isInvited(found, nowMs) ? found : undefined
}

/** Consumes a link; false once it has been used or replaced. The caller holds the lock of a user who is invited. */
export async function useInvitation(tx: Tx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('invitations')
    .where('id', '=', id)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

export async function deleteInvitationOf(tx: Tx, userId: number): Promise<void> {
  await tx.deleteFrom('invitations').where('user_id', '=', userId).execute()
}
