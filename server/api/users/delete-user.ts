import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { allowNoBody } from '../../http/bodies.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { actorOf } from '../current-password.ts'
import type { Guards } from '../guards.ts'
import { OptionalProof } from '../schemas.ts'
import { removeUser } from '../user-changes.ts'

const schema = {
  operationId: 'deleteUser',
  tags: ['Users'],
  summary: 'Delete a user',
  description:
    'Deletes the user and ends all sessions immediately. The address becomes available again; the id is never reused. Requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`. All active admins are notified by email.',
  params: UserIdParams,
  body: OptionalProof,
  response: {
    200: Type.Object(
      { message: Type.Literal('User deleted successfully') },
      { description: 'The user was deleted.' },
    ),
  },
  errors: [
    'wrong_password',
    'reauthentication_required',
    'not_found',
    'last_admin',
    'too_many_requests',
    'overloaded',
  ] as const,
}

export function deleteUserRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete(
    '/users/:id',
    { schema, preValidation: allowNoBody, ...guards.admin },
    async (request) => {
      const actor = await actorOf(ctx, request, request.body?.current_password)
      await removeUser(ctx, request.params.id, actor)
      return { message: 'User deleted successfully' as const }
    },
  )
}
