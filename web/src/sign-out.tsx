import { useMutation } from '@tanstack/react-query'
import { Problem, TryButton } from './page.tsx'
import { signOut } from './session.ts'
import { T } from './setup.ts'

export function SignOut() {
  const leave = useMutation({ mutationFn: signOut })
  return (
    <>
      <TryButton
        variant="default"
        error={leave.error}
        loading={leave.isPending}
        onClick={() => leave.mutate()}
      >
        {T.signOut}
      </TryButton>
      {leave.error !== null && <Problem error={leave.error} />}
    </>
  )
}
