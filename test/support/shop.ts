import assert from 'node:assert/strict'
import { createClient, type Client, type Tokens } from '../../client/index.ts'
import { HOUR_MS } from '../../server/lib/units.ts'
import { PASSWORD, startService, type TestUser } from './service.ts'

export type Shop = Awaited<ReturnType<typeof startShop>>

/** A service that listens, and keeps what it is asked. */
export async function startShop(settings: Record<string, string> = {}) {
  const service = await startService({ RATE_LIMIT: 'off', ...settings })
  const asked: string[] = []
  const refreshTokens: (string | undefined)[] = []
  service.app.addHook('preHandler', async ({ method, url, body, headers }) => {
    asked.push(`${method} ${url.replace('/api/v1', '')}`)
    if (url.endsWith('/auth/refresh'))
      refreshTokens.push((body as { refresh_token?: string }).refresh_token ?? headers.cookie)
  })
  return {
    ...service,
    /** Those that reached an endpoint, such as `GET /me`. */
    asked,
    /** In the body or the cookie, in the order in which they were presented. */
    refreshTokens,
    baseUrl: await service.listen(),
  }
}

/** A store that can be looked into, with tokens of a user that are not yet, or no longer, valid. */
export function storeOf(tokens?: Tokens) {
  return {
    kept: tokens,
    async get() {
      return this.kept
    },
    async set(next: Tokens) {
      this.kept = next
    },
    async clear() {
      this.kept = undefined
    },
  }
}

export const tokensOf = ({ access, refresh }: TestUser, lifetimeMs = HOUR_MS): Tokens => ({
  accessToken: access,
  refreshToken: refresh,
  expiresAtMs: Date.now() + lifetimeMs,
})

/** A client with a user signed in, and the list of what its listeners were told. */
export async function signIn(
  { baseUrl, addUser }: Pick<Shop, 'baseUrl' | 'addUser'>,
  user?: TestUser,
) {
  const { email } = user ?? (await addUser())
  const client = createClient({ baseUrl })
  const told = listen(client)
  const { error } = await client.logIn({ email, password: PASSWORD })
  assert.equal(error, undefined)
  return { client, email, told }
}

export function listen(client: Client): boolean[] {
  const told: boolean[] = []
  client.subscribe((signedIn) => told.push(signedIn))
  return told
}
