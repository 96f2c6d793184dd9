import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Context } from '../context.ts'
import { fieldError } from '../errors.ts'
import { openCursor, sealCursor } from './cursors.ts'

const LIMIT_DEFAULT = 100

/** The number of rows of a page; without it a hundred. */
export const Limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, default: LIMIT_DEFAULT }),
)

/** Where a page begins; `key` is an example of where one ended. */
export const After = (same: string, key: object) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: `Opaque cursor from the \`Link\` header of the previous page; valid only with the same ${same}.`,
      examples: [`${Buffer.from(JSON.stringify(key)).toString('base64url')}.${'A'.repeat(43)}`],
    }),
  )

/** For the answer that is a page. */
export const PAGE = {
  description: 'One page of the list.',
  headers: {
    Link: {
      type: 'string',
      description: 'URL of the next page, `<…>; rel="next"`; absent on the last page.',
    },
  },
}

interface PageOptions<Row, Key> {
  /** List, order and filters: a cursor fits only those that it was made for. */
  readonly scope: string
  readonly find: (position: { limit: number; after: Key | undefined }) => Promise<Row[]>
  /** Where a row stands in the list. */
  readonly keyOf: (row: Row) => Key
  /** Parameters that the next page does not have. */
  readonly without?: readonly string[]
}

/** The rows of the page that is asked for; while there is more, `Link` leads to it. Throws `validation_failed`. */
export async function sendPage<Row, Key extends object>(
  ctx: Context,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  { scope, find, keyOf, without = [] }: PageOptions<Row, Key>,
): Promise<Row[]> {
  const query = request.query as { limit?: number; after?: string }
  const { limit = LIMIT_DEFAULT, after } = query
  const key = after === undefined ? undefined : (readCursor(ctx, scope, after) as Key)
  // One row more shows whether there is a next page.
  const rows = await find({ limit: limit + 1, after: key })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  if (rows.length > limit && last !== undefined) {
    const next = { ...query, after: sealCursor(ctx.keys, scope, keyOf(last)) }
    const pairs = Object.entries(next)
      .filter(([name]) => !without.includes(name))
      .map(([name, value]) => [name, String(value)])
    // The route's own path: a request may name any host in its URL.
    const path = `${request.routeOptions.url}?${new URLSearchParams(pairs).toString()}`
    reply.header('link', `<${path}>; rel="next"`)
  }
  return page
}

function readCursor(ctx: Context, scope: string, cursor: string): unknown {
  const key = openCursor(ctx.keys, scope, cursor)
  if (key !== undefined) return key
  const detail = 'This cursor is not from the page before with the same sort and filters.'
  throw fieldError('after', 'cursor', detail)
}
