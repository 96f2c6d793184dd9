import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { paths } from '../../../client/index.ts'
import { Card, Heading } from '../page.tsx'
import { shop } from '../session.ts'
import { Actor, Origin, sentenceOf, Subject } from './events.tsx'
import type { AuditEvent } from './facts.ts'
import { type Filter, Filters, useFilters } from './filters.tsx'
import { FRESH } from './fresh.ts'
import { List, listPageOf, Time } from './table.tsx'
import { C } from './texts.ts'

type Query = NonNullable<paths['/api/v1/audit']['get']['parameters']['query']>

const FILTERS: readonly Filter[] = [
  {
    name: 'event',
    label: C.audit.event,
    options: Object.keys(C.events.sentences).map((event) => ({ value: event, label: event })),
  },
  { name: 'actor_id', label: C.audit.actor, type: 'number' },
  { name: 'subject_id', label: C.audit.subject, type: 'number' },
  { name: 'since', label: C.audit.since, type: 'datetime-local' },
  { name: 'until', label: C.audit.until, type: 'datetime-local' },
]

export function AuditPage() {
  const query: Query = { limit: 50, ...useFilters(FILTERS) }
  const list = useQuery({
    ...FRESH,
    queryKey: ['audit', query],
    queryFn: async ({ signal }) =>
      listPageOf(await shop.GET('/audit', { params: { query }, signal })),
  })
  return (
    <Card>
      <Heading>{C.pages['/console/audit']}</Heading>
      <Filters filters={FILTERS} />
      <List
        caption={C.pages['/console/audit']}
        list={list}
        rowKey={({ id }) => id}
        columns={[
          { head: C.audit.time, cell: ({ at }) => <Time at={at} /> },
          { head: C.audit.what, cell: (event) => <What event={event} /> },
          { head: C.audit.request, cell: (event) => <Origin event={event} /> },
        ]}
      />
    </Card>
  )
}

function What({ event }: { event: AuditEvent }) {
  return (
    <div>
      {sentenceOf(event)}
      <Text c="dimmed" fz="sm">
        <Actor event={event} />
        {event.subject_id !== null && ' · '}
        <Subject event={event} />
      </Text>
      <code>{event.event}</code>
    </div>
  )
}
