import { Anchor, Badge, Group, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { User } from '../../../client/index.ts'
import { timeOf } from '../setup.ts'
import type { FromList } from './back-to-users.tsx'
import type { Column } from './table.tsx'
import { C } from './texts.ts'

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
    cell: ({ created_at }) => <time dateTime={created_at}>{timeOf(created_at)}</time>,
  },
]

/** Whether somebody can sign in, and if not, until when she can change that. */
function State({ of: user }: { of: User }) {
  const { disabled, is_verified, invited_role, verification_expires_at: endsAt } = user
  return (
    <Group gap={6}>
      {disabled && <Mark color="red">{U.disabled}</Mark>}
      {invited_role !== undefined && <Mark color="blue">{U.invited}</Mark>}
      {invited_role === undefined && (
        <Mark color={is_verified ? 'green' : 'yellow'}>
          {is_verified ? U.verified : U.unverified}
        </Mark>
      )}
      {endsAt !== undefined && (
        <Text span size="sm" c="dimmed">
          {invited_role !== undefined && `${U.willBe[invited_role]}, `}
          {U.until(timeOf(endsAt))}
        </Text>
      )}
    </Group>
  )
}

/** The colour is behind the text: as its colour, it would be too pale. */
function Mark({ color, children }: { color: string; children: string }) {
  return (
    <Badge variant="light" color={color} c="var(--mantine-color-text)" tt="none">
      {children}
    </Badge>
  )
}
