import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { User } from '../../../client/index.ts'
import { Dialog } from '../dialog.tsx'
import { CodeField, fieldOf, Form } from '../form.tsx'
import { keepMe } from '../session.ts'
import { A } from './texts.ts'

interface CodeDialogProps {
  readonly sentTo: string
  /** How long it works, and where to look for it. */
  readonly help: string
  readonly confirm: (code: string) => Promise<User>
  readonly close: () => void
  readonly done: (user: User) => void
}

/** Asks for the code that was sent to a new address or number. */
export function CodeDialog({ sentTo, help, confirm, close, done }: CodeDialogProps) {
  const sending = useMutation({
    mutationFn: (form: FormData) => confirm(fieldOf(form, 'code')),
    onSuccess: (user) => {
      keepMe(user)
      done(user)
    },
  })
  return (
    <Dialog title={A.enterCode} close={close}>
      <Text>{A.codeOnItsWay(sentTo)}</Text>
      <Text>{help}</Text>
      <Form sending={sending} submit={A.confirm} cancel={close} fields={['code']}>
        <CodeField error={sending.error} />
      </Form>
    </Dialog>
  )
}
