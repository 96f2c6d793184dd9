import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../context.ts'
import { fieldError } from '../errors.ts'
import { openCursor, sealCursor } from './cursors.ts'

const LIMIT_DEFAULT = 100

/** The page size. */
export const Limit = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 100,
    default: LIMIT_DEFAULT,
    description: 'Maximum number of entries on a page.',
  }),
)

/** The pagination cursor; `key` is an example of its content. */
export const After = (same: string, key: object) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: `Opaque cursor from the \`Link\` header of the previous page; valid only with the same ${same}.`,
      examples: [`${Buffer.from(JSON.stringify(key)).toString('base64url')}.${'A'.repeat(43)}`],
    }),
  )

/** The response description of a paginated list. */
export const PAGE = {
  description: 'One page of the list.',
  headers: {
    Link: {
      type: 'string',
      description: 'URL of the next page, `<…>; rel="next"`; absent on the last page.',
    },
  },
}

/** Whether a list is counted. */
export const Count = Type.Optional(
  Type.Enum(['exact', 'estimate'], {
    type: 'string',
    description:
      'Adds `X-Total-Count`. `estimate` counts up to 10 000 entries and estimates more from a sample of 10 000 ids: usually within 5 % where a tenth of all or more are selected, roughly where fewer are. `exact` reads all and, from some million entries, may exceed the time limit of a request (503). Not together with `q`. `Link` omits it: the next pages need no count.',
  }),
)

/** The response description of a list that can be counted. */
export const COUNTED_PAGE = {
  ...PAGE,
  headers: {
    ...PAGE.headers,
    'X-Total-Count': {
      type: 'integer',
      description: 'With `count`: the number of entries on all pages together.',
    },
    'X-Total-Count-Estimated': {
      type: 'string',
      enum: ['true'],
      description: 'Only if `X-Total-Count` is an estimate.',
    },
  },
}

interface PageOptions<Row, Key> {
  /** List, sort and filters; a cursor is valid only within its scope. */
  readonly scope: string
  readonly find: (position: { limit: number; after: Key | undefined }) => Promise<Row[]>
  /** The sort key of a row. */
  readonly keyOf: (row: Row) => Key
  /** Parameters that the next page's URL omits. */
  readonly without?: readonly string[]
}

/** Returns the requested page and sets `Link` if another one follows. Throws `validation_failed`. */
export async function sendPage<Row, Key extends object>(
  ctx: Context,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  { scope, find, keyOf, without = [] }: PageOptions<Row, Key>,
): Promise<Row[]> {
  const query = request.query as { limit?: number; after?: string }
  const { limit = LIMIT_DEFAULT, after } = query
  const key = after === undefined ? undefined : (readCursor(ctx, scope, after) as Key)
  // One extra row shows whether there is a next page.
  const rows = await find({ limit: limit + 1, after: key })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  if (rows.length > limit && last !== undefined) {
    const next = { ...query, after: sealCursor(ctx.keys, scope, keyOf(last)) }
    const pairs = Object.entries(next)
      .filter(([name]) => !without.includes(name))
      .map(([name, value]) => [name, String(value)])
    const path = `${ctx.config.publicPath}${pathOf(request)}`
    reply.header('link', `<${path}?${new URLSearchParams(pairs).toString()}>; rel="next"`)
  }
  return page
}

/** The route's own path, because a client can send any host in the request URL. */
function pathOf({ routeOptions: { url = '' }, params }: FastifyRequest): string {
  const values = params as Record<string, unknown>
  return url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values[name])))
}

function readCursor(ctx: Context, scope: string, cursor: string): unknown {
  const key = openCursor(ctx.keys, scope, cursor)
  if (key !== undefined) return key
  const detail =
    'Use the cursor from the Link header of the previous page, with the same sort and filters.'
  throw fieldError('after', 'cursor', detail)
}
