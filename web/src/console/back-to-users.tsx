import { Anchor } from '@mantine/core'
import { Link } from 'wouter'
import { useHistoryState } from 'wouter/use-browser-location'
import { C } from './texts.ts'

/** What a link in the list gives to the page of a user. */
export interface FromList {
  /** What was searched for, as the address has it. */
  readonly list: string
}

/** With the search and the filters, if this entry of the history began at the list. */
export function BackToUsers() {
  const from = useHistoryState<FromList | null>()
  return (
    <Link to={`/console/users${from?.list ?? ''}`} asChild>
      <Anchor>{C.users.back}</Anchor>
    </Link>
  )
}
