import { type Static, Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { After, Limit, PAGE, sendPage } from '../../http/pagination.ts'
import type { Guards } from '../guards.ts'
import { findMails, MAIL_STATES, mailKeyOf } from '../../outbox/mails.ts'
import { Mail } from './mail.ts'
import { recordRead } from '../record-reads.ts'
import { KINDS } from '../../messages/kinds.ts'

const Query = Type.Object(
  {
    state: Type.Optional(
      Type.Enum([...MAIL_STATES], { description: 'Only messages in this state.' }),
    ),
    kind: Type.Optional(
      Type.Enum(Object.keys(KINDS), { description: 'Only messages of this kind.' }),
    ),
    limit: Limit,
    after: After('filters', { createdAt: '2026-11-22' }),
  },
  { additionalProperties: false },
)
type Query = Static<typeof Query>

const schema = {
  operationId: 'listMail',
  tags: ['Mail'],
  summary: 'List messages',
  description:
    'Lists the emails and text messages of the last 30 days with their delivery state, newest first, without their content. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.',
  querystring: Query,
  response: {
    200: Type.Array(Mail, PAGE),
  },
}

export function listMailRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/mail', { schema, ...guards.admin }, async (request, reply) => {
    const { query } = request
    const page = await sendPage(
      ctx,
      { request, reply },
      {
        scope: scopeOf(query),
        find: (position) => findMails(ctx.db, query, position),
        keyOf: mailKeyOf,
      },
    )
    await recordRead(ctx, request, 'mail.read')
    return page
  })
}

function scopeOf({ state, kind }: Query): string {
  return `mail:${JSON.stringify([state ?? null, kind ?? null])}`
}
