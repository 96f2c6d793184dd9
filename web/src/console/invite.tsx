import { Alert, Anchor, Button, Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link } from 'wouter'
import type { User } from '../../../client/index.ts'
import { EmailField, fieldOf, Form, NameField } from '../form.tsx'
import { Card, Heading } from '../page.tsx'
import { withProof } from '../proof.tsx'
import { isCode, shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import { BackToUsers } from './back-to-users.tsx'
import { C } from './texts.ts'
import { refreshUsers } from './user-queries.ts'

const I = C.invite

export function InvitePage() {
  const invite = useMutation({
    mutationFn: async (form: FormData) => {
      const body = {
        email: fieldOf(form, 'email'),
        full_name: fieldOf(form, 'full_name').trim() || null,
        role: fieldOf(form, 'role') === 'admin' ? ('admin' as const) : ('user' as const),
      }
      return await withProof(() => shop.POST('/users', { body }))
    },
    onSuccess: refreshUsers,
  })
  const { data: user, error, variables, reset } = invite
  if (user !== undefined) return <Invited user={user} again={reset} />
  const isTaken = isCode(error, 'email_taken')
  return (
    <Stack className="narrow" gap="lg">
      <BackToUsers />
      <Card>
        <Heading>{C.pages['/console/users/new']}</Heading>
        <Text>{I.intro}</Text>
        <Form
          sending={{ ...invite, error: isTaken ? null : error }}
          submit={I.submit}
          fields={['email', 'full_name']}
        >
          <EmailField autoComplete="off" error={error} />
          <NameField autoComplete="off" error={error} />
          <NativeSelect
            size="md"
            name="role"
            label={C.users.role}
            description={I.adminHint}
            inputWrapperOrder={['label', 'input', 'description']}
            data={[
              { value: 'user', label: C.users.roles.user },
              { value: 'admin', label: C.users.roles.admin },
            ]}
          />
          {isTaken && variables !== undefined && <Taken email={fieldOf(variables, 'email')} />}
        </Form>
      </Card>
    </Stack>
  )
}

function Taken({ email }: { email: string }) {
  return (
    <Alert role="alert" color="red" variant="light">
      {I.taken}{' '}
      <Link to={`/console/users?${new URLSearchParams({ q: email })}`} asChild>
        <Anchor inherit>{I.find}</Anchor>
      </Link>
    </Alert>
  )
}

function Invited({ user, again }: { user: User; again: () => void }) {
  const { id, email, verification_expires_at: endsAt } = user
  return (
    <Card>
      <Heading>{I.doneTitle}</Heading>
      <Text>{I.done(email, endsAt === undefined ? '' : timeOf(endsAt))}</Text>
      <Group gap="md">
        <Button variant="default" onClick={again}>
          {I.another}
        </Button>
        <Link to={`/console/users/${id}`} asChild>
          <Anchor>{I.toUser}</Anchor>
        </Link>
        <BackToUsers />
      </Group>
    </Card>
  )
}
