import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Problem } from './page.tsx'
import { signOut } from './session.ts'
import { T } from './setup.ts'

export function SignOut() {
  const leave = useMutation({ mutationFn: signOut })
  return (
    <>
      <Button variant="default" loading={leave.isPending} onClick={() => leave.mutate()}>
        {T.signOut}
      </Button>
      {leave.error !== null && <Problem error={leave.error} />}
    </>
  )
}
