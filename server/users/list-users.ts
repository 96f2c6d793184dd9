import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import type { Context } from '../context.ts'
import { fieldError } from '../errors.ts'
import { openCursor, sealCursor } from '../lib/cursors.ts'
import type { App } from '../http/fastify.ts'
import type { Guards } from '../sessions/guards.ts'
import { toUser, User } from './user.ts'
import { findUserPage, type PageKey, pageKeyOf } from './user-pages.ts'

const LIMIT_DEFAULT = 100

const Query = Type.Object(
  {
    skip: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_147_483_647,
        description: 'Rows to pass over, none without it; slow when large: follow `Link` instead.',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: LIMIT_DEFAULT })),
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description:
          'Opaque, from the `Link` of the page before; only with the same `sort` and filters, and without `skip`.',
        examples: [`eyJ2YWx1ZSI6MTAwLCJpZCI6MTAwfQ.${'A'.repeat(43)}`],
      }),
    ),
    q: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 254,
        pattern: '^[^\\u0000-\\u001f\\u007f]*$',
        description: 'Literal text in the address or the name, in any case.',
        examples: ['ann'],
      }),
    ),
    role: Type.Optional(Type.Enum(['user', 'admin'], { type: 'string' })),
    is_verified: Type.Optional(Type.Boolean()),
    sort: Type.Optional(
      Type.Enum(['id', '-id', 'email', '-email', 'created_at', '-created_at'], {
        type: 'string',
        default: 'id',
        description: 'With `-` before it: descending.',
      }),
    ),
  },
  { additionalProperties: false },
)

const schema = {
  operationId: 'listUsers',
  tags: ['Users'],
  summary: 'List users',
  description:
    'A bare array. While there is more, `Link: <…>; rel="next"` (RFC 8288) leads to the next page: no user is listed twice or left out by what is added or deleted meanwhile.',
  querystring: Query,
  response: {
    200: Type.Array(User, {
      description: 'One page.',
      headers: {
        Link: { type: 'string', description: '`<…>; rel="next"`, absent on the last page.' },
      },
    }),
  },
}

export function listUsersRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/users', { schema, ...guards.admin }, async (request, reply) => {
    const { query } = request
    const { limit = LIMIT_DEFAULT, sort = 'id', skip = 0 } = query
    if (query.after !== undefined && query.skip !== undefined) {
      throw fieldError('skip', 'with_after', 'Use either skip or after.')
    }
    const filters = { q: query.q, role: query.role, isVerified: query.is_verified }
    const rows = await findUserPage(ctx.db, filters, {
      sort,
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
      skip,
      after: query.after === undefined ? undefined : readCursor(ctx, query, query.after),
    })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    if (rows.length > limit && last !== undefined) {
      const after = sealCursor(ctx.keys, scopeOf(query), pageKeyOf(last, sort))
      // The route's own path: a request may name any host in its URL.
      reply.header('link', `<${request.routeOptions.url}?${nextQuery(query, after)}>; rel="next"`)
    }
    return page.map((row) => toUser(ctx, row))
  })
}

type Query = Static<typeof Query>

function readCursor(ctx: Context, query: Query, after: string): PageKey {
  const key = openCursor(ctx.keys, scopeOf(query), after)
  if (key === undefined) {
    throw fieldError(
      'after',
      'cursor',
      'This cursor is not from the page before with the same sort and filters.',
    )
  }
  return key as PageKey
}

/** A cursor fits only the order and the filters that it was made for. */
function scopeOf({ sort = 'id', q, role, is_verified }: Query): string {
  const filters = JSON.stringify([sort, q ?? null, role ?? null, is_verified ?? null])
  return `users:${createHash('sha256').update(filters).digest('base64url')}`
}

function nextQuery(query: Query, after: string): string {
  const { skip: _, ...rest } = query
  return new URLSearchParams(
    Object.entries({ ...rest, after }).map(([name, value]) => [name, String(value)]),
  ).toString()
}
