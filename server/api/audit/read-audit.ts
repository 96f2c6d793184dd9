import { type Static, Type } from 'typebox'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { After, Limit, PAGE, sendPage } from '../../http/pagination.ts'
import type { Guards } from '../guards.ts'
import {
  type AuditFilters,
  type AuditRow,
  type EventKey,
  findEventPage,
} from '../../audit/events.ts'
import { AuditEvent, EVENT_NAMES, toAuditEvent } from './event.ts'

const Moment = (description: string) =>
  Type.Optional(
    Type.String({ format: 'date-time', description, examples: ['2026-11-22T00:00:00Z'] }),
  )
const UserId = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, description, examples: [42] }))

const Query = Type.Object(
  {
    limit: Limit,
    after: After('filters', { at: '2026-11-22T12:00:00.000Z', id: 100 }),
    event: Type.Optional(Type.Enum(EVENT_NAMES, { type: 'string' })),
    actor_id: UserId('The id of the actor.'),
    subject_id: UserId('The id of the affected user.'),
    since: Moment('Start of the period, inclusive.'),
    until: Moment('End of the period, exclusive.'),
  },
  { additionalProperties: false },
)

const schema = {
  operationId: 'readAudit',
  tags: ['Audit'],
  summary: 'Read the audit log',
  description:
    'Returns an array, newest first. Events are written in the transaction of the change that they record, are immutable, and are deleted after `AUDIT_KEEP_DAYS`. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.',
  querystring: Query,
  response: {
    200: Type.Array(AuditEvent, PAGE),
  },
}

export function readAuditRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/audit', { schema, ...guards.admin }, async (request, reply) => {
    const { limit: _, after: __, ...query } = request.query
    const filters = filtersOf(query)
    const page = await sendPage(
      ctx,
      { request, reply },
      {
        scope: `audit:${JSON.stringify(filters)}`,
        find: ({ limit, after: before }) => findEventPage(ctx.db, filters, { limit, before }),
        keyOf: ({ at, id }: AuditRow): EventKey => ({ at, id }),
      },
    )
    return page.map(toAuditEvent)
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

/** The format of the table: SQLite compares times as text. */
function utc(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString()
}
