import { Anchor, Button, Stack, Text } from '@mantine/core'
import { useMutation, type UseMutationResult, useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import type { paths } from '../../../client/index.ts'
import { Card, Heading, Problem } from '../page.tsx'
import { dataOf, queries, shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import type { Message } from './facts.ts'
import { type Filter, Filters, useFilters } from './filters.tsx'
import { FRESH } from './fresh.ts'
import { kindOf, stateOf } from './mail-words.ts'
import { List, listPageOf } from './table.tsx'
import { C } from './texts.ts'

type Query = NonNullable<paths['/api/v1/mail']['get']['parameters']['query']>

const MAIL = 'mail'

const FILTERS: readonly Filter[] = [
  { name: 'state', label: C.mail.state, options: optionsOf(C.mailWords.states) },
  { name: 'kind', label: C.mail.kind, options: optionsOf(C.mailWords.kinds) },
]

export function MailPage() {
  const query: Query = { limit: 50, ...useFilters(FILTERS) }
  const list = useQuery({
    ...FRESH,
    queryKey: [MAIL, query],
    queryFn: async ({ signal }) =>
      listPageOf(await shop.GET('/mail', { params: { query }, signal })),
  })
  const resend = useMutation({
    mutationFn: async ({ id }: Message) =>
      dataOf(await shop.POST('/mail/{id}/resend', { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: [MAIL] }),
  })
  return (
    <Card>
      <Heading>{C.pages['/console/mail']}</Heading>
      <Filters filters={FILTERS} />
      <div role="status">
        {resend.data !== undefined && <Text>{C.mail.resent(kindOf(resend.data))}</Text>}
      </div>
      {resend.error !== null && <Problem error={resend.error} />}
      <List
        caption={C.pages['/console/mail']}
        list={list}
        rowKey={({ id }) => id}
        columns={[
          { head: C.mail.created, cell: ({ created_at }) => timeOf(created_at) },
          { head: C.mail.kind, cell: kindOf },
          { head: C.mail.to, cell: (message) => <Recipient message={message} /> },
          { head: C.mail.state, cell: (message) => <State message={message} resend={resend} /> },
        ]}
      />
    </Card>
  )
}

function Recipient({ message }: { message: Message }) {
  const { recipient, user_id: id } = message
  return (
    <div>
      {recipient === null ? (
        <Text c="dimmed" inherit>
          {whyNobody(message)}
        </Text>
      ) : (
        <bdi>{recipient}</bdi>
      )}
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

function State({
  message,
  resend: { mutate, isPending, variables },
}: {
  message: Message
  resend: Pick<UseMutationResult<Message, Error, Message>, 'mutate' | 'isPending' | 'variables'>
}) {
  const { state, due_at, last_error } = message
  const isFailed = state === 'bounced' || state === 'dead'
  return (
    <Stack gap={4} align="flex-start">
      <Text inherit {...(isFailed && { c: 'var(--mantine-color-error)' })}>
        {stateOf(message)}
      </Text>
      {last_error !== null && <Text inherit>{C.mail.error(last_error)}</Text>}
      {state === 'waiting' && <Text inherit>{C.mail.next(timeOf(due_at))}</Text>}
      {isFailed && (
        <Button
          variant="default"
          size="compact-sm"
          loading={isPending && variables?.id === message.id}
          aria-label={C.mail.resendOf(kindOf(message), message.recipient ?? whyNobody(message))}
          onClick={() => mutate(message)}
        >
          {C.mail.resend}
        </Button>
      )}
    </Stack>
  )
}

function whyNobody({ kind, state }: Message): string {
  if (kind === 'email_code') return C.mail.noRecipient.email_code
  return state === 'waiting' ? C.mail.noRecipient.waiting : C.mail.noRecipient.other
}

function optionsOf(words: Readonly<Record<string, string>>) {
  return Object.entries(words).map(([value, label]) => ({ value, label }))
}
