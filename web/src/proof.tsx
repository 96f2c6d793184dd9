import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { useLocation } from 'wouter'
import type { Answer, User } from '../../client/index.ts'
import { Dialog } from './dialog.tsx'
import { fieldOf, Form, PasswordField, Username } from './form.tsx'
import { dataOf, isCode, shop } from './session.ts'
import { T } from './setup.ts'

type Question = (isConfirmed: boolean) => void

/** One at a time: who is asked sees a dialog. */
let question: Question | undefined
const listeners = new Set<() => void>()

/** Where the service wants the password again, asks for it once, and goes on with what was begun. */
export async function withProof<Data>(ask: () => Promise<Answer<Data>>): Promise<Data> {
  const begun = placeOf()
  const answer = await ask()
  if (answer.error === undefined) return answer.data
  if (!isCode(answer.error, 'reauthentication_required')) throw answer.error
  if (placeOf() !== begun || !(await new Promise(pose))) throw answer.error
  return dataOf(await ask())
}

/** Stands once on each page of somebody who is signed in. */
export function ProofDialog({ me }: { me: User }) {
  const asked = useSyncExternalStore(subscribe, () => question)
  // What one user has begun, the next one does not confirm.
  const [place] = useLocation()
  useEffect(() => () => decide(false), [place])
  return asked === undefined ? null : <PasswordDialog me={me} />
}

function PasswordDialog({ me }: { me: User }) {
  const prove = useMutation({
    mutationFn: async (form: FormData) => {
      const body = { current_password: fieldOf(form, 'current_password') }
      dataOf(await shop.POST('/auth/reauthenticate', { body }))
    },
    onSuccess: () => decide(true),
  })
  const cancel = () => decide(false)
  return (
    <Dialog title={T.proof.title} close={cancel}>
      <Text>{T.proof.text}</Text>
      <Form sending={prove} submit={T.proof.submit} cancel={cancel} fields={['current_password']}>
        <Username of={me} />
        <PasswordField name="current_password" error={prove.error} />
      </Form>
    </Dialog>
  )
}

/** Whose page it is, and which. */
const placeOf = () => `${shop.sessionId} ${location.pathname}`

function pose(next: Question): void {
  decide(false)
  set(next)
}

function decide(isConfirmed: boolean): void {
  const decided = question
  set(undefined)
  decided?.(isConfirmed)
}

function set(next: Question | undefined): void {
  question = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
