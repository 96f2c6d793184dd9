import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import type { Guards } from '../guards.ts'
import { readUser } from '../read-user.ts'
import { recordRead } from '../record-reads.ts'
import { toUser, User } from '../schemas.ts'

const schema = {
  operationId: 'showUser',
  tags: ['Users'],
  summary: 'Show a user',
  params: UserIdParams,
  response: { 200: User },
  errors: ['not_found'] as const,
}

export function showUserRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/users/:id', { schema, ...guards.admin }, async (request) => {
    const user = await readUser(ctx, request.params.id)
    await recordRead(ctx, request, 'users.read')
    return toUser(ctx, user)
  })
}
