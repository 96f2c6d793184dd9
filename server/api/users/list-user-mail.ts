import { Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { After, Limit, PAGE, sendPage } from '../../http/pagination.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { findMailsOf, mailKeyOf } from '../../outbox/mails.ts'
import type { Guards } from '../guards.ts'
import { Mail } from '../mail/mail.ts'
import { readUser } from '../read-user.ts'
import { recordRead } from '../record-reads.ts'

const schema = {
  operationId: 'listUserMail',
  tags: ['Users'],
  summary: 'List the messages to a user',
  description:
    'Lists the emails and text messages to a user of the last 30 days with their delivery state, newest first, without their content, including those to former addresses. `POST /mail/{id}/resend` repeats one that failed. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.',
  params: UserIdParams,
  querystring: Type.Object(
    { limit: Limit, after: After('user', { createdAt: '2026-11-22' }) },
    { additionalProperties: false },
  ),
  response: { 200: Type.Array(Mail, PAGE) },
  errors: ['not_found'] as const,
}

export function listUserMailRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/users/:id/mail', { schema, ...guards.admin }, async (request, reply) => {
    const user = await readUser(ctx, request.params.id)
    const page = await sendPage(
      ctx,
      { request, reply },
      {
        scope: `user_mail:${user.id}`,
        find: (position) => findMailsOf(ctx.db, user, position),
        keyOf: mailKeyOf,
      },
    )
    await recordRead(ctx, request, 'mail.read')
    return page
  })
}
