import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams } from 'wouter'
import type { User } from '../../../client/index.ts'
import { Card, Heading, Loading, Problem } from '../page.tsx'
import { dataOf, isCode, shop, useMe } from '../session.ts'
import { timeOf } from '../setup.ts'
import { BackToUsers } from './back-to-users.tsx'
import { FRESH } from './fresh.ts'
import { lockedAt } from './lock.ts'
import { Terms } from './terms.tsx'
import { C } from './texts.ts'
import { Timeline, useTimeline } from './timeline.tsx'
import { type Done, DoneLine, UserActions } from './user-actions.tsx'
import { UserMail } from './user-mail.tsx'
import { keyOf } from './user-queries.ts'
import { UserSessions } from './user-sessions.tsx'
import { Mark, UserState } from './user-state.tsx'

export function UserPage() {
  const { id } = useParams<{ id: string }>()
  // No user has the number 0. With a key, nothing of one user is shown as another’s.
  return (
    <>
      <BackToUsers />
      <OneUser key={id} id={/^\d+$/.test(id) ? Number(id) : 0} />
    </>
  )
}

function OneUser({ id }: { id: number }) {
  const [done, setDone] = useState<Done>()
  const { data: me } = useMe()
  const { data: user, error } = useQuery({
    ...FRESH,
    queryKey: keyOf(id),
    queryFn: async ({ signal }) =>
      dataOf(await shop.GET('/users/{id}', { params: { path: { id } }, signal })),
  })
  if (isCode(error, 'not_found') || isCode(error, 'validation_failed')) return <Unknown id={id} />
  return (
    <>
      {done !== undefined && <DoneLine done={done} show={setDone} />}
      <Card>
        {/* The name is told once it is known. */}
        <Heading key={String(user === undefined)}>
          {user === undefined ? C.pages['/console/users/:id'] : nameOf(user)}
        </Heading>
        {error !== null && <Problem error={error} />}
        {user === undefined && error === null && <Loading />}
        {user !== undefined && (
          <>
            <Group gap="xs">
              {user.role === 'admin' && <Mark color="blue">{C.users.roles.admin}</Mark>}
              <UserState of={user} />
            </Group>
            <Facts user={user} />
          </>
        )}
      </Card>
      {user !== undefined && me !== undefined && (
        <>
          <UserActions user={user} isOwn={user.id === me.id} show={setDone} />
          <UserSessions id={id} />
          <UserMail id={id} show={setDone} />
          <Timeline id={id} />
        </>
      )}
    </>
  )
}

const nameOf = ({ full_name: name, email }: User) => name ?? email

function Unknown({ id }: { id: number }) {
  return (
    <Card>
      <Heading>{C.user.unknownTitle}</Heading>
      <Text>{C.user.unknown}</Text>
      {id > 0 && (
        <Link to={`/console/audit?subject_id=${id}`} asChild>
          <Anchor>{C.pages['/console/audit']}</Anchor>
        </Link>
      )}
    </Card>
  )
}

function Facts({ user }: { user: User }) {
  const { facts, nothing, locked } = C.user
  const { role, full_name: name, invited_role: invitedRole, verification_expires_at: endsAt } = user
  const { data: timeline } = useTimeline(user.id)
  const lockAt = lockedAt(timeline?.pages[0]?.rows ?? [], Date.now())
  return (
    <Terms
      as="columns"
      terms={[
        [C.users.name, <bdi key="">{name ?? nothing}</bdi>],
        [C.users.email, user.email],
        [facts.phone, user.phone ?? nothing],
        [C.users.role, C.users.roles[role]],
        endsAt === undefined
          ? undefined
          : invitedRole === undefined
            ? [facts.ends, timeOf(endsAt)]
            : [facts.invitation, C.users.invitedUntil(invitedRole, timeOf(endsAt))],
        [C.users.created, timeOf(user.created_at)],
        [facts.changed, timeOf(user.updated_at)],
        [C.users.id, user.id],
        lockAt === undefined ? undefined : [facts.lock, locked(timeOf(lockAt))],
      ]}
    />
  )
}
