import { Alert, Button, Text } from '@mantine/core'
import { Component, type ComponentType, type ReactNode, Suspense } from 'react'
import type { User } from '../../client/index.ts'
import { Failed, Frame, Heading, Loading } from './page.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { useMe, useSession } from './session.ts'
import { T } from './setup.ts'

interface PageOfUser {
  readonly page: ComponentType<{ me: User }>
}

/** Shows a page to who is signed in; to everybody else the way in, after which the page is shown at once. */
export function SignedIn({ page }: PageOfUser) {
  const { sessionId, parting, isPending, error, refetch } = useSession()
  // Another session may be another user’s.
  if (sessionId !== undefined) return <ForUser key={sessionId} page={page} />
  if (isPending) return <Waiting />
  if (error !== null) return <TryAgain error={error} again={() => void refetch()} />
  const farewells = { left: '', deleted: T.deleted, ended: T.problems.invalid_token }
  const farewell = farewells[parting ?? 'left']
  return (
    <Frame>
      {farewell !== '' && (
        <Alert role="status" variant="light">
          {farewell}
        </Alert>
      )}
      <SignIn />
    </Frame>
  )
}

function ForUser({ page: Page }: PageOfUser) {
  const { data: me, error, refetch } = useMe()
  if (me === undefined) {
    if (error === null) return <Waiting />
    return <TryAgain error={error} again={() => void refetch()} />
  }
  return (
    <Reloadable>
      <Suspense fallback={<Waiting />}>
        <Page me={me} />
      </Suspense>
    </Reloadable>
  )
}

function Waiting() {
  return (
    <Frame>
      <Loading />
    </Frame>
  )
}

function TryAgain({ error, again }: { error: Error; again: () => void }) {
  return (
    <Frame>
      <Heading>{T.account}</Heading>
      <Failed error={error} again={again} />
    </Frame>
  )
}

/** A newer version of the service no longer has the files that this one would load. */
class Reloadable extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null }
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override render() {
    if (this.state.error === null) return this.props.children
    return (
      <Frame>
        <Heading>{T.reload.title}</Heading>
        <Text>{T.reload.text}</Text>
        <Button size="md" onClick={() => location.reload()}>
          {T.reload.submit}
        </Button>
      </Frame>
    )
  }
}
