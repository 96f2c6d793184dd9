import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { hashAdmission } from '../../http/admission.ts'
import { type Client, clientOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { toIso } from '../../lib/units.ts'
import type { Guards } from '../guards.ts'
import { notifyAdmins } from '../../accounts/admins.ts'
import { assertNoneUndoable } from '../../accounts/email-changes.ts'
import { assertOwnPassword, assertUnchanged, type PasswordProof } from '../current-password.ts'
import { lockForChange, removeLockedUser } from '../user-changes.ts'
import { isActiveAdmin } from '../../accounts/users.ts'
import { commit } from '../../accounts/write.ts'
import { CurrentPassword } from '../schemas.ts'

const schema = {
  operationId: 'deleteMe',
  tags: ['Me'],
  summary: 'Delete my account',
  description:
    'Deletes the account and all personal data stored about you. All tokens stop working immediately, and a final email confirms the deletion. For 72 hours after a change of the address the request is refused, because the previous address can still recover the account. The address becomes available again; the id is never reused. Audit events are kept with the id, but without address, name or network.',
  body: Type.Object({ current_password: CurrentPassword }, { additionalProperties: false }),
  response: { 204: Type.Null({ description: 'The account was deleted.' }) },
  errors: [
    'wrong_password',
    'too_many_requests',
    'last_admin',
    'email_change_undoable',
    'overloaded',
  ] as const,
}

export function deleteMeRoute(app: App, ctx: Context, guards: Guards): void {
  const { config, onRequest } = guards.user
  const options = { schema, config, onRequest: [onRequest, hashAdmission(ctx).onRequest] }
  app.delete('/me', options, async (request, reply) => {
    const proof = await assertOwnPassword(ctx, request, request.body.current_password)
    await deleteMe(ctx, proof, clientOf(request))
    return reply.code(204).send(null)
  })
}

/** Throws `wrong_password` if it has changed since the proof, `email_change_undoable`, `last_admin`. */
function deleteMe(ctx: Context, proof: PasswordProof, client: Client): Promise<void> {
  const { actor } = proof
  return commit(ctx, actor.cause, async (write) => {
    const locked = await lockForChange(write, actor.userId, { actor, touchesRights: true })
    const { user } = locked
    assertUnchanged(user, proof)
    // A thief who changed the address must not delete the account while the owner can undo the change.
    await assertNoneUndoable(write, user.id)
    await removeLockedUser(write, locked)
    // After the erasure, which blanks the outbox. The mail exposes a deletion by a thief of the password.
    const payload = { to: user.email, locale: user.locale, at: toIso(write.nowMs), ...client }
    await write.enqueue('account_deleted', payload)
    const acted = { actorId: user.id, act: 'deleted', subjectId: user.id } as const
    if (isActiveAdmin(user)) await notifyAdmins(write, locked.admins, acted)
  })
}
