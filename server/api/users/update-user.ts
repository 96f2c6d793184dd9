import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { FullName, toUser, User } from '../schemas.ts'
import { changeUser } from '../user-changes.ts'

const schema = {
  operationId: 'updateUser',
  tags: ['Users'],
  summary: 'Change a user',
  description:
    'Users can change their own `full_name`; admins can change every user. Omitted fields stay unchanged. Disabling an account ends all its sessions. You cannot change your own role or disable your own account, and the last active admin cannot be demoted or disabled.',
  params: UserIdParams,
  body: Type.Object(
    {
      full_name: Type.Optional(FullName),
      role: Type.Optional(Type.Enum(['user', 'admin'], { type: 'string' })),
      disabled: Type.Optional(Type.Boolean()),
    },
    // Sending the example unchanged has no effect.
    { title: 'UserChange', additionalProperties: false, examples: [{}] },
  ),
  response: { 200: User },
  errors: ['forbidden', 'not_found', 'own_role', 'last_admin', 'user_inactive'] as const,
}

export function updateUserRoute(app: App, ctx: Context, guards: Guards): void {
  app.patch('/users/:id', { schema, ...guards.selfOrAdmin }, async (request) => {
    return toUser(ctx, await changeUser(ctx, request.params.id, request.body, sessionOf(request)))
  })
}
