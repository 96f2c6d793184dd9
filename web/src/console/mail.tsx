import { Anchor } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import type { paths } from '../../../client/index.ts'
import { Card, Heading, Problem } from '../page.tsx'
import { queries, shop } from '../session.ts'
import type { Message } from './facts.ts'
import { type Filter, Filters, useFilters } from './filters.tsx'
import { FRESH } from './fresh.ts'
import { kindOf, MessageState, Recipient, useResend } from './messages.tsx'
import { List, listPageOf, Time } from './table.tsx'
import { C } from './texts.ts'
import { type Done, DoneLine } from './user-actions.tsx'

type Query = NonNullable<paths['/api/v1/mail']['get']['parameters']['query']>

const MAIL = 'mail'

const FILTERS: readonly Filter[] = [
  { name: 'state', label: C.mail.state, options: optionsOf(C.mailWords.states) },
  { name: 'kind', label: C.mail.kind, options: optionsOf(C.mailWords.kinds) },
]

export function MailPage() {
  const [done, setDone] = useState<Done>()
  const query: Query = { limit: 50, ...useFilters(FILTERS) }
  const list = useQuery({
    ...FRESH,
    queryKey: [MAIL, query],
    queryFn: async ({ signal }) =>
      listPageOf(await shop.GET('/mail', { params: { query }, signal })),
  })
  const resend = useResend({
    onSuccess: (message) => setDone({ text: C.mail.resent(kindOf(message)) }),
    onSettled: () => queries.invalidateQueries({ queryKey: [MAIL] }),
  })
  return (
    <Card>
      <Heading>{C.pages['/console/mail']}</Heading>
      <Filters filters={FILTERS} />
      {done !== undefined && <DoneLine done={done} show={setDone} />}
      {resend.error !== null && <Problem error={resend.error} />}
      <List
        caption={C.pages['/console/mail']}
        list={list}
        rowKey={({ id }) => id}
        columns={[
          { head: C.mail.created, cell: ({ created_at }) => <Time at={created_at} /> },
          { head: C.mail.kind, cell: kindOf },
          { head: C.mail.to, cell: (message) => <RecipientAndUser message={message} /> },
          {
            head: C.mail.state,
            cell: (message) => <MessageState message={message} resend={resend} />,
          },
        ]}
      />
    </Card>
  )
}

function RecipientAndUser({ message }: { message: Message }) {
  const { user_id: id } = message
  return (
    <div>
      <Recipient message={message} />
      {id !== null && (
        <div>
          <Link to={`/console/users/${id}`} asChild>
            <Anchor inherit>{C.mail.user(id)}</Anchor>
          </Link>
        </div>
      )}
    </div>
  )
}

function optionsOf(words: Readonly<Record<string, string>>) {
  return Object.entries(words).map(([value, label]) => ({ value, label }))
}
