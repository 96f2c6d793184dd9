import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { fieldError } from '../../errors.ts'
import { hashAdmission } from '../../http/admission.ts'
import { hashingFor } from '../../http/hashing.ts'
import { type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { networkKeyOf } from '../../http/rate-limits.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { endSessionsOf, setAuthenticated } from '../../accounts/sessions.ts'
import { deletePendingEmailChangesOf } from '../../accounts/email-changes.ts'
import { revokePasswordResetsOf } from '../../accounts/resets.ts'
import { assertOwnPassword, lockProven, type PasswordProof } from '../current-password.ts'
import { commit } from '../../accounts/write.ts'
import {
  assertAllowedPassword,
  assertNotLeaked,
  enqueuePasswordChanged,
  setPassword,
} from '../../accounts/passwords.ts'
import { NewPassword, CurrentPassword } from '../schemas.ts'
import { refundIfThrown } from '../../limits/counters.ts'

const schema = {
  operationId: 'changePassword',
  tags: ['Me'],
  summary: 'Change my password',
  description:
    'Ends all other sessions; the current session continues. Password reset links and a pending change of the address become invalid, and the user is notified by email. An admin’s password must have at least 15 characters. If a list of leaked passwords is configured, the response takes up to one second longer.',
  body: Type.Object(
    { current_password: CurrentPassword, new_password: NewPassword },
    { title: 'PasswordChange', additionalProperties: false },
  ),
  response: { 204: Type.Null({ description: 'The password was changed.' }) },
  errors: ['wrong_password', 'too_many_requests', 'overloaded'] as const,
}

export function changePasswordRoute(app: App, ctx: Context, guards: Guards): void {
  const { config, onRequest } = guards.user
  const options = { schema, config, onRequest: [onRequest, hashAdmission(ctx).onRequest] }
  app.post('/me/password', options, async (request, reply) => {
    const { user } = sessionOf(request)
    const { current_password: current, new_password: next } = request.body
    const wanted = {
      role: user.role,
      email: user.email_canonical,
      fullName: user.full_name,
      pointer: '/new_password',
      network: networkKeyOf(request),
    }
    if (next.normalize('NFC') === current.normalize('NFC')) {
      const detail = 'The new password is the same as the current one.'
      throw fieldError('/new_password', 'unchanged', detail)
    }
    assertAllowedPassword(ctx, next, wanted)
    const counted = await ctx.limits.takeOrRefuse('own_password_changes', String(user.id))
    await refundIfThrown([counted], async () => {
      const proof = await assertOwnPassword(ctx, request, current)
      // After the proof, because the remote list accepts few concurrent queries.
      await assertNotLeaked(ctx, next, wanted)
      const passwordHash = await hashingFor(ctx, request, user.id).hash(next)
      await changePassword(ctx, proof, { passwordHash, client: clientOf(request) })
    })
    return reply.code(204).send(null)
  })
}

/** Throws as `lockProven` does: of two concurrent changes, the second proved an outdated password. */
function changePassword(
  ctx: Context,
  proof: PasswordProof,
  { passwordHash, client }: { passwordHash: string; client: Client },
): Promise<void> {
  const { actor } = proof
  return commit(ctx, actor.cause, async (write) => {
    const { tx, nowMs, record } = write
    const user = await lockProven(write, proof)
    await setPassword(tx, user, { passwordHash, nowMs })
    const ended = await endSessionsOf(tx, user.id, { nowMs, keep: actor.sessionId })
    // A thief may hold a token of this session: only the new password proves who uses it.
    await setAuthenticated(tx, actor.sessionId, 0)
    // An attacker may have prepared these to regain access.
    await revokePasswordResetsOf(tx, user, nowMs)
    await deletePendingEmailChangesOf(tx, user.id)
    await enqueuePasswordChanged(write, user.id, client)
    await record('password.changed', { subjectId: user.id, changes: { sessions_ended: ended } })
  })
}
