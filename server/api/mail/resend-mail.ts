import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import { causeOf } from '../../http/client.ts'
import type { App } from '../../http/fastify.ts'
import { Uuid } from '../../http/schemas.ts'
import type { Guards } from '../guards.ts'
import { resendMail } from '../../outbox/mails.ts'
import { Mail } from './mail.ts'

const schema = {
  operationId: 'resendMail',
  tags: ['Mail'],
  summary: 'Send a failed message again',
  description:
    'For a message that is `dead` or `bounced`: it waits again, with the same id and its tries at nothing. What nobody wants any more, such as a code that has expired, is then dropped.',
  params: Type.Object({ id: Uuid('The message.') }, { additionalProperties: false }),
  response: { 202: { ...Mail, description: 'It is on its way.' } },
  errors: ['not_found', 'mail_not_failed'] as const,
}

export function resendMailRoute(app: App, ctx: Context, guards: Guards): void {
  app.post('/mail/:id/resend', { schema, ...guards.admin }, async (request, reply) => {
    return reply.code(202).send(await resendMail(ctx, request.params.id, causeOf(request)))
  })
}
