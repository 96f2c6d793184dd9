import { Type } from 'typebox'
import { type AuditRow, type EventKey, findEventPageOf } from '../../audit/events.ts'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { After, Limit, PAGE, sendPage } from '../../http/pagination.ts'
import { UserIdParams } from '../../http/schemas.ts'
import { AuditEvent, toAuditEvent } from '../audit/event.ts'
import type { Guards } from '../guards.ts'
import { readUser } from '../read-user.ts'
import { recordRead } from '../record-reads.ts'

const schema = {
  operationId: 'readUserAudit',
  tags: ['Users'],
  summary: 'Read the events of a user',
  description:
    'Returns what happened to a user and what the user did, newest first: the events of `GET /audit` of which the user is the subject or the actor. `GET /audit` filters them, and still has those of a deleted user. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.',
  params: UserIdParams,
  querystring: Type.Object(
    { limit: Limit, after: After('user', { at: '2026-11-22T12:00:00.000Z', id: 100 }) },
    { additionalProperties: false },
  ),
  response: { 200: Type.Array(AuditEvent, PAGE) },
  errors: ['not_found'] as const,
}

export function readUserAuditRoute(app: App, ctx: Context, guards: Guards): void {
  app.get('/users/:id/audit', { schema, ...guards.admin }, async (request, reply) => {
    const { id } = await readUser(ctx, request.params.id)
    const page = await sendPage(
      ctx,
      { request, reply },
      {
        scope: `user_audit:${id}`,
        find: ({ limit, after: before }) => findEventPageOf(ctx.db, id, { limit, before }),
        keyOf: ({ at, id: eventId }: AuditRow): EventKey => ({ at, id: eventId }),
      },
    )
    await recordRead(ctx, request, 'users.read')
    return page.map(toAuditEvent)
  })
}
