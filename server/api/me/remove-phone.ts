import { Type } from 'typebox'
import { recordEvent } from '../../audit/events.ts'
import type { Context } from '../../context.ts'
import { causeOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { forgetTextsOf } from '../../outbox/outbox.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { deletePhoneChangeOf } from '../../accounts/phone-changes.ts'
import { setPhone } from '../../accounts/users.ts'

const schema = {
  operationId: 'removePhone',
  tags: ['Me'],
  summary: 'Remove my phone number',
  description: 'Also one that is not confirmed yet: its code stops working.',
  response: { 204: Type.Null({ description: 'There is no number, and none waits.' }) },
}

export function removePhoneRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/me/phone', { schema, ...guards.writer }, async (request, reply) => {
    await ctx.transaction(async (tx) => {
      const { id, phone } = await lockSelf(ctx, tx, sessionOf(request))
      await deletePhoneChangeOf(tx, id)
      const nowMs = ctx.now()
      await forgetTextsOf(tx, id, nowMs)
      if (phone === null) return
      await setPhone(tx, id, { phone: null, nowMs })
      await recordEvent(tx, { event: 'phone.removed', subjectId: id, ...causeOf(request) }, nowMs)
    })
    return reply.code(204).send(null)
  })
}
