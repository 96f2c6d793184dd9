import openapiFetch, { type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch'
import { errorOf, ShopError } from './errors.ts'
import type { components, paths } from './schema.ts'
import { discard, type Fetch, reasonOf, send } from './send.ts'
import {
  createSession,
  memoryStore,
  type Session,
  type Tokens,
  type TokenStore,
} from './session.ts'

export type ClientOptions = {
  /** The service, such as `https://shop.example`; in a page of its own, empty or a path. */
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
type Inits<Route extends keyof Routes, V extends Verb> =
  undefined extends MaybeOptionalInit<Routes[Route], V>
    ? [init?: Init<Route, V>]
    : [init: Init<Route, V>]
/** Without `exactOptionalPropertyTypes`, `data?: never` of a refusal would be among them as undefined. */
type Data<Operation> =
  FetchResponse<Operation & object, object, `${string}/${string}`> extends infer Response
    ? Response extends { data: infer T }
      ? T
      : never
    : never
type RowOf<Route extends RouteWith<'get'>> =
  Data<Routes[Route]['get']> extends readonly (infer Row)[] ? Row : never
type ListRoute = {
  [Route in RouteWith<'get'>]: [RowOf<Route>] extends [never] ? never : Route
}[RouteWith<'get'>]

/**
 * A request rejects only with the reason of its AbortSignal, or with what the store throws. Without any response,
 * `response` is undefined.
 */
export type Answer<T> =
  | { readonly data: T; readonly error?: undefined; readonly response: Response }
  | { readonly data?: undefined; readonly error: ShopError; readonly response?: Response }

type Ask<V extends Verb> = <Route extends RouteWith<V>>(
  route: Route,
  ...init: Inits<Route, V>
) => Promise<Answer<Data<Routes[Route][V]>>>

type Signalled = { readonly signal?: AbortSignal | null | undefined }

export type User = components['schemas']['User']
type UserQuery = NonNullable<paths['/api/v1/users']['get']['parameters']['query']>

export interface Client extends Pick<Session, 'logIn' | 'logOut' | 'restore' | 'subscribe'> {
  readonly GET: Ask<'get'>
  readonly POST: Ask<'post'>
  readonly PATCH: Ask<'patch'>
  readonly DELETE: Ask<'delete'>
  /** False until `restore()` or the first request has looked. */
  readonly signedIn: boolean
  /** Another one for each login, so that nothing shown of one user stays for the next. */
  readonly sessionId: string | undefined
  /** All users that match, page after page; throws ShopError. */
  users(query?: UserQuery, options?: { signal?: AbortSignal }): AsyncGenerator<User, void>
  /** All rows of any list, page after page; throws ShopError. */
  each<Route extends ListRoute>(
    route: Route,
    ...init: Inits<Route, 'get'>
  ): AsyncGenerator<RowOf<Route>, void>
}

/** Whoever resets a password or verifies an address needs no session, nor a look for one. */
const NEEDS_NOBODY = /^\/auth\/(?!reauthenticate$)/

export function createClient(options: ClientOptions): Client {
  const { baseUrl, fetch = (request: Request) => globalThis.fetch(request) } = options
  const url = urlOf(baseUrl)
  const session = createSession({
    url,
    fetch,
    cookie: options.cookie === true,
    store: ('tokens' in options ? options.tokens : undefined) ?? memoryStore(),
  })
  const api = openapiFetch<any>({ baseUrl: url })

  const reach = (request: Request) =>
    fetch(request).catch((cause) => {
      throw lostOr(cause, request.signal)
    })

  const unsigned = (request: Request) => send(reach, withToken(request, undefined))

  /** The access token goes nowhere but to this service. 401 is a reason to replace it, once. */
  async function signed(request: Request): Promise<Response> {
    const tokens = await unlessAborted(session.current(), request.signal)
    const response = await send(reach, withToken(request, tokens))
    if (response.status !== 401 || tokens === undefined) return response
    const next = await unlessAborted(session.refresh(tokens), request.signal)
    if (next === undefined) return response
    await discard(response)
    return send(reach, withToken(request, next))
  }

  const ask =
    (verb: 'GET' | 'POST' | 'PATCH' | 'DELETE') =>
    async (route: string, init: Signalled = {}): Promise<Answer<any>> => {
      let response: Response | undefined
      const given: Record<string, unknown> = {
        ...init,
        fetch: async (request: Request) =>
          (response = await (NEEDS_NOBODY.test(route) ? unsigned(request) : signed(request))),
      }
      try {
        const asked = await api[verb](route, given)
        if (asked.response.ok) return { data: asked.data, response: asked.response }
        return { error: errorOf(asked.response, asked.error), response: asked.response }
      } catch (cause) {
        // Before there is a response, it is the mistake of a caller or a store.
        const error = response === undefined ? cause : lostOr(cause, init.signal)
        if (error instanceof ShopError) return { error }
        throw error
      }
    }
  const GET = ask('GET')

  async function* each(route: string, init: object = {}) {
    for (let asked = init; ;) {
      const { data, error, response } = await GET(route, asked)
      if (error !== undefined) throw error
      yield* data
      const link = response.headers.get('link') ?? ''
      const next = /<[^>]*\?([^>]*)>; rel="next"/.exec(link)?.[1]
      if (next === undefined) return
      asked = { ...init, querySerializer: () => next }
    }
  }

  const { logIn, logOut, restore, subscribe } = session
  return {
    logIn,
    logOut,
    restore,
    subscribe,
    get signedIn() {
      return session.id() !== undefined
    },
    get sessionId() {
      return session.id()
    },
    GET,
    POST: ask('POST'),
    PATCH: ask('PATCH'),
    DELETE: ask('DELETE'),
    each,
    users: (query: UserQuery = {}, options = {}) =>
      each('/users', { params: { query }, ...options }),
  }
}

function urlOf(baseUrl: string): string {
  if (!/^(https?:\/\/|\/|$)/i.test(baseUrl))
    throw new TypeError('baseUrl must begin with https:// or http://, or be a path of this page.')
  return baseUrl.replace(/\/*(\/api\/v1)?\/*$/, '') + PREFIX
}

function withToken(request: Request, tokens: Tokens | undefined): Request {
  const copy = request.clone()
  if (tokens !== undefined) copy.headers.set('authorization', `Bearer ${tokens.accessToken}`)
  return copy
}

/** What fetch and a body throw without a network, or of a page where JSON should be; no reason of a signal. */
function lostOr(cause: unknown, signal: Signalled['signal']): unknown {
  const isLost = cause instanceof TypeError || cause instanceof SyntaxError
  return isLost && signal?.aborted !== true ? new ShopError('unreachable', { cause }) : cause
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
