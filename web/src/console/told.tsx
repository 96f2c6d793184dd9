import { Alert } from '@mantine/core'
import { useHistoryState } from 'wouter/use-browser-location'

/** What a page leaves for the one that it leads to. */
export interface Told {
  readonly told: string
}

/** What was done on the page before, which is no longer there to say it. */
export function ToldLine() {
  const state = useHistoryState<Partial<Told> | null>()
  if (state?.told === undefined) return null
  return (
    <Alert role="status" variant="light">
      {state.told}
    </Alert>
  )
}
