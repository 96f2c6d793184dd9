import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { fieldOf, Form, PasswordField, Username } from '../form.tsx'
import { forgetLink, type Link, useLink } from '../link.ts'
import { Heading, Outcome } from '../page.tsx'
import { dataOf, isCode, shop } from '../session.ts'
import { SETUP, T } from '../setup.ts'

type End = 'done' | 'lost' | 'accepted' | 'uninvited' | 'undone' | 'undoLost' | 'empty'

const ENDS: Readonly<Record<End, Parameters<typeof Outcome>[0]>> = {
  done: { title: T.reset.doneTitle, text: T.reset.doneText, to: [['/', T.toSignIn]] },
  lost: { title: T.reset.lostTitle, text: T.reset.lostText, to: [['/forgot', T.reset.request]] },
  empty: { title: T.reset.emptyTitle, text: T.reset.emptyText, to: [['/forgot', T.reset.request]] },
  accepted: {
    title: T.invitation.doneTitle,
    text: T.invitation.doneText,
    to: [['/', T.toSignIn]],
  },
  uninvited: { title: T.invitation.lostTitle, text: T.invitation.lostText },
  undone: { title: T.undo.doneTitle, text: T.undo.doneText },
  undoLost: { title: T.undo.lostTitle, text: T.undo.lostText },
}

/**
 * `/reset`, the target of mailed links. Opening it changes nothing, because mail scanners follow links,
 * too, and no session is looked for: the link alone counts.
 */
export function ResetPage() {
  const link = useLink()
  const [end, setEnd] = useState<End>('empty')
  if (link === undefined) return <Outcome {...ENDS[end]} />
  const finish = (how: End) => {
    setEnd(how)
    forgetLink()
  }
  const Step = { reset: Choose, invitation: Accept, undo: Undo }[link.kind]
  return <Step key={link.token} link={link} finish={finish} />
}

interface StepProps {
  readonly link: Link
  readonly finish: (end: End) => void
}

function Choose({ link: { token, email }, finish }: StepProps) {
  const reset = useReset(token, { done: () => finish('done'), lost: () => finish('lost') })
  return (
    <>
      <Heading>{T.reset.title}</Heading>
      <Text>{T.reset.intro}</Text>
      <Form sending={reset} submit={T.reset.submit} fields={['password']}>
        {email !== undefined && <Username of={{ email }} />}
        <PasswordField isNew label={T.newPassword} error={reset.error} />
      </Form>
    </>
  )
}

function Accept({ link: { token, email }, finish }: StepProps) {
  const accept = useReset(token, {
    done: () => finish('accepted'),
    lost: () => finish('uninvited'),
  })
  return (
    <>
      <Heading>{T.invitation.title}</Heading>
      <Text>{T.invitation.intro(SETUP.shop)}</Text>
      <Form sending={accept} submit={T.reset.submit} fields={['password']}>
        {email !== undefined && <Username of={{ email }} />}
        <PasswordField isNew label={T.password} error={accept.error} />
      </Form>
    </>
  )
}

function useReset(token: string, { done, lost }: Readonly<Record<'done' | 'lost', () => void>>) {
  return useMutation({
    mutationFn: async (form: FormData) => {
      const body = { token, password: fieldOf(form, 'password') }
      return dataOf(await shop.POST('/auth/password/reset', { body }))
    },
    onSuccess: done,
    onError: (error) => {
      if (isCode(error, 'invalid_reset_token')) lost()
    },
  })
}

function Undo({ link: { token }, finish }: StepProps) {
  const undo = useMutation({
    mutationFn: async (_form: FormData) =>
      dataOf(await shop.POST('/auth/email/undo', { body: { token } })),
    onSuccess: () => finish('undone'),
    onError: (error) => {
      if (isCode(error, 'invalid_undo_token')) finish('undoLost')
    },
  })
  return (
    <>
      <Heading>{T.undo.title}</Heading>
      <Text>{T.undo.intro}</Text>
      <Text>{T.undo.effect}</Text>
      <Form sending={undo} submit={T.undo.submit} />
    </>
  )
}
