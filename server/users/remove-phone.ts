import { Type } from 'typebox'
import type { Context } from '../context.ts'
import type { App } from '../http/fastify.ts'
import { type Guards, lockSelf, sessionOf } from '../sessions/guards.ts'
import { deletePhoneChangeOf } from './phone-changes.ts'
import { setPhone } from './users.ts'

const schema = {
  operationId: 'removePhone',
  tags: ['Me'],
  summary: 'Remove my phone number',
  description: 'Also one that is not confirmed yet: its code stops working.',
  response: { 204: Type.Null({ description: 'There is no number, and none waits.' }) },
}

export function removePhoneRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/me/phone', { schema, ...guards.user }, async (request, reply) => {
    await ctx.transaction(async (tx) => {
      const user = await lockSelf(ctx, tx, sessionOf(request))
      await deletePhoneChangeOf(tx, user.id)
      if (user.phone !== null) await setPhone(tx, user.id, { phone: null, nowMs: ctx.now() })
    })
    return reply.code(204).send(null)
  })
}
