import { Alert } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useHistoryState } from 'wouter/use-browser-location'

/** What a page leaves for the one that it leads to. */
export interface Told {
  readonly told: string
}

/**
 * What was done on the page before, which is no longer there to say it. Told once: a reload does not tell it
 * again, and no name or address of who was deleted stays in the history.
 */
export function ToldLine() {
  const state = useHistoryState<Partial<Told> | null>()
  const [told] = useState(state?.told)
  useEffect(() => {
    if (told !== undefined) history.replaceState(null, '')
  }, [told])
  if (told === undefined) return null
  return (
    <Alert role="status" variant="light">
      {told}
    </Alert>
  )
}
