import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { forgetTextsOf } from '../../outbox/outbox.ts'
import { type Guards, lockSelf, sessionOf } from '../guards.ts'
import { deletePhoneChangeOf } from '../../accounts/phone-changes.ts'
import { setPhone } from '../../accounts/users.ts'
import { commit } from '../../outbox/write.ts'

const schema = {
  operationId: 'removePhone',
  tags: ['Me'],
  summary: 'Remove my phone number',
  description: 'Removes the confirmed number and a pending one, whose code becomes invalid.',
  response: { 204: Type.Null({ description: 'The account has no phone number.' }) },
}

export function removePhoneRoute(app: App, ctx: Context, guards: Guards): void {
  app.delete('/me/phone', { schema, ...guards.writer }, async (request, reply) => {
    const actor = sessionOf(request)
    await commit(ctx, actor.cause, async (write) => {
      const { tx, nowMs, record } = write
      const { id, phone } = await lockSelf(write, actor)
      await deletePhoneChangeOf(tx, id)
      await forgetTextsOf(tx, id, nowMs)
      if (phone === null) return
      await setPhone(tx, id, { phone: null, nowMs })
      await record('phone.removed', { subjectId: id })
    })
    return reply.code(204).send(null)
  })
}
