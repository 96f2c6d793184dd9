import type { AuditEvent } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Role } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import { type Actor, assertUnchanged } from './current-password.ts'
import { assertStillAllowed } from './guards.ts'
import { toIso } from '../lib/units.ts'
import { endInvitation, isInvited } from '../accounts/invitations.ts'
import { revokePasswordResetsOf } from '../accounts/resets.ts'
import { endSessionsOf } from '../accounts/sessions.ts'
import { notifyAdmins, type AdminAct } from '../accounts/admins.ts'
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
import { commit, NO_CAUSE, type Write } from '../accounts/write.ts'
import { erase } from '../accounts/erase.ts'
import type { AuditEventName } from '../audit/event-names.ts'
import type { LimitName } from '../limits/limits.ts'
import { refundIfThrown } from '../limits/counters.ts'

// Shared by the API and the command line. Invariant: once there has been an active admin, every commit
// keeps at least one.

export interface UserChange {
  readonly full_name?: string | null
  readonly role?: Role
  readonly disabled?: boolean
}

/**
 * Changes a user and returns the new row. Throws `not_found`, `last_admin`, `user_inactive` for the promotion
 * of an unverified or disabled user, and `user_unverified` for the demotion of an invited admin. With an
 * actor, also throws `invalid_token` or `forbidden` when the actor has lost its rights, `own_role` for a
 * change of its own role or state, and `reauthentication_required` for a change of another's rights.
 */
export function changeUser(
  ctx: Context,
  id: number,
  { full_name: name, ...rights }: UserChange,
  actor?: Actor,
): Promise<PublicUserRow> {
  const change = name === undefined ? rights : { ...rights, full_name: normalFullName(name) }
  // A new name affects no rights and needs no locks on admins.
  const touchesRights = change.role !== undefined || change.disabled !== undefined
  const counted = { actor, limit: touchesRights ? ('admin_acts' as const) : undefined }
  return commitCounted(ctx, counted, async (write) => {
    const locked = await lockForChange(write, id, { actor, touchesRights })
    const { user, admins } = locked
    if (touchesRights && id === actor?.userId) throw new AppError('own_role')
    const act = actOn(user, change, write.nowMs)
    if (act !== undefined) assertAuthenticated(locked)
    assertAllowed(admins, user, change)
    await applyChange(write, user, change)
    if (act !== undefined) {
      const acted = { actorId: actor?.userId ?? null, act, subjectId: id }
      await notifyAdmins(write, admins, acted)
    }
    return (await lockUser(write.tx, id)) ?? user
  })
}

async function applyChange(write: Write, user: PublicUserRow, change: UserChange): Promise<void> {
  const { tx, nowMs } = write
  const { id } = user
  const record = (event: AuditEventName, changes?: AuditEvent['changes']) =>
    write.record(event, { subjectId: id, ...(changes && { changes }) })
  const { full_name: fullName } = change
  if (fullName !== undefined && fullName !== user.full_name) {
    await renameUser(tx, id, { fullName, nowMs })
    await record('user.changed', { fields: ['full_name'] })
  }
  if (change.role !== undefined && change.role !== user.role) {
    await setRole(tx, id, { role: change.role, nowMs })
    await revokePasswordResetsOf(tx, user, nowMs)
    await record('user.role_changed', { before: user.role, after: change.role })
  }
  if (change.disabled === true && user.disabled_at === null) {
    await disableUser(tx, id, nowMs)
    // Re-enabling the account must not revive old sessions.
    await endSessionsOf(tx, id, { nowMs })
    await revokePasswordResetsOf(tx, user, nowMs)
    await record('user.disabled')
    if (isInvited(user, nowMs)) await revokeInvitation(write, user)
  }
  if (change.disabled === false && user.disabled_at !== null) {
    await enableUser(tx, id, nowMs)
    await record('user.enabled')
  }
}

/** Ends the invitation of a user whom the caller has locked, and records it. */
export async function revokeInvitation(
  write: Write,
  { id, invited_role: role }: PublicUserRow,
): Promise<void> {
  await endInvitation(write, id)
  await write.record('invitation.revoked', { subjectId: id, changes: { role } })
}

/** Deletes a user and all data stored about it. Throws as `changeUser` does, and `too_many_requests`. */
export function removeUser(ctx: Context, id: number, actor?: Actor): Promise<void> {
  return commitCounted(ctx, { actor, limit: 'admin_deletions' }, async (write) => {
    const locked = await lockForChange(write, id, { actor, touchesRights: true })
    assertAuthenticated(locked)
    await removeLockedUser(write, locked)
    const acted = { actorId: actor?.userId ?? null, act: 'deleted', subjectId: id } as const
    await notifyAdmins(write, locked.admins, acted)
  })
}

