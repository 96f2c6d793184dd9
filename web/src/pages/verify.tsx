import { Button, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useHistoryState } from 'wouter/use-browser-location'
import { CodeField, EmailField, fieldOf, Form } from '../form.tsx'
import { Heading, Outcome, PageLink, Problem } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { T } from '../setup.ts'

/** In the state of the history, so that a reload keeps it. */
export interface Pending {
  readonly email: string
  /** Without it, the service looks among the sign-ups from this network. */
  readonly signUpId?: string
  readonly didYouMean?: string
}

/** The service sends one code a minute. */
const RESEND_S = 60

export function VerifyPage() {
  const pending = useHistoryState<Pending | null>()
  const verify = useMutation({
    mutationFn: async (form: FormData) => {
      const body = { ...sentTo(form, pending), code: fieldOf(form, 'code') }
      return dataOf(await shop.POST('/auth/verify', { body }))
    },
  })
  if (verify.isSuccess)
    return <Outcome title={T.verify.doneTitle} text={T.verify.doneText} to={[['/', T.toSignIn]]} />
  const { error } = verify
  return (
    <>
      <Heading>{T.verify.title}</Heading>
      <Text>{pending ? T.verify.intro(pending.email) : T.verify.introUnknown}</Text>
      {pending?.didYouMean !== undefined && (
        <Text>
          {T.verify.didYouMean(pending.didYouMean)}{' '}
          <PageLink to="/sign-up">{T.verify.correct}</PageLink>
        </Text>
      )}
      <Form sending={verify} submit={T.verify.submit} fields={['email', 'code']}>
        {!pending && <EmailField error={error} />}
        <CodeField error={error} />
      </Form>
      {pending && <Resend pending={pending} />}
    </>
  )
}

function Resend({ pending }: { pending: Pending }) {
  const [seconds, setSeconds] = useState(RESEND_S)
  const isWaiting = seconds > 0
  useEffect(() => {
    if (!isWaiting) return
    const timer = setInterval(() => setSeconds((now) => now - 1), 1_000)
    return () => clearInterval(timer)
  }, [isWaiting])
  const resend = useMutation({
    mutationFn: async () => {
      const body = bodyOf(pending)
      dataOf(await shop.POST('/auth/verify/resend', { body }))
      setSeconds(RESEND_S)
    },
  })
  return (
    <>
      {resend.error !== null && <Problem error={resend.error} />}
      <div>
        <Button
          variant="default"
          size="md"
          fullWidth
          disabled={isWaiting}
          loading={resend.isPending}
          onClick={() => resend.mutate()}
        >
          {isWaiting ? T.verify.resendIn(seconds) : T.verify.resend}
        </Button>
        <Text role="status" c="dimmed" fz="sm">
          {resend.isSuccess && T.verify.resent}
        </Text>
      </div>
    </>
  )
}

function sentTo(form: FormData, pending: Pending | null) {
  return bodyOf(pending ?? { email: fieldOf(form, 'email') })
}

function bodyOf({ email, signUpId }: Pending) {
  return { email, ...(signUpId !== undefined && { sign_up_id: signUpId }) }
}
