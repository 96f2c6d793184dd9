import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { recordEvent } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { LookUp, Tx } from '../database/connect.ts'
import type { PublicUserRow, Role } from '../database/schema.ts'
import { AppError, fieldError } from '../errors.ts'
import type { Client } from '../http/client.ts'
import type { SignedIn } from '../http/fastify.ts'
import { enqueueMail } from '../outbox/outbox.ts'
import { isHashable, passwordProblem } from '../passwords/policy.ts'
import { toIso } from '../lib/units.ts'
import { lockSelf, sessionOf } from './guards.ts'
import { endSession } from '../accounts/sessions.ts'
import { findReservationsOf } from '../accounts/email-changes.ts'

/** Any text: which passwords are good enough is for `assertGoodPassword`, and only where one is set. */
export const Password = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'Exact: no trimming, no cutting, every character counts. Compared in Unicode NFC.',
  examples: ['correct horse battery staple'],
})

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

/** That the caller of a request knows the user's password, as it was then: re-check it under the lock. */
export interface PasswordProof {
  readonly actor: SignedIn
  readonly passwordChangedAt: string | null
}

const passwordOf: LookUp<number, { password_hash: string | null; changed_at: string | null }> = {
  name: 'password_of',
  build: (db, id) =>
    db
      .selectFrom('users')
      .select(['password_hash', 'password_changed_at as changed_at'])
      .where('id', '=', id),
}

/**
 * Asks who is logged in for the password once more: a token alone, which may be stolen, opens less.
 * Throws `wrong_password`, which is recorded, `invalid_token`, also when so many were wrong that the
 * session was ended, `too_many_requests` and `overloaded`. Never in a transaction.
 */
export async function assertOwnPassword(
  ctx: Context,
  request: FastifyRequest,
  password: string,
): Promise<PasswordProof> {
  const actor = sessionOf(request)
  const found = await ctx.lookUp(passwordOf, actor.userId)
  const hash = found?.password_hash ?? undefined
  const taken = await takePasswordTry(ctx, actor)
  const matches = await ctx.hasher
    .verify(isHashable(password) ? hash : undefined, password, { signal: request.state.hangUp })
    .catch(async (error: unknown) => {
      await taken.refund()
      throw error
    })
  if (matches) await taken.clear()
  if (matches && found !== undefined && hash !== undefined)
    return { actor, passwordChangedAt: found.changed_at }
  const event = { event: 'password.refused', subjectId: actor.userId, ...actor.cause } as const
  await ctx.transaction(async (tx) => {
    // Nothing is written of a user who is gone by now.
    await lockSelf(ctx, tx, actor)
    await recordEvent(tx, event, ctx.now())
  })
  throw new AppError('wrong_password')
}

/** Throws `too_many_requests`; after too many in a row it ends the session and throws `invalid_token`. */
async function takePasswordTry(ctx: Context, actor: SignedIn) {
  const { sessionId } = actor
  const lately = await ctx.limits.takeOrRefuse('current_password', sessionId)
  const inARow = await ctx.limits.take('current_password_in_a_row', sessionId)
  if (inARow.refuse !== undefined) {
    await inARow.refuse()
    await endGuessing(ctx, actor)
    throw new AppError('invalid_token')
  }
  return {
    refund: () => Promise.all([lately.refund(), inARow.refund()]),
    clear: () =>
      Promise.all([
        ctx.limits.clear('current_password', sessionId),
        ctx.limits.clear('current_password_in_a_row', sessionId),
      ]),
  }
}

function endGuessing(ctx: Context, actor: SignedIn): Promise<void> {
  const { sessionId, userId: subjectId, cause } = actor
  const changes = { session_id: sessionId, reason: 'wrong_passwords' }
  return ctx.transaction(async (tx) => {
    await lockSelf(ctx, tx, actor)
    const nowMs = ctx.now()
    await endSession(tx, sessionId, nowMs)
    await recordEvent(tx, { event: 'session.ended', subjectId, ...cause, changes }, nowMs)
  })
}

/** Locks the row of who proved the password. Throws `invalid_token`, and `wrong_password` if it was changed meanwhile. */
export async function lockProven(
  ctx: Context,
  tx: Tx,
  proof: PasswordProof,
): Promise<PublicUserRow> {
  const user = await lockSelf(ctx, tx, proof.actor)
  assertUnchanged(user, proof)
  return user
}

/** For who has locked the row already. Throws `wrong_password`. */
export function assertUnchanged(
  user: Pick<PublicUserRow, 'password_changed_at'>,
  { passwordChangedAt }: PasswordProof,
): void {
  if (user.password_changed_at !== passwordChangedAt) throw new AppError('wrong_password')
}

/**
 * Mails that the password was changed: to the address of the account, and the way back to each that it
 * left and can be taken back to, or a thief of both would be the only one who is told.
 */
export async function enqueuePasswordChanged(
  tx: Tx,
  userId: number,
  { client, nowMs }: { client: Client; nowMs: number },
): Promise<void> {
  const at = toIso(nowMs)
  await enqueueMail(tx, 'password_changed', { userId, at, ...client }, { nowMs, userId })
  for (const { id } of await findReservationsOf(tx, userId, nowMs)) {
    const payload = { emailChangeId: id, at }
    await enqueueMail(tx, 'password_changed_left', payload, { nowMs, userId })
  }
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
