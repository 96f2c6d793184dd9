import './user.css'
import { Anchor, Badge, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { Link, useParams } from 'wouter'
import type { User } from '../../../client/index.ts'
import { Card, Heading, Loading, PageLink, Problem } from '../page.tsx'
import { dataOf, isCode, shop, useMe } from '../session.ts'
import { timeOf } from '../setup.ts'
import { FRESH } from './fresh.ts'
import { lockedAt } from './lock.ts'
import { C } from './texts.ts'
import { Timeline, useTimeline } from './timeline.tsx'
import { type Done, DoneLine, UserActions } from './user-actions.tsx'
import { UserMail } from './user-mail.tsx'
import { keyOf } from './user-queries.ts'
import { UserSessions } from './user-sessions.tsx'

export function UserPage() {
  const { id } = useParams<{ id: string }>()
  // No user has the number 0. With a key, nothing of one user is shown as another’s.
  return <OneUser key={id} id={/^\d+$/.test(id) ? Number(id) : 0} />
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
        <Heading>{user === undefined ? C.pages['/console/users/:id'] : nameOf(user)}</Heading>
        {error !== null && <Problem error={error} />}
        {user === undefined && error === null && <Loading />}
        {user !== undefined && (
          <>
            <Badges user={user} />
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
      <PageLink to="/console/users">{C.user.toList}</PageLink>
      {id > 0 && (
        <Link to={`/console/audit?subject_id=${id}`} asChild>
          <Anchor>{C.pages['/console/audit']}</Anchor>
        </Link>
      )}
    </Card>
  )
}

function Badges({ user }: { user: User }) {
  const { badges, invited } = C.user
  return (
    <Group gap="xs">
      {user.disabled && <Mark color="red">{badges.disabled}</Mark>}
      {user.role === 'admin' && <Mark color="blue">{badges.admin}</Mark>}
      {user.is_verified ? (
        <Mark color="green">{badges.verified}</Mark>
      ) : (
        <Mark color="yellow">{badges.unverified}</Mark>
      )}
      {user.invited_role !== undefined && <Mark color="blue">{invited}</Mark>}
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

function Facts({ user }: { user: User }) {
  const { facts, nothing, roles, invitedUntil, locked } = C.user
  const { invited_role: invitedRole, verification_expires_at: endsAt } = user
  const { data: timeline } = useTimeline(user.id)
  const lockAt = lockedAt(timeline?.pages[0]?.rows ?? [], Date.now())
  const ends = endsAt === undefined ? undefined : timeOf(endsAt)
  return (
    <dl className="facts">
      <Fact name={facts.name}>
        <bdi>{user.full_name ?? nothing}</bdi>
      </Fact>
      <Fact name={facts.email}>{user.email}</Fact>
      <Fact name={facts.phone}>{user.phone ?? nothing}</Fact>
      <Fact name={facts.role}>{roles[user.role]}</Fact>
      {invitedRole !== undefined && ends !== undefined && (
        <Fact name={facts.invitation}>{invitedUntil(invitedRole, ends)}</Fact>
      )}
      {invitedRole === undefined && ends !== undefined && <Fact name={facts.ends}>{ends}</Fact>}
      <Fact name={facts.created}>{timeOf(user.created_at)}</Fact>
      <Fact name={facts.changed}>{timeOf(user.updated_at)}</Fact>
      <Fact name={facts.id}>{user.id}</Fact>
      {lockAt !== undefined && <Fact name={facts.lock}>{locked(timeOf(lockAt))}</Fact>}
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <Text component="dt" c="dimmed" fz="sm">
        {name}
      </Text>
      <dd>{children}</dd>
    </div>
  )
}
