import { Badge, Group, Text } from '@mantine/core'
import type { User } from '../../../client/index.ts'
import { Card, Heading, PageLink, Shell } from '../page.tsx'
import { ProofDialog } from '../proof.tsx'
import { T } from '../setup.ts'
import { SignOut } from '../sign-out.tsx'
import { A } from './texts.ts'

/** `/` of who is signed in. */
export function Account({ me }: { me: User }) {
  return (
    <Shell className="account" header={<SignOut />}>
      <Card>
        <Heading>{me.full_name ?? T.account}</Heading>
        <div>
          <Text c="dimmed" fz="sm">
            {A.signedInAs}
          </Text>
          <Group gap="xs">
            <Text>{me.email}</Text>
            {me.role === 'admin' && <Badge variant="outline">{A.admin}</Badge>}
          </Group>
        </div>
        {me.role === 'admin' && <PageLink to="/console">{A.console}</PageLink>}
      </Card>
      <ProofDialog me={me} />
    </Shell>
  )
}
