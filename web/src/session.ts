import { MutationCache, QueryCache, QueryClient, useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { type Answer, createClient, type ErrorCode, ShopError } from '../../client/index.ts'
import { SETUP } from './setup.ts'

/** The refresh token is in a cookie that no script can read, the access token in memory. */
export const shop = createClient({ baseUrl: SETUP.base, cookie: true })

/** Who is not, or no longer, allowed to do something may have become somebody else in the meantime. */
const onError = (error: Error) => {
  if (isCode(error, 'forbidden')) void queries.invalidateQueries({ queryKey: ME })
}

/** The client repeats what is worth repeating. Offline, a request fails and says so, instead of waiting. */
export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: { retry: false, staleTime: Infinity, networkMode: 'always' },
    mutations: { networkMode: 'always' },
  },
})

const RESTORE = 'restore'
export const ME = ['me']

/** Whether the service, or another tab, ended the session that this page had. */
let wasEnded = false
let isLeaving = false
shop.subscribe((signedIn) => {
  wasEnded = !signedIn && !isLeaving
  // What one user has seen is not for the next one.
  if (!signedIn) queries.removeQueries({ predicate: ({ queryKey: [name] }) => name !== RESTORE })
})

export async function signOut(): Promise<void> {
  isLeaving = true
  try {
    const { error } = await shop.logOut()
    if (error !== undefined) throw error
  } finally {
    isLeaving = false
  }
}

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
  return { sessionId, wasEnded, isPending, error, refetch }
}

export function useMe() {
  return useQuery({ queryKey: ME, queryFn: async () => dataOf(await shop.GET('/me')) })
}

/** Throws the ShopError, as queries and mutations expect it. */
export function dataOf<Data>({ data, error }: Answer<Data>): Data {
  if (error !== undefined) throw error
  return data
}

export function isCode(error: Error | null, code: ErrorCode): boolean {
  return error instanceof ShopError && error.code === code
}
