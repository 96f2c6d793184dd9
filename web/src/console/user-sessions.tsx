import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { deviceOf } from '../../../server/lib/devices.ts'
import { Card, Loading, Problem } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import { deviceText } from './facts.ts'
import { FRESH } from './fresh.ts'
import { Rows } from './table.tsx'
import { C } from './texts.ts'
import { keyOf } from './user-queries.ts'

export function UserSessions({ id }: { id: number }) {
  const { title, device, ip, used, opened, unknown } = C.user.sessions
  const { data: rows, error } = useQuery({
    ...FRESH,
    queryKey: keyOf(id, 'sessions'),
    queryFn: async ({ signal }) =>
      dataOf(await shop.GET('/users/{id}/sessions', { params: { path: { id } }, signal })),
  })
  return (
    <Card title={title}>
      {error !== null && <Problem error={error} />}
      {rows === undefined && error === null && <Loading />}
      {rows?.length === 0 && <Text>{C.none}</Text>}
      {rows !== undefined && rows.length > 0 && (
        <Rows
          caption={title}
          rows={rows}
          rowKey={(row) => row.id}
          columns={[
            { head: device, cell: (row) => deviceFrom(row.user_agent) ?? unknown },
            { head: ip, cell: (row) => row.ip ?? unknown },
            { head: used, cell: (row) => timeOf(row.last_seen_at) },
            { head: opened, cell: (row) => timeOf(row.created_at) },
          ]}
        />
      )}
    </Card>
  )
}

/** The beginning of what a stranger’s program calls itself, if nobody knows it. */
const SHOWN_MAX = 60

function deviceFrom(userAgent: string | null): string | null {
  const device = deviceOf(userAgent)
  return device === null ? cut(userAgent) : deviceText(device)
}

const cut = (text: string | null) =>
  text !== null && text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
