import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { User } from '../../../client/index.ts'
import { fieldOf, Form, NameField } from '../form.tsx'
import { Card } from '../page.tsx'
import { dataOf, keepMe, shop } from '../session.ts'
import { A } from './texts.ts'
import { Status } from './status.tsx'

export function Profile({ me }: { me: User }) {
  const name = me.full_name ?? ''
  const field = useRef<HTMLDivElement>(null)
  const known = useRef(name)
  // A name that was changed elsewhere takes the place of the one before, but of nothing that is being typed.
  useEffect(() => {
    const input = field.current?.querySelector('input')
    if (input?.value === known.current) input.value = name
    known.current = name
  }, [name])
  const save = useMutation({
    mutationFn: async (form: FormData) => {
      const body = { full_name: fieldOf(form, 'full_name').trim() || null }
      return dataOf(await shop.PATCH('/me', { body }))
    },
    onSuccess: (user) => keepMe(user),
  })
  return (
    <Card title={A.profile.title}>
      <Form sending={save} submit={A.profile.submit} fields={['full_name']}>
        <div ref={field}>
          <NameField error={save.error} defaultValue={name} />
        </div>
      </Form>
      <Status>{save.isSuccess ? A.profile.done : ''}</Status>
    </Card>
  )
}