/** Counts what succeeds for the actor: a stolen token must not do more than its mails can tell. */
export async function commitCounted<Result>(
  ctx: Context,
  { actor, limit }: { actor: Actor | undefined; limit: LimitName | undefined },
  work: (write: Write) => Promise<Result>,
): Promise<Result> {
  const isCounted = actor !== undefined && limit !== undefined
  const taken = isCounted ? [await ctx.limits.takeOrRefuse(limit, String(actor.userId))] : []
  return refundIfThrown(taken, () => commit(ctx, actor?.cause ?? NO_CAUSE, work))
}

/**
 * Deletes a user; the caller holds the locks of `lockForChange`. Notifies each previous address that could
 * have recovered the account, because the current one may be a thief's. Throws `last_admin`.
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
  readonly actor: Actor | undefined
  /** Also locks every active admin. */
  readonly touchesRights: boolean
  /** The required role of the actor; by default `user` for its own row, otherwise `admin`. */
  readonly access?: 'user' | 'admin'
}

interface Locked {
  readonly user: PublicUserRow
  /** The ids of the active admins, in ascending order. */
  readonly admins: number[]
  /** True after a recent login or proof of the password, and for operators. */
  readonly isAuthenticated: boolean
}

/**
 * Locks the user, the actor and, with `touchesRights`, every active admin; then repeats the check of the
 * actor. Throws `invalid_token`, `forbidden`, `wrong_password` if it has changed since the proof, `not_found`.
 */
export async function lockForChange(
  write: Write,
  id: number,
  { actor, touchesRights, access = id === actor?.userId ? 'user' : 'admin' }: LockForChange,
): Promise<Locked> {
  const ids = actor === undefined ? [id] : [id, actor.userId]
  const locked = await lockUsers(write.tx, ids, { withActiveAdmins: touchesRights })
  const find = (wanted: number) => locked.find((row) => row.id === wanted)
  let isAuthenticated = actor?.proof !== undefined || actor === undefined
  if (actor !== undefined) {
    const found = await assertStillAllowed(write, { actor, row: find(actor.userId), access })
    if (actor.proof !== undefined) assertUnchanged(found.row, actor.proof)
    isAuthenticated ||= isRecent(write, found.authenticatedAt)
  }
  const user = find(id)
  if (user === undefined) throw new AppError('not_found')
  return { user, admins: locked.filter(isActiveAdmin).map((row) => row.id), isAuthenticated }
}

function isRecent({ ctx, nowMs }: Write, authenticatedAt: string): boolean {
  const { reauthenticationMs } = ctx.config
  return reauthenticationMs === 0 || authenticatedAt > toIso(nowMs - reauthenticationMs)
}

/** A stolen token must not suffice for what outlives its theft. Throws `reauthentication_required`. */
export function assertAuthenticated({ isAuthenticated }: Locked): void {
  if (!isAuthenticated) throw new AppError('reauthentication_required')
}

/** What a change does to the rights of an admin; undefined for one that leaves them as they are. */
function actOn(user: PublicUserRow, change: UserChange, nowMs: number): AdminAct | undefined {
  const { role = user.role, disabled = user.disabled_at !== null } = change
  if (role !== user.role) return role === 'admin' ? 'promoted' : 'demoted'
  if (disabled === (user.disabled_at !== null)) return undefined
  if (disabled && user.invited_role === 'admin' && isInvited(user, nowMs)) return 'uninvited'
  if (role !== 'admin') return undefined
  return disabled ? 'disabled' : 'enabled'
}

function assertAllowed(admins: readonly number[], user: PublicUserRow, change: UserChange): void {
  const role = change.role ?? user.role
  const disabled = change.disabled ?? user.disabled_at !== null
  const active = user.verified_at !== null && !disabled
  if (role === 'admin' && user.role !== 'admin' && !active) throw new AppError('user_inactive')
  const isInvitedAdmin = user.verified_at === null && user.invited_role === 'admin'
  if (change.role === 'user' && isInvitedAdmin) throw new AppError('user_unverified')
  const losesAdmin = isActiveAdmin(user) && (role !== 'admin' || !active)
  if (losesAdmin && isLast(admins, user.id)) throw new AppError('last_admin')
}

function isLast(admins: readonly number[], id: number): boolean {
  return admins.length === 1 && admins[0] === id
}
