import { Text } from '@mantine/core'
import { Card } from '../page.tsx'
import { shop } from '../session.ts'
import { Actor, Origin, sentenceOf, Subject } from './events.tsx'
import type { AuditEvent } from './facts.ts'
import { More, useMore } from './more.tsx'
import { listPageOf, Rows, Time } from './table.tsx'
import { C } from './texts.ts'
import { keyOf } from './user-queries.ts'

export function useTimeline(id: number) {
  return useMore(keyOf(id, 'timeline'), async (query, signal) =>
    listPageOf(await shop.GET('/users/{id}/audit', { params: { path: { id }, query }, signal })),
  )
}

/** What happened to a user, and what the user did, newest first. */
export function Timeline({ id }: { id: number }) {
  const { title, actor } = C.user.timeline
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
              { head: C.audit.time, cell: (row) => <Time at={row.at} /> },
              { head: C.audit.what, cell: (row) => <Sentence event={row} of={id} /> },
              { head: actor, cell: (row) => <Actor event={row} /> },
              { head: C.audit.request, cell: (row) => <Origin event={row} /> },
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
