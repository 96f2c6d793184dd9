import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { FullName, toUser, User } from '../schemas.ts'
import { changeUser } from '../user-changes.ts'

const schema = {
  operationId: 'updateMe',
  tags: ['Me'],
  summary: 'Change my name',
  description: '`null` removes the name. If the field is omitted, nothing changes.',
  body: Type.Object({ full_name: Type.Optional(FullName) }, { additionalProperties: false }),
  response: { 200: User },
}

export function updateMeRoute(app: App, ctx: Context, guards: Guards): void {
  app.patch('/me', { schema, ...guards.writer }, async (request) => {
    const session = sessionOf(request)
    return toUser(ctx, await changeUser(ctx, session.userId, request.body, session))
  })
}
