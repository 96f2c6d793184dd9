import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Loading, Problem } from '../page.tsx'

/** What was asked for, or why it is not here; both, when only the latest attempt has failed. */
export function Loaded<Data>({
  query: { data, error },
  children,
}: {
  query: Pick<UseQueryResult<Data>, 'data' | 'error'>
  children: (data: Data) => ReactNode
}) {
  return (
    <>
      {error !== null && <Problem error={error} />}
      {data === undefined ? error === null && <Loading /> : children(data)}
    </>
  )
}
