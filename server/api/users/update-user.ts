import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { actorOf } from '../current-password.ts'
import type { Guards } from '../guards.ts'
import { CurrentPassword, FullName, toUser, User } from '../schemas.ts'
import { changeUser } from '../user-changes.ts'

const schema = {
  operationId: 'updateUser',
  tags: ['Users'],
  summary: 'Change a user',
  description:
    'Users can change their own `full_name`; admins can change every user. Omitted fields stay unchanged. Disabling an account ends all its sessions and its invitation. You cannot change your own role or disable your own account, and the last active admin cannot be demoted or disabled. The role in an invitation cannot be changed: 409 `user_unverified`; revoke it. A change of a role, or of the state of an admin, and disabling who is invited to become one, requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.',
  params: UserIdParams,
  body: Type.Object(
    {
      full_name: Type.Optional(FullName),
      role: Type.Optional(Type.Enum(['user', 'admin'], { type: 'string' })),
      disabled: Type.Optional(Type.Boolean()),
      current_password: Type.Optional(CurrentPassword),
    },
    // Sending the example unchanged has no effect.
    { title: 'UserChange', additionalProperties: false, examples: [{}] },
  ),
  response: { 200: User },
  errors: [
    'forbidden',
    'wrong_password',
    'not_found',
    'own_role',
    'reauthentication_required',
    'last_admin',
    'user_inactive',
    'user_unverified',
    'overloaded',
  ] as const,
}

export function updateUserRoute(app: App, ctx: Context, guards: Guards): void {
  app.patch('/users/:id', { schema, ...guards.selfOrAdmin }, async (request) => {
    const { current_password: password, ...change } = request.body
    const actor = await actorOf(ctx, request, password)
    return toUser(ctx, await changeUser(ctx, request.params.id, change, actor))
  })
}
