import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { erase } from '../../accounts/erase.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { commitCounted, lockForChange } from '../user-changes.ts'

const schema = {
  operationId: 'revokeInvitation',
  tags: ['Users'],
  summary: 'Revoke an invitation',
  description:
    'Deletes the invited user, who has not accepted yet, with all sign-ups of the address: no link or code works any more, and the address becomes available again. Unlike `DELETE /users/{id}`, it never deletes a user who has just accepted: 409 `user_verified`. 404 `not_found` for a user who was not invited.',
  params: UserIdParams,
  response: { 204: Type.Null({ description: 'The invitation was revoked.' }) },
  errors: ['not_found', 'user_verified', 'too_many_requests'] as const,
}

export function revokeInvitationRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/users/:id/invitation', { schema, ...guards.admin }, async (request, reply) => {
    const { id } = request.params
    const actor = sessionOf(request)
    await commitCounted(ctx, { actor, limit: 'admin_deletions' }, async (write) => {
      const options = { actor, touchesRights: false, access: 'admin' } as const
      const { user } = await lockForChange(write, id, options)
      if (user.verified_at !== null) throw new AppError('user_verified')
      if (user.invited_role === null) throw new AppError('not_found')
      await write.record('invitation.revoked', { subjectId: id })
      await erase(write, [user], { unverified: {} })
    })
    return reply.code(204).send(null)
  })
}
