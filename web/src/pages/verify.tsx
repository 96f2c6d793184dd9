import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useHistoryState } from 'wouter/use-browser-location'
import { CodeField, EmailField, fieldOf, Form } from '../form.tsx'
import { Heading, Outcome, PageLink, Problem, TryButton } from '../page.tsx'
import { dataOf, shop } from '../session.ts'
import { T } from '../setup.ts'
import { useSecondsUntil } from '../wait.ts'
import type { Returning } from './sign-in.tsx'

/** In the state of the history, so that a reload keeps it. */
export interface Pending {
  readonly email: string
  /** Without it, the service looks among the sign-ups from this network. */
  readonly signUpId?: string
  readonly didYouMean?: string
}

/** The service sends one code a minute. */
const RESEND_MS = 60_000

export function VerifyPage() {
  const pending = useHistoryState<Pending | null>()
  const verify = useMutation({
    mutationFn: async (form: FormData) => {
      const body = { ...sentTo(form, pending), code: fieldOf(form, 'code') }
      dataOf(await shop.POST('/auth/verify', { body }))
      return body.email
    },
  })
  if (verify.isSuccess) {
    const state: Returning = { email: verify.data }
    const to = [['/', T.toSignIn, state]] as const
    return <Outcome title={T.verify.doneTitle} text={T.verify.doneText} to={to} />
  }
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
  const [endMs, setEndMs] = useState(() => Date.now() + RESEND_MS)
  const seconds = useSecondsUntil(endMs)
  const isWaiting = seconds > 0
  const resend = useMutation({
    mutationFn: async () => {
      const body = bodyOf(pending)
      dataOf(await shop.POST('/auth/verify/resend', { body }))
      setEndMs(Date.now() + RESEND_MS)
    },
  })
  return (
    <>
      {resend.error !== null && <Problem error={resend.error} />}
      <div>
        <TryButton
          error={resend.error}
          variant="default"
          size="md"
          fullWidth
          disabled={isWaiting}
          loading={resend.isPending}
          onClick={() => resend.mutate()}
        >
          {isWaiting ? T.verify.resendIn(seconds) : T.verify.resend}
        </TryButton>
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
