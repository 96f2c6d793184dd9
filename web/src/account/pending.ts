import { useHistoryState } from 'wouter/use-browser-location'
import type { User } from '../../../client/index.ts'

/**
 * Where a code was sent. In the state of the history, because phones drop the page while its user looks
 * for the code; by user, because the next one may sign in here.
 */
export function usePending({ id }: User, what: 'email' | 'phone') {
  const state = useHistoryState<Record<string, string> | null>()
  const key = `${what} ${id}`
  return {
    sentTo: state?.[key],
    expectAt: (to: string) => history.replaceState({ ...history.state, [key]: to }, ''),
    forget: () => {
      const { [key]: _, ...others } = history.state ?? {}
      history.replaceState(others, '')
    },
  }
}
