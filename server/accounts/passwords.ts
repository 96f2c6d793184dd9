import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import type { PublicUserRow, Role } from '../database/schema.ts'
import { fieldError } from '../errors.ts'
import type { Client } from '../http/client.ts'
import { toIso } from '../lib/units.ts'
import type { Write } from './write.ts'
import { passwordProblem } from '../passwords/policy.ts'
import { findReservationsOf } from './email-changes.ts'

interface NewPassword {
  readonly role: Role
  readonly email: string
  readonly fullName: string | null
  /** Where in the request the password stands. */
  readonly pointer?: string
  /** Of whoever sets it; an operator has none. */
  readonly network?: string
}

/**
 * Throws `validation_failed` with the reason for a password that may not be set. `email` is canonical.
 * May ask another server: never inside a transaction.
 */
export async function assertGoodPassword(
  ctx: Context,
  password: string,
  owner: NewPassword,
): Promise<void> {
  assertAllowedPassword(ctx, password, owner)
  await assertNotLeaked(ctx, password, owner)
}

/** What of it costs nothing. */
export function assertAllowedPassword(
  ctx: Context,
  password: string,
  { pointer = '/password', ...owner }: NewPassword,
): void {
  const problem = passwordProblem(password, { ...owner, minLength: ctx.config.passwordMinLength })
  if (problem !== undefined) throw fieldError(pointer, problem.code, problem.detail)
}

/** The rest, which asks the other server. */
export async function assertNotLeaked(
  ctx: Context,
  password: string,
  { pointer = '/password', network }: NewPassword,
): Promise<void> {
  if (!(await isLeaked(ctx, password, network))) return
  const detail = 'The password appears in known data breaches; choose another.'
  throw fieldError(pointer, 'blocklisted', detail)
}

/** False also for a network that asks too often: it would use up the questions of all others. */
async function isLeaked(
  ctx: Context,
  password: string,
  network: string | undefined,
): Promise<boolean> {
  if (ctx.config.pwnedPasswordsUrl === undefined) return false
  if (network !== undefined) {
    const { refuse } = await ctx.limits.take('leaked_list_network', network)
    if (refuse !== undefined) {
      await refuse()
      return ctx.pwnedPasswords.skip('a network asks too often')
    }
  }
  return ctx.pwnedPasswords.includes(password)
}

/**
 * Mails that the password was changed: to the address of the account, and the way back to each that it
 * left and can be taken back to, or a thief of both would be the only one who is told.
 */
export async function enqueuePasswordChanged(
  { tx, nowMs, enqueue }: Write,
  userId: number,
  client: Client,
): Promise<void> {
  const at = toIso(nowMs)
  await enqueue('password_changed', { userId, at, ...client }, { userId })
  for (const { id } of await findReservationsOf(tx, [userId], nowMs))
    await enqueue('password_changed_left', { emailChangeId: id, at }, { userId })
}

/**
 * A new password of a user whose row the caller has locked; the caller ends the sessions and tells the
 * owner. `password_changed_at` always grows: who decided on the one before sees that it is another.
 */
export async function setPassword(
  tx: Tx,
  user: Pick<PublicUserRow, 'id' | 'password_changed_at'>,
  { passwordHash, nowMs }: { passwordHash: string; nowMs: number },
): Promise<void> {
  const beforeMs = user.password_changed_at === null ? 0 : Date.parse(user.password_changed_at)
  const changedAt = toIso(Math.max(nowMs, beforeMs + 1))
  await tx
    .updateTable('users')
    .set({ password_hash: passwordHash, password_changed_at: changedAt, updated_at: toIso(nowMs) })
    .where('id', '=', user.id)
    .execute()
}
