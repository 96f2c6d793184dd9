import { type Static, Type } from 'typebox'
import type { Context } from '../context.ts'
import { fieldError } from '../errors.ts'
import type { App } from '../http/fastify.ts'
import { openCursor, sealCursor } from '../lib/cursors.ts'
import type { Guards } from '../sessions/guards.ts'
import { findMails, Mail, MAIL_STATES, type MailKey, mailKeyOf } from './mails.ts'

const LIMIT_DEFAULT = 100

const Query = Type.Object(
  {
    state: Type.Optional(Type.Enum([...MAIL_STATES])),
    kind: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: '^[a-z_]+$',
        examples: ['verification'],
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: LIMIT_DEFAULT })),
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description: 'Opaque, from the `Link` of the page before; only with the same filters.',
        examples: [`eyJjcmVhdGVkQXQiOiIyMDI2LTExLTIyIn0.${'A'.repeat(43)}`],
      }),
    ),
  },
  { additionalProperties: false },
)
type Query = Static<typeof Query>

const schema = {
  operationId: 'listMail',
  tags: ['Mail'],
  summary: 'List messages',
  description:
    'What was sent, waits or failed in the last 30 days, the newest first: mails and text messages, never what they say. While there is more, `Link: <…>; rel="next"` (RFC 8288) leads to the next page.',
  querystring: Query,
  response: {
    200: Type.Array(Mail, {
      description: 'One page.',
      headers: {
        Link: { type: 'string', description: '`<…>; rel="next"`, absent on the last page.' },
      },
    }),
  },
}

export function listMailRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/mail', { schema, ...guards.admin }, async (request, reply) => {
    const { query } = request
    const { limit = LIMIT_DEFAULT, after } = query
    const rows = await findMails(ctx.db, query, {
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
      after: after === undefined ? undefined : readCursor(ctx, query, after),
    })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    if (rows.length > limit && last !== undefined) {
      const next = { ...query, after: sealCursor(ctx.keys, scopeOf(query), mailKeyOf(last)) }
      const pairs = Object.entries(next).map(([name, value]) => [name, String(value)])
      // The route's own path: a request may name any host in its URL.
      const path = `${request.routeOptions.url}?${new URLSearchParams(pairs).toString()}`
      reply.header('link', `<${path}>; rel="next"`)
    }
    return page
  })
}

function readCursor(ctx: Context, query: Query, after: string): MailKey {
  const key = openCursor(ctx.keys, scopeOf(query), after)
  if (key === undefined) {
    throw fieldError(
      'after',
      'cursor',
      'This cursor is not from the page before with the same filters.',
    )
  }
  return key as MailKey
}

/** A cursor fits only the filters that it was made for. */
function scopeOf({ state, kind }: Query): string {
  return `mail:${JSON.stringify([state ?? null, kind ?? null])}`
}
