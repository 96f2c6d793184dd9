import { Badge } from '@mantine/core'
import type { User } from '../../../client/index.ts'
import { C } from './texts.ts'

/** Whether somebody can sign in. */
export function UserState({ of: { disabled, is_verified, invited_role } }: { of: User }) {
  return (
    <>
      {disabled && <Mark color="red">{C.users.disabled}</Mark>}
      {invited_role !== undefined && <Mark color="blue">{C.users.invited}</Mark>}
      {invited_role === undefined && (
        <Mark color={is_verified ? 'green' : 'yellow'}>
          {is_verified ? C.users.verified : C.users.unverified}
        </Mark>
      )}
    </>
  )
}

/** The colour is behind the text: as its colour, it would be too pale. */
export function Mark({ color, children }: { color: string; children: string }) {
  return (
    <Badge variant="light" color={color} c="var(--mantine-color-text)" tt="none">
      {children}
    </Badge>
  )
}
