import { Card, Problem } from '../page.tsx'
import { shop } from '../session.ts'
import { kindOf, MessageState, Recipient, useResend } from './messages.tsx'
import { More, useMore } from './more.tsx'
import { listPageOf, Rows, Time } from './table.tsx'
import { C } from './texts.ts'
import type { Done } from './user-actions.tsx'
import { keyOf, refreshUser } from './user-queries.ts'

interface UserMailProps {
  readonly id: number
  readonly show: (done: Done) => void
}

/** What was sent to a user, and, where it failed, a way to send it again. */
export function UserMail({ id, show }: UserMailProps) {
  const list = useMore(keyOf(id, 'mail'), async (query, signal) =>
    listPageOf(await shop.GET('/users/{id}/mail', { params: { path: { id }, query }, signal })),
  )
  const resend = useResend({
    onSuccess: (message) => show({ text: C.mail.resent(kindOf(message)) }),
    onSettled: () => refreshUser(id),
  })
  return (
    <Card title={C.mail.recent}>
      {resend.error !== null && <Problem error={resend.error} />}
      <More list={list}>
        {(rows) => (
          <Rows
            caption={C.mail.recent}
            rows={rows}
            rowKey={(message) => message.id}
            columns={[
              { head: C.mail.created, cell: ({ created_at }) => <Time at={created_at} /> },
              { head: C.mail.kind, cell: kindOf },
              { head: C.mail.to, cell: (message) => <Recipient message={message} /> },
              {
                head: C.mail.state,
                cell: (message) => <MessageState message={message} resend={resend} />,
              },
            ]}
          />
        )}
      </More>
    </Card>
  )
}
