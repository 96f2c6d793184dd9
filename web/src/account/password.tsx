import { Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { User } from '../../../client/index.ts'
import { Dialog } from '../dialog.tsx'
import { fieldOf, Form, PasswordField, Username } from '../form.tsx'
import { Card } from '../page.tsx'
import { dataOf, queries, shop } from '../session.ts'
import { SETUP, T } from '../setup.ts'
import { usePending } from './pending.ts'
import { SESSIONS } from './sessions.tsx'
import { A } from './texts.ts'
import { Status } from './status.tsx'

export function Password({ me }: { me: User }) {
  const [isOpen, setOpen] = useState(false)
  const [told, setTold] = useState('')
  const { forget } = usePending(me, 'email')
  return (
    <Card title={A.password.title}>
      <Status>{told}</Status>
      <Group>
        <Button
          variant="default"
          size="md"
          onClick={() => {
            setTold('')
            setOpen(true)
          }}
        >
          {A.password.change}
        </Button>
      </Group>
      {isOpen && (
        <Change
          me={me}
          close={() => setOpen(false)}
          done={() => {
            setOpen(false)
            setTold(A.password.done)
            // The service no longer takes its code.
            forget()
          }}
        />
      )}
    </Card>
  )
}

interface ChangeProps {
  readonly me: User
  readonly close: () => void
  readonly done: () => void
}

function Change({ me, close, done }: ChangeProps) {
  const change = useMutation({
    mutationFn: async (form: FormData) => {
      const [current_password, new_password] = ['current_password', 'new_password'].map((name) =>
        fieldOf(form, name),
      ) as [string, string]
      dataOf(await shop.POST('/me/password', { body: { current_password, new_password } }))
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: SESSIONS })
      done()
    },
  })
  const { error } = change
  const isAdmin = me.role === 'admin'
  return (
    <Dialog title={A.password.change} close={close}>
      <Text>{A.password.effect}</Text>
      {isAdmin && <Text>{A.password.adminHint}</Text>}
      <Form
        sending={change}
        submit={A.password.submit}
        cancel={close}
        fields={['current_password', 'new_password']}
      >
        <Username of={me} />
        <PasswordField name="current_password" label={A.currentPassword} error={error} />
        <PasswordField
          isNew
          name="new_password"
          label={T.newPassword}
          error={error}
          minLength={isAdmin ? SETUP.adminMinLength : SETUP.minLength}
        />
      </Form>
    </Dialog>
  )
}
