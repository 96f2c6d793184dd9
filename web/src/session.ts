import { QueryClient, useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { type Answer, createClient } from '../../client/index.ts'
import { SETUP } from './setup.ts'

/** The refresh token is in a cookie that no script can read, the access token in memory. */
export const shop = createClient({ baseUrl: SETUP.base, cookie: true })

/** The client repeats what is worth repeating. Offline, a request fails and says so, instead of waiting. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: Infinity, networkMode: 'always' },
    mutations: { networkMode: 'always' },
  },
})

const RESTORE = 'restore'
// What one user has seen is not for the next one.
shop.subscribe((signedIn) => {
  if (!signedIn) queries.removeQueries({ predicate: ({ queryKey: [name] }) => name !== RESTORE })
})

/** Looks for a session when the page is opened, and follows it from then on, in other tabs, too. */
export function useSession() {
  const sessionId = useSyncExternalStore(shop.subscribe, () => shop.sessionId)
  const { isPending, error, refetch } = useQuery({
    queryKey: [RESTORE],
    queryFn: async () => {
      const outcome = await shop.restore()
      if (outcome.error !== undefined) throw outcome.error
      return true
    },
  })
  return { sessionId, isPending, error, refetch }
}

export function useMe() {
  return useQuery({ queryKey: ['me'], queryFn: async () => dataOf(await shop.GET('/me')) })
}

/** Throws the ShopError, as queries and mutations expect it. */
export function dataOf<Data>({ data, error }: Answer<Data>): Data {
  if (error !== undefined) throw error
  return data
}
