import { Type } from 'typebox'
import { type AuditEventName, EVENTS } from '../../audit/event-names.ts'
import type { AuditRow } from '../../audit/events.ts'
import { NullableText, Time } from '../../http/schemas.ts'

export const EVENT_NAMES = Object.keys(EVENTS) as AuditEventName[]

const NullableId = (description: string) =>
  Type.Unsafe<number | null>({ type: ['integer', 'null'], description, examples: [42] })

export const AuditEvent = Type.Object(
  {
    id: Type.Integer({ description: 'Ids increase over time.', examples: [1001] }),
    at: Time('Time of the event.'),
    event: Type.Enum(EVENT_NAMES, {
      type: 'string',
      description: EVENT_NAMES.map((name) => `\`${name}\`: ${EVENTS[name]}`).join('\n\n'),
    }),
    actor_id: NullableId(
      'The actor; null for a client that was not logged in, the service itself or an operator.',
    ),
    subject_id: NullableId('The affected user.'),
    changes: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description:
        'Field names, ids, counts, and the role or state before and after. Contains no addresses, names or secrets.',
      additionalProperties: true,
      examples: [{ before: 'user', after: 'admin' }],
    }),
    ip: NullableText('The client address; null once the account is deleted.', ['192.0.2.1']),
    request_id: NullableText('The request id, as in `X-Request-Id` and the log.', [
      'b2e0f1a4-6c1d-4a57-9a39-0d6d3a1f2c55',
    ]),
  },
  { title: 'AuditEvent', additionalProperties: false, description: 'An audit event.' },
)

export function toAuditEvent(row: AuditRow) {
  return {
    ...row,
    event: row.event as AuditEventName,
    changes: JSON.parse(row.changes) as Record<string, unknown>,
  }
}
