import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { deviceName } from '../device-name.ts'
import { Card } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { FRESH } from './fresh.ts'
import { Loaded } from './loaded.tsx'
import { Rows, Time } from './table.tsx'
import { C } from './texts.ts'
import { keyOf } from './user-queries.ts'

export function UserSessions({ id }: { id: number }) {
  const { title, device, ip, used, opened, unknown } = C.user.sessions
  const sessions = useQuery({
    ...FRESH,
    queryKey: keyOf(id, 'sessions'),
    queryFn: async ({ signal }) =>
      dataOf(await shop.GET('/users/{id}/sessions', { params: { path: { id } }, signal })),
  })
  return (
    <Card title={title}>
      <Loaded query={sessions}>
        {(rows) =>
          rows.length === 0 ? (
            <Text>{C.none}</Text>
          ) : (
            <Rows
              caption={title}
              rows={rows}
              rowKey={(row) => row.id}
              columns={[
                { head: device, cell: (row) => deviceName(row.user_agent, C.device) },
                { head: ip, cell: (row) => row.ip ?? unknown },
                { head: used, cell: (row) => <Time at={row.last_seen_at} /> },
                { head: opened, cell: (row) => <Time at={row.created_at} /> },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  )
}
