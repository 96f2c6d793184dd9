import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { Card, Heading } from '../page.tsx'
import { shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import { FRESH } from './fresh.ts'
import { List, listPageOf } from './table.tsx'
import { C } from './texts.ts'

export function UsersPage() {
  const [search] = useSearchParams()
  const after = search.get('after')
  const query = { limit: 50, ...(after !== null && { after }) }
  const list = useQuery({
    ...FRESH,
    queryKey: ['users', query],
    queryFn: async ({ signal }) =>
      listPageOf(await shop.GET('/users', { params: { query }, signal })),
  })
  return (
    <Card>
      <Heading>{C.pages['/console/users']}</Heading>
      <List
        caption={C.pages['/console/users']}
        list={list}
        rowKey={({ id }) => id}
        columns={[
          { head: 'Email', cell: ({ email }) => email },
          { head: 'Created', cell: ({ created_at }) => timeOf(created_at) },
        ]}
      />
    </Card>
  )
}
