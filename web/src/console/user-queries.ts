import type { InfiniteData } from '@tanstack/react-query'
import { queries } from '../session.ts'

/** Of all that the page of a user shows. */
export const keyOf = (id: number, part?: 'sessions' | 'mail' | 'timeline') =>
  part === undefined ? ['user', id] : ['user', id, part]

/**
 * After an act, whether it succeeded or not: what was shown may be why it was refused. Of the timeline,
 * only the first page is read again, for each further page would wait for the one before.
 */
export function refreshUser(id: number): Promise<void> {
  queries.setQueryData<InfiniteData<unknown>>(keyOf(id, 'timeline'), (timeline) =>
    timeline === undefined
      ? undefined
      : { pages: timeline.pages.slice(0, 1), pageParams: timeline.pageParams.slice(0, 1) },
  )
  return queries.invalidateQueries({ queryKey: keyOf(id) })
}

/** After what changes the list, its count, or both. */
export const refreshUsers = () => queries.invalidateQueries({ queryKey: ['users'] })
