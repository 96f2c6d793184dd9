import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { unlockLogin } from '../unlock-login.ts'

const schema = {
  operationId: 'unlockUserLogin',
  tags: ['Users'],
  summary: 'Lift the lock after wrong passwords',
  description:
    'After 50 consecutive wrong passwords, logins with the address are refused with `login_locked` for a day. This request lifts that lock at once; further wrong passwords count anew. `GET /audit` with `event=login.failed` and `subject_id` lists why logins failed.',
  params: UserIdParams,
  response: { 204: Type.Null({ description: 'Logins are not locked.' }) },
  errors: ['not_found'] as const,
}

export function unlockUserLoginRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/users/:id/login-lock', { schema, ...guards.admin }, async (request, reply) => {
    await unlockLogin(ctx, request.params.id, sessionOf(request))
    return reply.code(204).send(null)
  })
}
