import { Button, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Loading, Problem } from '../page.tsx'
import type { ListPage } from './table.tsx'
import { C } from './texts.ts'

type After = string | undefined

/** A list below others on a page: its next entries come below the ones that are there. */
export function useMore<Row>(
  queryKey: readonly unknown[],
  ask: (query: { limit: number; after?: string }, signal: AbortSignal) => Promise<ListPage<Row>>,
) {
  return useInfiniteQuery({
    staleTime: 0,
    refetchOnWindowFocus: false,
    queryKey,
    queryFn: ({ pageParam, signal }) =>
      ask({ limit: 20, ...(pageParam !== undefined && { after: pageParam }) }, signal),
    initialPageParam: undefined as After,
    getNextPageParam: (page): After => page.next,
  })
}

interface MoreProps<Row> {
  readonly list: ReturnType<typeof useMore<Row>>
  readonly children: (rows: readonly Row[]) => ReactNode
}

export function More<Row>({ list, children }: MoreProps<Row>) {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const rows = data?.pages.flatMap((page) => page.rows)
  return (
    <>
      {rows?.length === 0 && <Text>{C.none}</Text>}
      {rows !== undefined && rows.length > 0 && children(rows)}
      {rows === undefined && error === null && <Loading />}
      {error !== null && <Problem error={error} />}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {C.user.more}
        </Button>
      )}
    </>
  )
}
