import type { User } from '../../../client/index.ts'
import { withProof } from '../proof.tsx'
import { dataOf, shop } from '../session.ts'
import type { C } from './texts.ts'

export interface Act {
  readonly name: Exclude<keyof typeof C.user.acts, 'rename'>
  readonly run: () => Promise<unknown>
  readonly isDangerous?: boolean
  /** The service mails it to all admins. */
  readonly tellsAdmins?: boolean
  readonly undo?: Act
}

/** What the state of a user permits; the rest would be refused with 409. Nobody does it to themselves. */
export function actsOn(user: User): readonly Act[] {
  const { role, is_verified: isVerified, disabled, invited_role: invitedRole } = user
  const params = { path: { id: user.id } }
  const tellsAdmins = invitedRole === 'admin'
  const isActive = isVerified && !disabled
  const isPending = !isVerified && !disabled
  const active: readonly Act[] = [
    {
      name: 'sendReset',
      run: async () => dataOf(await shop.POST('/users/{id}/password-reset', { params })),
    },
    {
      name: 'endSessions',
      run: () => withProof(() => shop.DELETE('/users/{id}/sessions', { params })),
    },
    {
      name: 'unlock',
      run: async () => dataOf(await shop.DELETE('/users/{id}/login-lock', { params })),
    },
  ]
  const signedUp: Act = {
    name: 'sendCode',
    run: async () => dataOf(await shop.POST('/users/{id}/verification', { params })),
  }
  const invited: readonly Act[] = [
    {
      name: 'reinvite',
      tellsAdmins,
      run: () => withProof(() => shop.POST('/users/{id}/invitation', { params })),
    },
    {
      name: 'revoke',
      tellsAdmins,
      isDangerous: true,
      run: () => withProof(() => shop.DELETE('/users/{id}/invitation', { params })),
    },
  ]
  return [
    ...(isActive ? active : []),
    ...(isPending ? (invitedRole === undefined ? [signedUp] : invited) : []),
    ...(role === 'admin' || isActive ? [changeOfRole(user)] : []),
    changeOfState(user),
    {
      name: 'remove',
      tellsAdmins: true,
      isDangerous: true,
      run: () => withProof(() => shop.DELETE('/users/{id}', { params })),
    },
  ]
}

function changeOfRole({ id, role, disabled }: User): Act {
  const promote: Act = { name: 'promote', tellsAdmins: true, run: change(id, { role: 'admin' }) }
  const demote: Act = { name: 'demote', tellsAdmins: true, run: change(id, { role: 'user' }) }
  if (role === 'user') return { ...promote, undo: demote }
  // Who is disabled cannot become an admin again.
  return disabled ? demote : { ...demote, undo: promote }
}

function changeOfState({ id, role, disabled, invited_role: invitedRole }: User): Act {
  const tellsAdmins = role === 'admin' || invitedRole === 'admin'
  const disable: Act = { name: 'disable', tellsAdmins, run: change(id, { disabled: true }) }
  const enable: Act = { name: 'enable', tellsAdmins, run: change(id, { disabled: false }) }
  if (disabled) return { ...enable, undo: disable }
  // The invitation does not come back.
  return invitedRole === undefined ? { ...disable, undo: enable } : disable
}

const change = (id: number, body: { role: User['role'] } | { disabled: boolean }) => () =>
  withProof(() => shop.PATCH('/users/{id}', { params: { path: { id } }, body }))
