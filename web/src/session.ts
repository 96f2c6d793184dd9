import { MutationCache, QueryCache, QueryClient, useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import {
  type Answer,
  createClient,
  type ErrorCode,
  ShopError,
  type User,
} from '../../client/index.ts'
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

/** How the session that this page had is over: `ended` by the service or another tab. */
type Parting = 'left' | 'deleted' | 'ended'
let parting: Parting | undefined
let leaving: Exclude<Parting, 'ended'> | undefined
shop.subscribe((signedIn) => {
  parting = signedIn ? undefined : (leaving ?? 'ended')
  leaving = undefined
  // What one user has seen is not for the next one.
  if (!signedIn) queries.removeQueries({ predicate: ({ queryKey: [name] }) => name !== RESTORE })
})

export async function signOut(): Promise<void> {
  leaving = 'left'
  const { error } = await shop.logOut()
  if (error === undefined) return
  leaving = undefined
  throw error
}

/** Throws what kept the account; once it is deleted, the session is over even if the sign-out is lost. */
export async function deleteMe(password: string): Promise<void> {
  const { sessionId } = shop
  dataOf(await shop.DELETE('/me', { body: { current_password: password } }))
  if (shop.sessionId !== sessionId) return
  leaving = 'deleted'
  const { error } = await shop.logOut()
  if (error !== undefined) throw error
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
  return { sessionId, parting, isPending, error, refetch }
}

/** As an answer tells it: of who is signed in, not of who has left meanwhile. */
export function keepMe(user: User): void {
  if (queries.getQueryData<User>(ME)?.id !== user.id) return
  // What was asked before may be answered later, with what was known before.
  void queries.cancelQueries({ queryKey: ME })
  queries.setQueryData(ME, user)
}

/** Asked again by who comes back to the page: another tab or an admin may have changed it. */
export function useMe() {
  return useQuery({
    queryKey: ME,
    queryFn: async () => dataOf(await shop.GET('/me')),
    refetchOnWindowFocus: 'always',
  })
}

/** Throws the ShopError, as queries and mutations expect it. */
export function dataOf<Data>({ data, error }: Answer<Data>): Data {
  if (error !== undefined) throw error
  return data
}

export function isCode(error: Error | null, code: ErrorCode): boolean {
  return error instanceof ShopError && error.code === code
}
