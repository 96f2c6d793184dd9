import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { removeUser } from '../user-changes.ts'

const schema = {
  operationId: 'deleteUser',
  tags: ['Users'],
  summary: 'Delete a user',
  description:
    'Deletes the user and ends all sessions immediately. The address becomes available again; the id is never reused.',
  params: UserIdParams,
  response: {
    200: Type.Object(
      { message: Type.Literal('User deleted successfully') },
      { description: 'The user was deleted.' },
    ),
  },
  errors: ['not_found', 'last_admin'] as const,
}

export function deleteUserRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/users/:id', { schema, ...guards.admin }, async (request) => {
    await removeUser(ctx, request.params.id, sessionOf(request))
    return { message: 'User deleted successfully' as const }
  })
}
