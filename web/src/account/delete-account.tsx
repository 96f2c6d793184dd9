import { Button, Group, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { User } from '../../../client/index.ts'
import { Dialog } from '../dialog.tsx'
import { fieldOf, Form, PasswordField, PLAIN, refused, Username } from '../form.tsx'
import { Card } from '../page.tsx'
import { refusal } from '../problems.ts'
import { deleteMe } from '../session.ts'
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
      const typed = fieldOf(form, 'address').trim().toLowerCase()
      if (typed !== me.email.toLowerCase()) throw refusal('/address', A.remove.mismatch)
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
        <TextInput
          {...PLAIN}
          size="md"
          name="address"
          type="email"
          label={A.remove.address}
          autoComplete="off"
          required
          withAsterisk={false}
          {...refused(error, '/address')}
        />
        <Username of={me} />
        <PasswordField name="current_password" label={A.currentPassword} error={error} />
      </Form>
    </Dialog>
  )
}
