import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { type Guards, sessionOf } from '../guards.ts'
import { toUser, User } from '../schemas.ts'

const schema = {
  operationId: 'showMe',
  tags: ['Me'],
  summary: 'Show my account',
  response: { 200: User },
}

export function showMeRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/me', { schema, ...guards.user }, (request) => {
    const { user } = sessionOf(request)
    return toUser(ctx, user)
  })
}
