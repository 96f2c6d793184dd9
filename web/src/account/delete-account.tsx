import { Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { User } from '../../../client/index.ts'
import { Dialog } from '../dialog.tsx'
import { fieldOf, Form, PasswordField, Username } from '../form.tsx'
import { Card } from '../page.tsx'
import { deleteMe } from '../session.ts'
import { requireAddress, TypedAddress } from '../typed-address.tsx'
import { A } from './texts.ts'

export function DeleteAccount({ me }: { me: User }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <Card title={A.remove.title}>
      <Text>{A.remove.text}</Text>
      <Group>
        <Button variant="default" size="md" onClick={() => setOpen(true)}>
          {A.remove.open}
        </Button>
      </Group>
      {isOpen && <AskTwice me={me} close={() => setOpen(false)} />}
    </Card>
  )
}

function AskTwice({ me, close }: { me: User; close: () => void }) {
  const remove = useMutation({
    mutationFn: async (form: FormData) => {
      requireAddress(form, me.email, A.remove.mismatch)
      await deleteMe(fieldOf(form, 'current_password'))
    },
  })
  const { error } = remove
  return (
    <Dialog title={A.remove.dialogTitle} close={close}>
      <Text>{A.remove.dialogText(me.email)}</Text>
      <Form
        sending={remove}
        submit={A.remove.submit}
        cancel={close}
        isDangerous
        fields={['address', 'current_password']}
      >
        <TypedAddress label={A.remove.address} error={error} />
        <Username of={me} />
        <PasswordField name="current_password" label={A.currentPassword} error={error} />
      </Form>
    </Dialog>
  )
}
