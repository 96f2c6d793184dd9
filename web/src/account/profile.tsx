import { useMutation } from '@tanstack/react-query'
import type { User } from '../../../client/index.ts'
import { fieldOf, Form, NameField } from '../form.tsx'
import { Card } from '../page.tsx'
import { dataOf, keepMe, shop } from '../session.ts'
import { A } from './texts.ts'
import { Status } from './status.tsx'

export function Profile({ me }: { me: User }) {
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
        <NameField error={save.error} defaultValue={me.full_name ?? ''} />
      </Form>
      <Status>{save.isSuccess ? A.profile.done : ''}</Status>
    </Card>
  )
}
