import { Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Card, Problem } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import type { Message } from './facts.ts'
import { kindOf, stateOf } from './mail-words.ts'
import { More, useMore } from './more.tsx'
import { listPageOf, Rows } from './table.tsx'
import { C } from './texts.ts'
import type { Done } from './user-actions.tsx'
import { keyOf, refreshUser } from './user-queries.ts'

interface UserMailProps {
  readonly id: number
  readonly show: (done: Done) => void
}

const FAILED: ReadonlySet<Message['state']> = new Set(['bounced', 'dead'] as const)

/** What was sent to a user, and, where it failed, a way to send it again. */
export function UserMail({ id, show }: UserMailProps) {
  const { title, kind, state, to, at, resend, resent, unknown, due } = C.user.mail
  const list = useMore(keyOf(id, 'mail'), async (query, signal) =>
    listPageOf(await shop.GET('/users/{id}/mail', { params: { path: { id }, query }, signal })),
  )
  const again = useMutation({
    mutationFn: async (mail: string) =>
      dataOf(await shop.POST('/mail/{id}/resend', { params: { path: { id: mail } } })),
    onSuccess: () => show({ text: resent }),
    onSettled: () => refreshUser(id),
  })
  return (
    <Card title={title}>
      {again.error !== null && <Problem error={again.error} />}
      <More list={list}>
        {(rows) => (
          <Rows
            caption={title}
            rows={rows}
            rowKey={(row) => row.id}
            columns={[
              { head: kind, cell: kindOf },
              {
                head: state,
                cell: (row) => (
                  <Stack gap={4} align="start">
                    {stateOf(row)}
                    {row.state === 'waiting' && (
                      <Text c="dimmed" fz="sm">
                        {due(timeOf(row.due_at))}
                      </Text>
                    )}
                    {row.last_error !== null && (
                      <Text c="dimmed" fz="sm">
                        {row.last_error}
                      </Text>
                    )}
                    {FAILED.has(row.state) && (
                      <Button
                        variant="default"
                        size="xs"
                        aria-label={`${resend}: ${kindOf(row)}`}
                        loading={again.isPending && again.variables === row.id}
                        onClick={() => again.mutate(row.id)}
                      >
                        {resend}
                      </Button>
                    )}
                  </Stack>
                ),
              },
              { head: to, cell: (row) => row.recipient ?? unknown },
              { head: at, cell: (row) => timeOf(row.created_at) },
            ]}
          />
        )}
      </More>
    </Card>
  )
}
