import { Badge, Group } from '@mantine/core'
import type { User } from '../../../client/index.ts'
import { Heading, PageLink, Shell } from '../page.tsx'
import { ProofDialog } from '../proof.tsx'
import { T } from '../setup.ts'
import { SignOut } from '../sign-out.tsx'
import { DeleteAccount } from './delete-account.tsx'
import { Email } from './email.tsx'
import { MyData } from './my-data.tsx'
import { Password } from './password.tsx'
import { Phone } from './phone.tsx'
import { Profile } from './profile.tsx'
import { Sessions } from './sessions.tsx'
import { A } from './texts.ts'

/** `/` of who is signed in. */
export function Account({ me }: { me: User }) {
  return (
    <Shell className="account" header={<SignOut />}>
      <Group gap="sm">
        <Heading>{T.account}</Heading>
        {me.role === 'admin' && <Badge variant="outline">{A.admin}</Badge>}
        {me.role === 'admin' && <PageLink to="/console">{A.console}</PageLink>}
      </Group>
      <Profile me={me} />
      <Email me={me} />
      <Phone me={me} />
      <Password me={me} />
      <Sessions />
      <MyData />
      <DeleteAccount me={me} />
      <ProofDialog me={me} />
    </Shell>
  )
}
