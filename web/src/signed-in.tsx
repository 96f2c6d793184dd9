import { Alert, Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Component, type ReactNode } from 'react'
import { Failed, Frame, Heading, Loading } from './page.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { useMe, useSession } from './session.ts'
import { T } from './setup.ts'

/** Who signs in waits for neither; who is signed in, for the one while she is looked up. */
const PARTS = {
  account: async () => (await import('./account/account.tsx')).Account,
  console: async () => (await import('./console/console.tsx')).Console,
} as const

interface PartOfApp {
  readonly part: keyof typeof PARTS
}

/** Shows a page to who is signed in; to everybody else the way in, after which the page is shown at once. */
export function SignedIn({ part }: PartOfApp) {
  const { sessionId, parting, isPending, error, refetch } = useSession()
  // Another session may be another user’s.
  if (sessionId !== undefined) return <ForUser key={sessionId} part={part} />
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

/** Without Suspense, which hides what is ready for 300 ms more, once it has shown that one waits. */
function ForUser({ part }: PartOfApp) {
  const { data: me, error, refetch } = useMe()
  const { data: Page, error: lost } = useQuery({ queryKey: ['part', part], queryFn: PARTS[part] })
  // A newer version of the service no longer has the files that this one would load.
  if (lost !== null) return <Reload />
  if (error !== null && me === undefined) {
    return <TryAgain error={error} again={() => void refetch()} />
  }
  if (me === undefined || Page === undefined) return <Waiting />
  return (
    <Reloadable>
      <Page me={me} />
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

/** What a page throws is a bug, which is gone with it. */
class Reloadable extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null }
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override render() {
    return this.state.error === null ? this.props.children : <Reload />
  }
}

function Reload() {
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
