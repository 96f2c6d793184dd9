import { Text } from '@mantine/core'
import { Card } from '../page.tsx'
import { shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import { Actor, sentenceOf, Subject } from './events.tsx'
import type { AuditEvent } from './facts.ts'
import { More, useMore } from './more.tsx'
import { listPageOf, Rows } from './table.tsx'
import { C } from './texts.ts'
import { keyOf } from './user-queries.ts'

export function useTimeline(id: number) {
  return useMore(keyOf(id, 'timeline'), async (query, signal) =>
    listPageOf(await shop.GET('/users/{id}/audit', { params: { path: { id }, query }, signal })),
  )
}

/** What happened to a user, and what the user did, newest first. */
export function Timeline({ id }: { id: number }) {
  const { title, at, event, actor, origin } = C.user.timeline
  const list = useTimeline(id)
  return (
    <Card title={title}>
      <More list={list}>
        {(rows) => (
          <Rows
            caption={title}
            rows={rows}
            rowKey={(row) => row.id}
            columns={[
              { head: at, cell: (row) => timeOf(row.at) },
              { head: event, cell: (row) => <Sentence event={row} of={id} /> },
              { head: actor, cell: (row) => <Actor event={row} /> },
              { head: origin, cell: (row) => <Origin event={row} /> },
            ]}
          />
        )}
      </More>
    </Card>
  )
}

function Sentence({ event, of }: { event: AuditEvent; of: number }) {
  return (
    <div>
      {sentenceOf(event)}
      {event.subject_id !== null && event.subject_id !== of && (
        <Text c="dimmed" fz="sm">
          <Subject event={event} />
        </Text>
      )}
    </div>
  )
}

function Origin({ event: { ip, request_id: request } }: { event: AuditEvent }) {
  return (
    <span>
      {ip}
      {request !== null && (
        <Text component="span" display="block" c="dimmed" fz="xs">
          {C.user.timeline.request(request)}
        </Text>
      )}
    </span>
  )
}
