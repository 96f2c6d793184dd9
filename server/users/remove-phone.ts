import { Type } from 'typebox'
import type { Context } from '../context.ts'
import type { App } from '../http/fastify.ts'
import { type Guards, sessionOf } from '../sessions/guards.ts'
import { deletePhoneChangeOf } from './phone-changes.ts'
import { lockUser, setPhone } from './users.ts'

const schema = {
  operationId: 'removePhone',
  tags: ['Me'],
  summary: 'Remove my phone number',
  description: 'Also one that is not confirmed yet: its code stops working.',
  response: { 204: Type.Null({ description: 'There is no number, and none waits.' }) },
}

export function removePhoneRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/me/phone', { schema, ...guards.user }, async (request, reply) => {
    const { userId } = sessionOf(request)
    await ctx.transaction(async (tx) => {
      const user = await lockUser(tx, userId)
      await deletePhoneChangeOf(tx, userId)
      if (user?.phone != null) await setPhone(tx, userId, null, ctx.now())
    })
    return reply.code(204).send(null)
  })
}
