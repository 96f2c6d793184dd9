import type { FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import type { PublicUserRow } from '../database/schema.ts'
import { AppError } from '../errors.ts'
import type { SignedIn } from '../http/fastify.ts'
import { hashingFor } from '../http/hashing.ts'
import { isHashable } from '../passwords/policy.ts'
import { lockSelf, sessionOf } from './guards.ts'
import { endSession } from '../accounts/sessions.ts'
import { commit, type Write } from '../accounts/write.ts'
import { passwordOf } from '../accounts/passwords.ts'
import { refundIfThrown } from '../limits/counters.ts'

/** Proof that the client knows the password set at `passwordChangedAt`; re-check it under the lock. */
export interface PasswordProof {
  readonly actor: SignedIn
  readonly passwordChangedAt: string | null
}

/** The caller of a route where the current password is optional. */
export interface Actor extends SignedIn {
  readonly proof?: PasswordProof
}

/** The caller, with the proof if a password was sent. Throws as `assertOwnPassword` does. */
export async function actorOf(
  ctx: Context,
  request: FastifyRequest,
  password: string | undefined,
): Promise<Actor> {
  const actor = sessionOf(request)
  if (password === undefined) return actor
  return { ...actor, proof: await assertOwnPassword(ctx, request, password) }
}

/**
 * Re-authenticates the user by password, because an access token may be stolen. Throws `wrong_password`
 * (recorded), `too_many_requests`, `overloaded`, and `invalid_token`, also after too many wrong passwords
 * in a row, which end the session. Never inside a transaction.
 */
export async function assertOwnPassword(
  ctx: Context,
  request: FastifyRequest,
  password: string,
): Promise<PasswordProof> {
  const actor = sessionOf(request)
  const found = await ctx.lookUp(passwordOf, actor.userId)
  const hash = found?.password_hash ?? undefined
  const attempt = await takePasswordTry(ctx, actor)
  const matches = await refundIfThrown(attempt.counts, () =>
    hashingFor(ctx, request, actor.userId).verify(
      isHashable(password) ? hash : undefined,
      password,
      actor.userId,
    ),
  )
  if (matches) await attempt.succeeded()
  else await attempt.failed()
  if (matches && found !== undefined && hash !== undefined)
    return { actor, passwordChangedAt: found.changed_at }
  await commit(ctx, actor.cause, async (write) => {
    // Throws if the user has been deleted: no event may be written about a deleted user.
    await lockSelf(write, actor)
    await write.record('password.refused', { subjectId: actor.userId })
  })
  throw new AppError('wrong_password')
}

/** Throws `too_many_requests`; after too many in a row it ends the session and throws `invalid_token`. */
async function takePasswordTry(ctx: Context, actor: SignedIn) {
  const { sessionId, userId } = actor
  const recent = await ctx.limits.takeOrRefuse('current_password', sessionId)
  const consecutive = await ctx.limits.take('current_password_in_a_row', sessionId)
  if (consecutive.refuse !== undefined) {
    await consecutive.refuse()
    await endGuessing(ctx, actor)
    throw new AppError('invalid_token')
  }
  // Of all sessions of the user, before the hash; wrong passwords have the limits above.
  const proof = await refundIfThrown([recent, consecutive], () =>
    ctx.limits.takeOrRefuse('own_proofs', String(userId)),
  )
  return {
    counts: [recent, consecutive, proof],
    failed: () => proof.refund(),
    succeeded: () =>
      Promise.all([
        ctx.limits.clear('current_password', sessionId),
        ctx.limits.clear('current_password_in_a_row', sessionId),
      ]),
  }
}

function endGuessing(ctx: Context, actor: SignedIn): Promise<void> {
  const { sessionId, userId: subjectId, cause } = actor
  const changes = { session_id: sessionId, reason: 'wrong_passwords' }
  return commit(ctx, cause, async (write) => {
    await lockSelf(write, actor)
    await endSession(write.tx, sessionId, write.nowMs)
    await write.record('session.ended', { subjectId, changes })
  })
}

/** Locks the user's row. Throws `invalid_token`, and `wrong_password` if it has changed since the proof. */
export async function lockProven(write: Write, proof: PasswordProof): Promise<PublicUserRow> {
  const user = await lockSelf(write, proof.actor)
  assertUnchanged(user, proof)
  return user
}

/** For callers that already hold the lock. Throws `wrong_password` if it has changed since the proof. */
export function assertUnchanged(
  user: Pick<PublicUserRow, 'password_changed_at'>,
  { passwordChangedAt }: PasswordProof,
): void {
  if (user.password_changed_at !== passwordChangedAt) throw new AppError('wrong_password')
}
