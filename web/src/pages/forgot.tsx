import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { EmailField, fieldOf, Form } from '../form.tsx'
import { Heading, Outcome, PageLink } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { T } from '../setup.ts'

export function ForgotPage() {
  const forgot = useMutation({
    mutationFn: async (form: FormData) => {
      const email = fieldOf(form, 'email')
      dataOf(await shop.POST('/auth/password/forgot', { body: { email } }))
      return email
    },
  })
  if (forgot.isSuccess)
    return (
      <Outcome
        title={T.forgot.doneTitle}
        text={T.forgot.doneText(forgot.data)}
        to={[['/', T.toSignIn]]}
      />
    )
  return (
    <>
      <Heading>{T.forgot.title}</Heading>
      <Text>{T.forgot.intro}</Text>
      <Form sending={forgot} submit={T.forgot.submit} fields={['email']}>
        <EmailField error={forgot.error} />
      </Form>
      <PageLink to="/">{T.toSignIn}</PageLink>
    </>
  )
}
