import { Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useHistoryState } from 'wouter/use-browser-location'
import { EmailField, fieldOf, Form, PasswordField } from '../form.tsx'
import { Heading, PageLink } from '../page.tsx'
import { isCode, shop } from '../session.ts'
import { T } from '../setup.ts'

/** In the state of the history: who comes from the verification needs no second typing. */
export interface Returning {
  readonly email: string
}

export function SignIn() {
  const returning = useHistoryState<Returning | null>()
  const signIn = useMutation({
    mutationFn: async (form: FormData) => {
      const email = fieldOf(form, 'email')
      const { error } = await shop.logIn({ email, password: fieldOf(form, 'password') })
      if (error !== undefined) throw error
      // Who signs in here next may be somebody else.
      if (returning) history.replaceState(null, '')
    },
  })
  const { error, variables } = signIn
  const isUnverified = isCode(error, 'email_unverified')
  return (
    <>
      <Heading>{T.signIn.title}</Heading>
      <Form sending={signIn} submit={T.signIn.submit} fields={['email', 'password']}>
        <EmailField error={error} defaultValue={returning?.email} />
        <PasswordField error={error} />
      </Form>
      {isUnverified && variables !== undefined && (
        <PageLink to="/verify" state={{ email: fieldOf(variables, 'email') }}>
          {T.signIn.enterCode}
        </PageLink>
      )}
      <Group justify="space-between" gap="xs">
        <PageLink to="/forgot">{T.signIn.forgot}</PageLink>
        <Text>
          {T.signIn.newHere} <PageLink to="/sign-up">{T.signIn.signUp}</PageLink>
        </Text>
      </Group>
    </>
  )
}
