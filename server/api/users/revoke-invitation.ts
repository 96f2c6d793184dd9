import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { allowNoBody } from '../../http/bodies.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { notifyAdmins } from '../../accounts/admins.ts'
import { erase } from '../../accounts/erase.ts'
import { findSignUpsOf } from '../../accounts/sign-ups.ts'
import { actorOf } from '../current-password.ts'
import type { Guards } from '../guards.ts'
import { OptionalProof } from '../schemas.ts'
import {
  assertAuthenticated,
  commitCounted,
  lockForChange,
  revokeInvitation,
} from '../user-changes.ts'

const schema = {
  operationId: 'revokeInvitation',
  tags: ['Users'],
  summary: 'Revoke an invitation',
  description:
    'The link of the invitation no longer works, and nobody gets its role. Deletes the user, so that the address becomes available again, unless somebody has signed up with the address: then the account stays, unverified, with those sign-ups. It never deletes a user who has just accepted: 409 `user_verified`. 404 `not_found` for a user who was not invited. An invitation to become an admin requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.',
  params: UserIdParams,
  body: OptionalProof,
  response: { 204: Type.Null({ description: 'The invitation was revoked.' }) },
  errors: [
    'wrong_password',
    'reauthentication_required',
    'not_found',
    'user_verified',
    'too_many_requests',
    'overloaded',
  ] as const,
}

export function revokeInvitationRoute(app: App, ctx: Context, guards: Guards): void {
  const options = { schema, preValidation: allowNoBody, ...guards.admin }
  app.delete('/users/:id/invitation', options, async (request, reply) => {
    const { id } = request.params
    const actor = await actorOf(ctx, request, request.body?.current_password)
    await commitCounted(ctx, { actor, limit: 'admin_deletions' }, async (write) => {
      const lock = { actor, touchesRights: true, access: 'admin' } as const
      const locked = await lockForChange(write, id, lock)
      const { user, admins } = locked
      if (user.verified_at !== null) throw new AppError('user_verified')
      if (user.invited_role === null) throw new AppError('not_found')
      const isAdmins = user.invited_role === 'admin'
      if (isAdmins) assertAuthenticated(locked)
      await revokeInvitation(write, user)
      // Otherwise a stolen token could delete whoever signs up: by inviting first.
      const signUps = await findSignUpsOf(write.tx, id)
      if (signUps.length === 0) await erase(write, [user], { unverified: {} })
      const acted = { actorId: actor.userId, act: 'uninvited', subjectId: id } as const
      if (isAdmins) await notifyAdmins(write, admins, acted)
    })
    return reply.code(204).send(null)
  })
}
