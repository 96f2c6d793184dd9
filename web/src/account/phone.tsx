import { Button, Group, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { User } from '../../../client/index.ts'
import { Confirm, Dialog } from '../dialog.tsx'
import { fieldOf, Form, refused } from '../form.tsx'
import { Card } from '../page.tsx'
import { refusal } from '../problems.ts'
import { dataOf, isCode, keepMe, shop } from '../session.ts'
import { CodeDialog } from './code-dialog.tsx'
import { usePending } from './pending.ts'
import { phoneNumberOf } from './phone-number.ts'
import { A } from './texts.ts'
import { Status } from './status.tsx'

export function Phone({ me }: { me: User }) {
  const [step, setStep] = useState<'ask' | 'code' | 'remove'>()
  const [told, setTold] = useState('')
  const { sentTo, expectAt, forget } = usePending(me, 'phone')
  const close = () => setStep(undefined)
  const open = (next: typeof step) => () => {
    setTold('')
    setStep(next)
  }
  return (
    <Card title={A.phone.title}>
      <Text>{me.phone ?? A.phone.none}</Text>
      {sentTo !== undefined && <Text>{A.codeOnItsWay(sentTo)}</Text>}
      <Status takesFocus>{told}</Status>
      <Group gap="sm">
        {sentTo !== undefined && (
          <Button size="md" onClick={open('code')}>
            {A.enterCode}
          </Button>
        )}
        <Button variant="default" size="md" onClick={open('ask')}>
          {me.phone === null ? A.phone.add : A.phone.change}
        </Button>
        {me.phone !== null && (
          <Button variant="default" size="md" onClick={open('remove')}>
            {A.phone.remove}
          </Button>
        )}
      </Group>
      {step === 'ask' && (
        <Ask
          title={me.phone === null ? A.phone.add : A.phone.change}
          close={close}
          done={(phone) => {
            expectAt(phone)
            setStep('code')
          }}
        />
      )}
      {step === 'code' && sentTo !== undefined && (
        <CodeDialog
          sentTo={sentTo}
          help={A.phone.codeHelp}
          confirm={confirm}
          close={close}
          done={() => {
            setTold(A.phone.done(sentTo))
            close()
            forget()
          }}
        />
      )}
      {step === 'remove' && me.phone !== null && (
        <Confirm
          title={A.phone.removeTitle}
          text={A.phone.removeText(me.phone)}
          submit={A.phone.remove}
          isDangerous
          close={close}
          run={async () => dataOf(await shop.DELETE('/me/phone'))}
          done={() => {
            keepMe({ ...me, phone: null })
            setTold(A.phone.removed)
            forget()
          }}
        />
      )}
    </Card>
  )
}

interface AskProps {
  readonly title: string
  readonly close: () => void
  readonly done: (phone: string) => void
}

function Ask({ title, close, done }: AskProps) {
  const ask = useMutation({
    mutationFn: async (form: FormData) => {
      const phone = phoneNumberOf(fieldOf(form, 'phone'))
      if (phone === undefined) throw refusal('/phone', A.phone.invalidNumber)
      dataOf(await shop.POST('/me/phone', { body: { phone } }))
      return phone
    },
    onSuccess: done,
  })
  return (
    <Dialog title={title} close={close}>
      <Text>{A.phone.intro}</Text>
      <Form sending={ask} submit={A.phone.submit} cancel={close} fields={['phone']}>
        <TextInput
          size="md"
          name="phone"
          type="tel"
          label={A.phone.number}
          description={A.phone.numberHint}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          autoComplete="tel"
          required
          withAsterisk={false}
          {...refused(ask.error, '/phone')}
        />
      </Form>
    </Dialog>
  )
}

async function confirm(code: string): Promise<User> {
  const answer = await shop.POST('/me/phone/confirm', { body: { code } })
  // The sentence for codes in general speaks of an email.
  if (answer.error !== undefined && isCode(answer.error, 'invalid_code'))
    throw refusal('/code', A.phone.invalidCode)
  return dataOf(answer)
}
