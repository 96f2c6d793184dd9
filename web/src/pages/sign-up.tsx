import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { EmailField, fieldOf, Form, NameField, PasswordField } from '../form.tsx'
import { Heading, PageLink } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { T } from '../setup.ts'
import type { Pending } from './verify.tsx'

export function SignUpPage() {
  const [, navigate] = useLocation()
  const signUp = useMutation({
    mutationFn: async (form: FormData) => {
      const [email, password, name] = ['email', 'password', 'full_name'].map((field) =>
        fieldOf(form, field),
      ) as [string, string, string]
      const body = { email, password, ...(name !== '' && { full_name: name }) }
      const made = dataOf(await shop.POST('/auth/signup', { body }))
      const state: Pending = {
        email,
        signUpId: made.sign_up_id,
        ...(made.did_you_mean !== undefined && { didYouMean: made.did_you_mean }),
      }
      navigate('/verify', { state })
    },
  })
  const { error } = signUp
  return (
    <>
      <Heading>{T.signUp.title}</Heading>
      <Form sending={signUp} submit={T.signUp.submit} fields={['full_name', 'email', 'password']}>
        <NameField error={error} />
        <EmailField error={error} />
        <PasswordField isNew error={error} />
      </Form>
      <Text>
        {T.signUp.known} <PageLink to="/">{T.signIn.title}</PageLink>
      </Text>
    </>
  )
}
