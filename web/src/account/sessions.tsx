import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { components } from '../../../client/index.ts'
import { Confirm } from '../dialog.tsx'
import { deviceName } from '../device-name.ts'
import { Card, Failed, Loading, Problem, TryButton } from '../page.tsx'
import { dataOf, isCode, queries, shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import { A } from './texts.ts'
import { Status } from './status.tsx'

type Session = components['schemas']['Session']

export const SESSIONS = ['sessions']

export function Sessions() {
  const [isAsking, setAsking] = useState(false)
  const [told, setTold] = useState('')
  const {
    data: sessions,
    error,
    refetch,
  } = useQuery({
    queryKey: SESSIONS,
    queryFn: async () => dataOf(await shop.GET('/me/sessions')),
    // Other devices sign in and out meanwhile.
    staleTime: 0,
  })
  return (
    <Card title={A.sessions.title}>
      {error !== null && <Failed error={error} again={() => void refetch()} />}
      {sessions === undefined && error === null && <Loading />}
      <Stack component="ul" className="plain" gap="md">
        {sessions?.map((session) => (
          <Row key={session.id} session={session} tell={setTold} />
        ))}
      </Stack>
      <Status takesFocus>{told}</Status>
      {sessions?.some(({ current }) => !current) && (
        <Group>
          <Button
            variant="default"
            size="md"
            onClick={() => {
              setTold('')
              setAsking(true)
            }}
          >
            {A.sessions.endOthers}
          </Button>
        </Group>
      )}
      {isAsking && (
        <Confirm
          title={A.sessions.endOthersTitle}
          text={A.sessions.endOthersText}
          submit={A.sessions.endOthers}
          close={() => setAsking(false)}
          run={async () => {
            dataOf(await shop.DELETE('/me/sessions'))
            void refresh()
          }}
          done={() => setTold(A.sessions.endedOthers)}
        />
      )}
    </Card>
  )
}

const refresh = () => queries.invalidateQueries({ queryKey: SESSIONS })

/** The sign-out of the page ends this session itself, so its row has no button. */
function Row({ session, tell }: { session: Session; tell: (what: string) => void }) {
  const { id, created_at, last_seen_at, ip, user_agent, current } = session
  const end = useMutation({
    mutationFn: async () => {
      const answer = await shop.DELETE('/me/sessions/{id}', { params: { path: { id } } })
      // It has ended already, on its device for example.
      if (answer.error !== undefined && !isCode(answer.error, 'not_found')) throw answer.error
    },
    onMutate: () => tell(''),
    onSuccess: () => {
      tell(A.sessions.ended)
      void refresh()
    },
  })
  const device = deviceName(user_agent, A.device)
  const facts = [
    [A.sessions.used, timeOf(last_seen_at)],
    [A.sessions.signedIn, timeOf(created_at)],
    [A.sessions.from, ip ?? A.sessions.unknownIp],
  ] as const
  return (
    <li>
      <Group justify="space-between" gap="sm">
        <div>
          <Group gap="xs">
            <Text fw={600}>{device}</Text>
            {current && <Badge variant="outline">{A.sessions.here}</Badge>}
          </Group>
          {facts.map(([name, value]) => (
            <Text key={name} c="dimmed" fz="sm">
              {name}: {value}
            </Text>
          ))}
        </div>
        {!current && (
          <TryButton
            error={end.error}
            variant="default"
            aria-label={A.sessions.endOne(device, timeOf(created_at))}
            loading={end.isPending}
            onClick={() => end.mutate()}
          >
            {A.sessions.end}
          </TryButton>
        )}
      </Group>
      {end.error !== null && <Problem error={end.error} />}
    </li>
  )
}
