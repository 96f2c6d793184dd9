import { type Static, Type } from 'typebox'
import type { Context } from '../context.ts'
import { fieldError } from '../errors.ts'
import type { App } from '../http/fastify.ts'
import { NullableText, Time } from '../http/schemas.ts'
import { openCursor, sealCursor } from '../lib/cursors.ts'
import type { Guards } from '../sessions/guards.ts'
import { type AuditFilters, type AuditRow, findEventPage } from './audit.ts'
import { type AuditEventName, EVENTS } from './events.ts'

const LIMIT_DEFAULT = 100
const EVENT_NAMES = Object.keys(EVENTS) as AuditEventName[]

const Moment = (description: string) =>
  Type.Optional(
    Type.String({ format: 'date-time', description, examples: ['2026-11-22T00:00:00Z'] }),
  )
const UserId = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, description, examples: [42] }))

const Query = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: LIMIT_DEFAULT })),
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description: 'Opaque, from the `Link` of the page before; only with the same filters.',
        examples: [`eyJpZCI6MTAwfQ.${'A'.repeat(43)}`],
      }),
    ),
    event: Type.Optional(Type.Enum(EVENT_NAMES, { type: 'string' })),
    actor_id: UserId('Who did it.'),
    subject_id: UserId('To whom it happened.'),
    since: Moment('From this time on.'),
    until: Moment('Before this time.'),
  },
  { additionalProperties: false },
)

const NullableId = (description: string) =>
  Type.Unsafe<number | null>({ type: ['integer', 'null'], description, examples: [42] })

const Event = Type.Object(
  {
    id: Type.Integer({ description: 'Grows with time.', examples: [1001] }),
    at: Time('When it was done.'),
    event: Type.Enum(EVENT_NAMES, {
      type: 'string',
      description: EVENT_NAMES.map((name) => `\`${name}\`: ${EVENTS[name]}`).join('\n\n'),
    }),
    actor_id: NullableId('Who did it; null: somebody not logged in, the service or an operator.'),
    subject_id: NullableId('To whom it happened.'),
    changes: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description:
        'Field names, ids, counts, and role or state before and after. No addresses, names or secrets.',
      additionalProperties: true,
      examples: [{ before: 'user', after: 'admin' }],
    }),
    ip: NullableText('From where; null once the account is deleted.', ['192.0.2.1']),
    request_id: NullableText('As in the answer’s `X-Request-Id` and the log.', [
      'b2e0f1a4-6c1d-4a57-9a39-0d6d3a1f2c55',
    ]),
  },
  { additionalProperties: false, description: 'Something that happened.' },
)

const schema = {
  operationId: 'readAudit',
  tags: ['Audit'],
  summary: 'Read the audit log',
  description:
    'Newest first, as a bare array. Events are written in the transaction of the change they tell of, are never changed, and are deleted after `AUDIT_KEEP_DAYS`. While there is more, `Link: <…>; rel="next"` (RFC 8288) leads to the next page.',
  querystring: Query,
  response: {
    200: Type.Array(Event, {
      description: 'One page.',
      headers: {
        Link: { type: 'string', description: '`<…>; rel="next"`, absent on the last page.' },
      },
    }),
  },
}

export function readAuditRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/audit', { schema, ...guards.admin }, async (request, reply) => {
    const { limit = LIMIT_DEFAULT, after, ...query } = request.query
    const scope = `audit:${JSON.stringify(filtersOf(query))}`
    const rows = await findEventPage(ctx.db, filtersOf(query), {
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
      before: after === undefined ? undefined : readCursor(ctx, scope, after),
    })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    if (rows.length > limit && last !== undefined) {
      const cursor = sealCursor(ctx.keys, scope, { id: last.id })
      const next = new URLSearchParams(
        Object.entries({ ...request.query, after: cursor }).map(([key, value]) => [
          key,
          String(value),
        ]),
      )
      // The route's own path: a request may name any host in its URL.
      reply.header('link', `<${request.routeOptions.url}?${next.toString()}>; rel="next"`)
    }
    return page.map(toEvent)
  })
}

function filtersOf(query: Omit<Static<typeof Query>, 'limit' | 'after'>): AuditFilters {
  return {
    event: query.event,
    actorId: query.actor_id,
    subjectId: query.subject_id,
    since: utc(query.since),
    until: utc(query.until),
  }
}

/** As the table has it: SQLite compares the texts. */
function utc(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString()
}

function readCursor(ctx: Context, scope: string, cursor: string): number {
  const position = openCursor(ctx.keys, scope, cursor) as { id: number } | undefined
  if (position === undefined) {
    const detail = 'This cursor is not from the page before with the same filters.'
    throw fieldError('after', 'cursor', detail)
  }
  return position.id
}

function toEvent(row: AuditRow) {
  return {
    ...row,
    event: row.event as AuditEventName,
    changes: JSON.parse(row.changes) as Record<string, unknown>,
  }
}
