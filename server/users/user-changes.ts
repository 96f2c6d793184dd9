import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import type { Role } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import { forgetMessagesOf } from '../jobs/outbox.ts'
import { endSessionsOf } from '../sessions/sessions.ts'
import { forgetCodeFailuresOf } from './code-failures.ts'
import { normalFullName } from './user.ts'
import {
  deleteUser,
  disableUser,
  enableUser,
  lockActiveAdmins,
  lockUser,
  type PublicUserRow,
  renameUser,
  setRole,
} from './users.ts'

// The steps that the API and the command line share. Both keep this rule: once there has been an
// active admin, there is one at every commit.

export interface UserChange {
  readonly full_name?: string | null
  readonly role?: Role
  readonly disabled?: boolean
}

/**
 * Changes a user and returns it as it is then. Throws `not_found`, `own_role` when `actorId` changes
 * its own role or state, `user_inactive` for a promotion of somebody who may not act, `last_admin`.
 */
export function changeUser(
  ctx: Context,
  id: number,
  change: UserChange,
  actorId?: number,
): Promise<PublicUserRow> {
  const fullName = change.full_name === undefined ? undefined : normalFullName(change.full_name)
  return ctx.transaction(async (tx) => {
    const touchesRights = change.role !== undefined || change.disabled !== undefined
    // A new name takes no admin away and waits for none.
    const admins = touchesRights ? await lockActiveAdmins(tx) : []
    const user = await lockUser(tx, id)
    if (user === undefined) throw new AppError('not_found')
    if (touchesRights && id === actorId) throw new AppError('own_role')
    assertAllowed(admins, user, change)

    if (fullName !== undefined && fullName !== user.full_name)
      await renameUser(tx, id, fullName, ctx.now())
    if (change.role !== undefined && change.role !== user.role)
      await setRole(tx, id, change.role, ctx.now())
    if (change.disabled === true && user.disabled_at === null) await disable(ctx, tx, id)
    if (change.disabled === false && user.disabled_at !== null) await enableUser(tx, id, ctx.now())
    return (await lockUser(tx, id)) ?? user
  })
}

/** Deletes a user with everything that hangs on it. Throws `not_found`, `last_admin`. */
export function removeUser(ctx: Context, id: number): Promise<void> {
  return ctx.transaction(async (tx) => {
    const admins = await lockActiveAdmins(tx)
    if (isLast(admins, id)) throw new AppError('last_admin')
    const user = await lockUser(tx, id)
    if (user === undefined || !(await deleteUser(tx, id))) throw new AppError('not_found')
    await forgetCodeFailuresOf(tx, [user.email_canonical])
    await forgetMessagesOf(tx, [user], ctx.now())
  })
}

function assertAllowed(admins: readonly number[], user: PublicUserRow, change: UserChange): void {
  const role = change.role ?? user.role
  const disabled = change.disabled ?? user.disabled_at !== null
  const active = user.verified_at !== null && !disabled
  if (role === 'admin' && user.role !== 'admin' && !active) throw new AppError('user_inactive')
  if ((role !== 'admin' || !active) && isLast(admins, user.id)) throw new AppError('last_admin')
}

function isLast(admins: readonly number[], id: number): boolean {
  return admins.length === 1 && admins[0] === id
}

/** Enabling the account again must not revive what was open before. */
async function disable(ctx: Context, tx: Tx, id: number): Promise<void> {
  await disableUser(tx, id, ctx.now())
  await endSessionsOf(tx, id, ctx.now())
}
