import { Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { User } from '../../../client/index.ts'
import { Dialog } from '../dialog.tsx'
import { EmailField, fieldOf, Form, PasswordField, Username } from '../form.tsx'
import { Card } from '../page.tsx'
import { dataOf, queries, shop } from '../session.ts'
import { CodeDialog } from './code-dialog.tsx'
import { usePending } from './pending.ts'
import { SESSIONS } from './sessions.tsx'
import { A } from './texts.ts'
import { Status } from './status.tsx'

export function Email({ me }: { me: User }) {
  const [step, setStep] = useState<'ask' | 'code'>()
  const [told, setTold] = useState('')
  const { sentTo, expectAt, forget } = usePending(me, 'email')
  const phone = usePending(me, 'phone')
  const close = () => setStep(undefined)
  return (
    <Card title={A.email.title}>
      <Text>{me.email}</Text>
      {sentTo !== undefined && <Text>{A.codeOnItsWay(sentTo)}</Text>}
      <Status takesFocus>{told}</Status>
      <Group gap="sm">
        {sentTo !== undefined && (
          <Button size="md" onClick={() => setStep('code')}>
            {A.enterCode}
          </Button>
        )}
        <Button
          variant="default"
          size="md"
          onClick={() => {
            setTold('')
            setStep('ask')
          }}
        >
          {A.email.change}
        </Button>
      </Group>
      {step === 'ask' && (
        <Ask
          me={me}
          close={close}
          done={(email) => {
            expectAt(email)
            setStep('code')
          }}
        />
      )}
      {step === 'code' && sentTo !== undefined && (
        <CodeDialog
          sentTo={sentTo}
          help={A.email.codeHelp}
          confirm={async (code) => dataOf(await shop.POST('/me/email/confirm', { body: { code } }))}
          close={close}
          done={({ email }) => {
            void queries.invalidateQueries({ queryKey: SESSIONS })
            setTold(A.email.done(email))
            close()
            forget()
            // The service no longer takes its code.
            phone.forget()
          }}
        />
      )}
    </Card>
  )
}

interface AskProps {
  readonly me: User
  readonly close: () => void
  readonly done: (email: string) => void
}

function Ask({ me, close, done }: AskProps) {
  const ask = useMutation({
    mutationFn: async (form: FormData) => {
      const email = fieldOf(form, 'email')
      const body = { email, current_password: fieldOf(form, 'current_password') }
      dataOf(await shop.POST('/me/email', { body }))
      return email
    },
    onSuccess: done,
  })
  const { error } = ask
  return (
    <Dialog title={A.email.change} close={close}>
      <Text>{A.email.intro}</Text>
      <Text>{A.email.effect}</Text>
      <Form
        sending={ask}
        submit={A.email.submit}
        cancel={close}
        fields={['email', 'current_password']}
      >
        <EmailField autoComplete="email" label={A.email.newEmail} error={error} />
        <Username of={me} />
        <PasswordField name="current_password" label={A.currentPassword} error={error} />
      </Form>
    </Dialog>
  )
}
