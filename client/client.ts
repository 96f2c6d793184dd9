import openapiFetch, { type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch'
import { errorOf, ShopError } from './errors.ts'
import type { components, paths } from './schema.ts'
import { type Fetch, reasonOf, send } from './send.ts'
import {
  createSession,
  memoryStore,
  type Session,
  type Tokens,
  type TokenStore,
} from './session.ts'

export type ClientOptions = {
  /** The service, such as `https://shop.example`; empty in a page of its own. */
  readonly baseUrl: string
  /** Instead of the global one. */
  readonly fetch?: Fetch
} & (
  | {
      /** Where the tokens are kept; in memory by default. */
      readonly tokens?: TokenStore
      readonly cookie?: false
    }
  | {
      /** For pages: the refresh token stays in a cookie that no script can read. */
      readonly cookie: true
    }
)

const PREFIX = '/api/v1'
/** What `logIn`, `logOut` and the session itself ask. */
type OwnRoute = '/auth/login' | '/auth/refresh' | '/auth/logout'
type Routes = {
  [
    Path in keyof paths as Path extends `${typeof PREFIX}${infer Route}`
      ? Exclude<Route, OwnRoute>
      : never
  ]: paths[Path]
}

type Verb = 'get' | 'post' | 'patch' | 'delete'
type RouteWith<V extends Verb> = {
  [Route in keyof Routes]: undefined extends Routes[Route][V] ? never : Route
}[keyof Routes]
type Init<Route extends keyof Routes, V extends Verb> = Pick<
  NonNullable<MaybeOptionalInit<Routes[Route], V>>,
  'params' | 'body' | 'headers' | 'signal'
>
type Data<Operation> = Extract<
  FetchResponse<Operation & object, object, `${string}/${string}`>,
  { error?: never }
>['data']

/** Rejects only with the reason of an AbortSignal. Without any response, `response` is undefined. */
export type Answer<T> =
  | { readonly data: T; readonly error?: undefined; readonly response: Response }
  | { readonly data?: undefined; readonly error: ShopError; readonly response?: Response }

type Ask<V extends Verb> = <Route extends RouteWith<V>>(
  route: Route,
  ...init: undefined extends MaybeOptionalInit<Routes[Route], V>
    ? [init?: Init<Route, V>]
    : [init: Init<Route, V>]
) => Promise<Answer<Data<Routes[Route][V]>>>

export type User = components['schemas']['User']
type UserQuery = NonNullable<paths['/api/v1/users']['get']['parameters']['query']>

export interface Client extends Pick<Session, 'logIn' | 'logOut' | 'restore' | 'subscribe'> {
  readonly GET: Ask<'get'>
  readonly POST: Ask<'post'>
  readonly PATCH: Ask<'patch'>
  readonly DELETE: Ask<'delete'>
  /** False until `restore()` or the first request has looked. */
  readonly signedIn: boolean
  /** All users that match, page after page; throws ShopError. */
  users(query?: UserQuery, options?: { signal?: AbortSignal }): AsyncGenerator<User, void>
}

export function createClient(options: ClientOptions): Client {
  const { baseUrl, fetch = (request: Request) => globalThis.fetch(request) } = options
  const url = baseUrl.replace(/\/$/, '') + PREFIX
  const session = createSession({
    url,
    fetch,
    cookie: options.cookie === true,
    store: ('tokens' in options ? options.tokens : undefined) ?? memoryStore(),
  })
  const api = openapiFetch<any>({ baseUrl: url, fetch: (request) => signed(request) })

  /** The access token goes nowhere but to this service. 401 is a reason to replace it, once. */
  async function signed(request: Request): Promise<Response> {
    const tokens = await unlessAborted(session.current(), request.signal)
    const response = await send(fetch, withToken(request, tokens))
    if (response.status !== 401 || tokens === undefined) return response
    const next = await unlessAborted(session.refresh(tokens), request.signal)
    if (next === undefined) return response
    await response.body?.cancel()
    return send(fetch, withToken(request, next))
  }

  const ask =
    (verb: 'GET' | 'POST' | 'PATCH' | 'DELETE') =>
    (route: string, init: Record<string, unknown> = {}) =>
      answerOf(api[verb](route, init))
  const GET: Client['GET'] = ask('GET')

  async function* users(query: UserQuery = {}, { signal }: { signal?: AbortSignal } = {}) {
    let init: Record<string, unknown> = { params: { query }, signal }
    for (;;) {
      const { data, error, response } = await GET('/users', init)
      if (error !== undefined) throw error
      yield* data
      const link = response.headers.get('link') ?? ''
      const next = /<[^>]*\?([^>]*)>; rel="next"/.exec(link)?.[1]
      if (next === undefined) return
      init = { querySerializer: () => next, signal }
    }
  }

  const { logIn, logOut, restore, subscribe } = session
  return {
    logIn,
    logOut,
    restore,
    subscribe,
    get signedIn() {
      return session.isSignedIn()
    },
    GET,
    POST: ask('POST'),
    PATCH: ask('PATCH'),
    DELETE: ask('DELETE'),
    users,
  }
}

function withToken(request: Request, tokens: Tokens | undefined): Request {
  const copy = request.clone()
  if (tokens !== undefined) copy.headers.set('authorization', `Bearer ${tokens.accessToken}`)
  return copy
}

async function answerOf(asked: Promise<FetchResponse<any, object, any>>): Promise<Answer<any>> {
  try {
    const { data, error, response } = await asked
    return response.ok ? { data, response } : { error: errorOf(response, error), response }
  } catch (error) {
    if (error instanceof ShopError) return { error }
    // What fetch throws without a network, and what reads no JSON where there should be some.
    if (error instanceof TypeError || error instanceof SyntaxError)
      return { error: new ShopError('unreachable', { cause: error }) }
    throw error
  }
}

/** The refresh goes on for the others. */
function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(reasonOf(signal))
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
