import type { ShownUserRow } from '../../database/schema.ts'
import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import type { Context } from '../../context.ts'
import { fieldError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { After, Count, COUNTED_PAGE, Limit, sendPage } from '../../http/pagination.ts'
import type { Guards } from '../guards.ts'
import { recordRead } from '../record-reads.ts'
import { toUser, User } from '../schemas.ts'
import { countUsers, estimateUsers } from '../../accounts/user-counts.ts'
import { type PageKey, pageKeyOf } from '../../accounts/user-pages.ts'
import { findUsers } from '../../accounts/user-search.ts'

const Query = Type.Object(
  {
    skip: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description: 'Number of rows to skip. To go further, follow `Link`, which uses `after`.',
      }),
    ),
    limit: Limit,
    after: After('`sort` and filters, and without `skip`', { value: 100, id: 100 }),
    q: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 254,
        pattern: '^[^\\u0000-\\u001f\\u007f]*$',
        description:
          'Case-insensitive search for literal text: three characters or more anywhere in the address or the name, fewer at the beginning of either. On a PostgreSQL without the extension pg_trgm always at the beginning. 422 `too_broad` where many match, but few of them near the beginning of the page: use a longer text or another sort.',
        examples: ['ann'],
      }),
    ),
    role: Type.Optional(
      Type.Enum(['user', 'admin'], { type: 'string', description: 'Only users with this role.' }),
    ),
    is_verified: Type.Optional(
      Type.Boolean({ description: 'Only verified or only unverified users.' }),
    ),
    sort: Type.Optional(
      Type.Enum(['id', '-id', 'email', '-email', 'created_at', '-created_at'], {
        type: 'string',
        default: 'id',
        description: 'The sort key. A leading `-` sorts in descending order.',
      }),
    ),
    count: Count,
  },
  { additionalProperties: false },
)

const schema = {
  operationId: 'listUsers',
  tags: ['Users'],
  summary: 'List users',
  description:
    'Returns an array. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page. Pagination is stable: users that are added or deleted in the meantime cause neither duplicates nor gaps.',
  querystring: Query,
  response: {
    200: Type.Array(User, COUNTED_PAGE),
  },
}

export function listUsersRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/users', { schema, ...guards.admin }, async (request, reply) => {
    const { query } = request
    const { sort = 'id', skip = 0 } = query
    if (query.after !== undefined && query.skip !== undefined) {
      throw fieldError('skip', 'with_after', 'Use either skip or after, not both.')
    }
    if (query.count !== undefined && query.q !== undefined) {
      throw fieldError(
        'count',
        'with_q',
        'Use either count or q, not both: no index counts a search.',
      )
    }
    const filters = { q: query.q, role: query.role, isVerified: query.is_verified }
    const page = await sendPage(
      ctx,
      { request, reply },
      {
        scope: scopeOf(query),
        async find(position) {
          // Before the rows, which would outlive a collection of garbage meanwhile: a quarter of the cost of a page.
          await recordRead(ctx, request, 'users.read')
          return findUsers(ctx.db, filters, { ...position, sort, skip })
        },
        keyOf: (user: ShownUserRow): PageKey => pageKeyOf(user, sort),
        without: ['skip', 'count'],
      },
    )
    if (query.count !== undefined) {
      const { total, isEstimated } =
        query.count === 'exact'
          ? await countUsers(ctx.longReads, filters)
          : await estimateUsers(ctx.db, filters)
      reply.header('x-total-count', total)
      if (isEstimated) reply.header('x-total-count-estimated', 'true')
    }
    return page.map((row) => toUser(ctx, row))
  })
}

type Query = Static<typeof Query>

function scopeOf({ sort = 'id', q, role, is_verified }: Query): string {
  const filters = JSON.stringify([sort, q ?? null, role ?? null, is_verified ?? null])
  return `users:${createHash('sha256').update(filters).digest('base64url')}`
}
