import { useSyncExternalStore } from 'react'

/** From a mail: what to do, and the token that permits it. */
export interface Link {
  readonly kind: 'reset' | 'invitation' | 'undo'
  readonly token: string
  /** Whose password it sets; absent in earlier mails. */
  readonly email: string | undefined
}

/** Kept here and nowhere else. Taken before anything is shown. */
let link = takeLink()
const listeners = new Set<() => void>()

// A second link that is opened in the same tab changes only the fragment.
addEventListener('hashchange', () => {
  if (location.hash !== '') set(takeLink())
})

export function useLink(): Link | undefined {
  return useSyncExternalStore(subscribe, () => link)
}

export function forgetLink(): void {
  set(undefined)
}

/** Removes the token from the address bar and the history. */
function takeLink(): Link | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1))
  if (location.hash !== '') history.replaceState(null, '', location.pathname)
  const email = fragment.get('email') ?? undefined
  const isInvitation = fragment.get('for') === 'invitation'
  for (const [kind, token] of [
    [isInvitation ? 'invitation' : 'reset', fragment.get('token')],
    ['undo', fragment.get('undo')],
  ] as const) {
    if (token) return { kind, token, email }
  }
  return undefined
}

function set(next: Link | undefined): void {
  link = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
