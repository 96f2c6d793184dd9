import { Anchor, Group, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { User } from '../../../client/index.ts'
import { timeOf } from '../setup.ts'
import type { FromList } from './back-to-users.tsx'
import { type Column, Time } from './table.tsx'
import { C } from './texts.ts'
import { UserState } from './user-state.tsx'

const U = C.users

/** Names and addresses are strangers’: isolated, so that no letter of theirs turns the order of others. */
export const columnsOf = (from: FromList): readonly Column<User>[] => [
  { head: U.id, sort: 'id', onPhone: 'hidden', cell: ({ id }) => id },
  {
    head: U.email,
    sort: 'email',
    onPhone: 'line',
    cell: ({ id, email }) => (
      <Link to={`/console/users/${id}`} state={from} asChild>
        <Anchor inherit underline="hover">
          <bdi>{email}</bdi>
        </Anchor>
      </Link>
    ),
  },
  { head: U.name, onPhone: 'line', cell: ({ full_name }) => full_name && <bdi>{full_name}</bdi> },
  { head: U.role, onPhone: 'bare', cell: ({ role }) => U.roles[role] },
  { head: U.state, onPhone: 'bare', cell: (user) => <State of={user} /> },
  {
    head: U.created,
    sort: 'created_at',
    cell: ({ created_at }) => <Time at={created_at} />,
  },
]

/** Whether somebody can sign in, and if not, until when she can change that. */
function State({ of: user }: { of: User }) {
  const { invited_role: invitedRole, verification_expires_at: endsAt } = user
  return (
    <Group gap={6}>
      <UserState of={user} />
      {endsAt !== undefined && (
        <Text span size="sm" c="dimmed">
          {invitedRole === undefined
            ? U.until(timeOf(endsAt))
            : U.invitedUntil(invitedRole, timeOf(endsAt))}
        </Text>
      )}
    </Group>
  )
}
