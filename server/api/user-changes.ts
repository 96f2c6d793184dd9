import { type AuditEvent } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Role } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import type { SignedIn } from '../http/fastify.ts'
import { assertStillAllowed } from './guards.ts'
import { toIso } from '../lib/units.ts'
import { endSessionsOf } from '../accounts/sessions.ts'
import { normalFullName } from '../accounts/names.ts'
import {
  disableUser,
  enableUser,
  isActiveAdmin,
  lockUser,
  lockUsers,
  type PublicUserRow,
  renameUser,
  setRole,
} from '../accounts/users.ts'
import { commit, NO_CAUSE, type Write } from '../outbox/write.ts'
import { erase } from '../accounts/erase.ts'
import type { AuditEventName } from '../audit/event-names.ts'

// The steps that the API and the command line share. Both keep this rule: once there has been an
// active admin, there is one at every commit.

export interface UserChange {
  readonly full_name?: string | null
  readonly role?: Role
  readonly disabled?: boolean
}

/**
 * Changes a user and returns it as it is then. With an actor: throws `invalid_token` or `forbidden`
 * when that one may no longer act, and `own_role` when it changes its own role or state. Throws
 * `not_found`, `user_inactive` for a promotion of somebody who may not act, `last_admin`.
 */
export function changeUser(
  ctx: Context,
  id: number,
  change: UserChange,
  actor?: SignedIn,
): Promise<PublicUserRow> {
  const fullName = change.full_name === undefined ? undefined : normalFullName(change.full_name)
  // A new name takes no admin away and waits for none.
  const touchesRights = change.role !== undefined || change.disabled !== undefined
  return commit(ctx, actor?.cause ?? NO_CAUSE, async (write) => {
    const { tx, nowMs } = write
    const { user, admins } = await lockForChange(write, id, { actor, touchesRights })
    if (touchesRights && id === actor?.userId) throw new AppError('own_role')
    assertAllowed(admins, user, change)

    const record = (event: AuditEventName, changes?: AuditEvent['changes']) =>
      write.record(event, { subjectId: id, ...(changes && { changes }) })
    if (fullName !== undefined && fullName !== user.full_name) {
      await renameUser(tx, id, { fullName, nowMs })
      await record('user.changed', { fields: ['full_name'] })
    }
    if (change.role !== undefined && change.role !== user.role) {
      await setRole(tx, id, { role: change.role, nowMs })
      await record('user.role_changed', { before: user.role, after: change.role })
    }
    if (change.disabled === true && user.disabled_at === null) {
      await disableUser(tx, id, nowMs)
      // Enabling the account again must not revive what was open before.
      await endSessionsOf(tx, id, { nowMs })
      await record('user.disabled')
    }
    if (change.disabled === false && user.disabled_at !== null) {
      await enableUser(tx, id, nowMs)
      await record('user.enabled')
    }
    return (await lockUser(tx, id)) ?? user
  })
}

/** Deletes a user with everything that hangs on it. Throws as `changeUser` does. */
export function removeUser(ctx: Context, id: number, actor?: SignedIn): Promise<void> {
  return commit(ctx, actor?.cause ?? NO_CAUSE, async (write) => {
    await removeLockedUser(write, await lockForChange(write, id, { actor, touchesRights: true }))
  })
}

/**
 * The deletion itself, for who holds the locks of `lockForChange`. Tells each address that could have
 * taken the account back: it may be the owner's, and the one of now a thief's. Throws `last_admin`.
 */
export async function removeLockedUser(
  write: Write,
  { user, admins }: { user: PublicUserRow; admins: readonly number[] },
): Promise<void> {
  if (isLast(admins, user.id)) throw new AppError('last_admin')
  const { undoable } = await erase(write, [user])
  const at = toIso(write.nowMs)
  const notice = { locale: user.locale, at, ip: null, userAgent: null, left: true }
  for (const { old_email: to } of undoable)
    await write.enqueue('account_deleted', { to, ...notice })
}

interface LockForChange {
  readonly actor: SignedIn | undefined
  /** Then every active admin is locked, too. */
  readonly touchesRights: boolean
  /** What the actor has to be; a user, if left out, where it changes itself. */
  readonly access?: 'user' | 'admin'
}

/**
 * Locks the user, the actor and, where rights may change, every active admin; then checks the actor
 * once more. Throws `invalid_token`, `forbidden`, `not_found`.
 */
export async function lockForChange(
  write: Write,
  id: number,
  { actor, touchesRights, access = id === actor?.userId ? 'user' : 'admin' }: LockForChange,
): Promise<{ user: PublicUserRow; admins: number[] }> {
  const ids = actor === undefined ? [id] : [id, actor.userId]
  const locked = await lockUsers(write.tx, ids, { withActiveAdmins: touchesRights })
  const find = (wanted: number) => locked.find((row) => row.id === wanted)
  if (actor !== undefined)
    await assertStillAllowed(write, { actor, row: find(actor.userId), access })
  const user = find(id)
  if (user === undefined) throw new AppError('not_found')
  return { user, admins: locked.filter(isActiveAdmin).map((row) => row.id) }
}

function assertAllowed(admins: readonly number[], user: PublicUserRow, change: UserChange): void {
  const role = change.role ?? user.role
  const disabled = change.disabled ?? user.disabled_at !== null
  const active = user.verified_at !== null && !disabled
  if (role === 'admin' && user.role !== 'admin' && !active) throw new AppError('user_inactive')
  const losesAdmin = isActiveAdmin(user) && (role !== 'admin' || !active)
  if (losesAdmin && isLast(admins, user.id)) throw new AppError('last_admin')
}

function isLast(admins: readonly number[], id: number): boolean {
  return admins.length === 1 && admins[0] === id
}
