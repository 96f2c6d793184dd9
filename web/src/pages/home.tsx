import { Badge, Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Heading, Loading, Problem } from '../page.tsx'
import { shop, useMe, useSession } from '../session.ts'
import { T } from '../setup.ts'
import { SignIn } from './sign-in.tsx'

/** `/`: the account of who is signed in, and the way in for everybody else. */
export function HomePage() {
  const { sessionId, isPending, error, refetch } = useSession()
  // Another session may be another user’s.
  if (sessionId !== undefined) return <Account key={sessionId} />
  if (isPending) return <Loading />
  if (error !== null) return <TryAgain error={error} again={refetch} />
  return <SignIn />
}

function Account() {
  const { data: me, error, refetch } = useMe()
  const signOut = useMutation({
    mutationFn: async () => {
      const outcome = await shop.logOut()
      if (outcome.error !== undefined) throw outcome.error
    },
  })
  if (error !== null) return <TryAgain error={error} again={refetch} />
  if (me === undefined) return <Loading />
  return (
    <>
      <Heading>{me.full_name ?? T.home.title}</Heading>
      <div>
        <Text c="dimmed" fz="sm">
          {T.home.signedInAs}
        </Text>
        <Group gap="xs">
          <Text>{me.email}</Text>
          {me.role === 'admin' && <Badge variant="outline">{T.home.admin}</Badge>}
        </Group>
      </div>
      {signOut.error !== null && <Problem error={signOut.error} />}
      <Button
        variant="default"
        size="md"
        loading={signOut.isPending}
        onClick={() => signOut.mutate()}
      >
        {T.home.signOut}
      </Button>
    </>
  )
}

function TryAgain({ error, again }: { error: Error; again: () => unknown }) {
  return (
    <>
      <Heading>{T.home.title}</Heading>
      <Problem error={error} />
      <Button size="md" onClick={() => void again()}>
        {T.tryAgain}
      </Button>
    </>
  )
}
