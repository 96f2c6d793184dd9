import type { Context } from '../context.ts'
import type { Query, Tx } from '../database/connect.ts'
import type { PublicUserRow, Role } from '../database/schema.ts'
import { fieldError } from '../errors.ts'
import type { Client } from '../http/client.ts'
import { toIso } from '../lib/units.ts'
import type { Write } from './write.ts'
import { passwordProblem } from '../passwords/policy.ts'
import { findReservationsOf } from './email-changes.ts'

/** The hash of a user and when it was set. */
export const passwordOf: Query<
  number,
  { password_hash: string | null; changed_at: string | null }
> = {
  name: 'password_of',
  build: (db, id) =>
    db
      .selectFrom('users')
      .select(['password_hash', 'password_changed_at as changed_at'])
      .where('id', '=', id),
}

interface NewPassword {
  readonly role: Role
  readonly email: string
  readonly fullName: string | null
  /** JSON pointer to the password in the request. */
  readonly pointer?: string
  /** The client's network; undefined for an operator. */
  readonly network?: string
}

/**
 * Throws `validation_failed` with the reason when a password is not acceptable. `email` is canonical.
 * May call a remote server: never inside a transaction.
 */
export async function assertGoodPassword(
  ctx: Context,
  password: string,
  owner: NewPassword,
): Promise<void> {
  assertAllowedPassword(ctx, password, owner)
  await assertNotLeaked(ctx, password, owner)
}

/** The local checks. */
export function assertAllowedPassword(
  ctx: Context,
  password: string,
  { pointer = '/password', ...owner }: NewPassword,
): void {
  const problem = passwordProblem(password, { ...owner, minLength: ctx.config.passwordMinLength })
  if (problem !== undefined) throw fieldError(pointer, problem.code, problem.detail)
}

/** The remote check. */
export async function assertNotLeaked(
  ctx: Context,
  password: string,
  { pointer = '/password', network }: NewPassword,
): Promise<void> {
  if (!(await isLeaked(ctx, password, network))) return
  const detail = 'The password appears in known data breaches; choose another.'
  throw fieldError(pointer, 'blocklisted', detail)
}

/** False also for a network over its limit: it would exhaust the remote quota for everyone. */
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
 * Notifies the current address, and sends the undo link to each previous address whose change can still
 * be undone: a thief who changed the address first would otherwise be the only one notified.
 */
export async function enqueuePasswordChanged(
  { tx, nowMs, enqueue }: Write,
  userId: number,
  client: Client,
): Promise<void> {
  const at = toIso(nowMs)
  await enqueue('password_changed', { userId, at, ...client }, { userId })
  for (const { id, old_email_canonical: email } of await findReservationsOf(tx, [userId], nowMs))
    await enqueue('password_changed_left', { emailChangeId: id, at }, { userId, email })
}

/**
 * Sets a password. The caller holds the user's lock, ends the sessions and notifies the owner.
 * `password_changed_at` always increases, so that a concurrent login with the old password detects
 * the change.
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
