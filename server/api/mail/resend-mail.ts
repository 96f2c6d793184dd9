import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { causeOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { Uuid } from '../../http/schemas.ts'
import type { Guards } from '../guards.ts'
import { Mail, resendMail } from './mail.ts'

const schema = {
  operationId: 'resendMail',
  tags: ['Mail'],
  summary: 'Resend a failed message',
  description:
    'Queues a `dead` or `bounced` message for redelivery, with the same id and a reset retry counter. A message that has become obsolete, such as an expired code, is then dropped.',
  params: Type.Object({ id: Uuid('The id of the message.') }, { additionalProperties: false }),
  response: {
    202: { ...Mail, 'x-response-description': 'The message was queued for redelivery.' },
  },
  errors: ['not_found', 'mail_not_failed'] as const,
}

export function resendMailRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/mail/:id/resend', { schema, ...guards.admin }, async (request, reply) => {
    return reply.code(202).send(await resendMail(ctx, request.params.id, causeOf(request)))
  })
}
