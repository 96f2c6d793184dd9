import type { components } from './schema.ts'
import { type ErrorCode, ShopError } from './errors.ts'
import { type Fetch, post } from './send.ts'
import { createQueue, createTurns, openChannel } from './tabs.ts'

/** An access token this close to its end is replaced before it is used. */
const MARGIN_MS = 10_000

export interface Tokens {
  readonly accessToken: string
  /** Unix milliseconds, by the clock of this device. */
  readonly expiresAtMs: number
  /** Good for one refresh. Empty in cookie mode, where the browser keeps it out of reach of scripts. */
  readonly refreshToken: string
}

/** Where the tokens are kept. Promises are waited for. */
export interface TokenStore {
  get(): Promise<Tokens | null | undefined> | Tokens | null | undefined
  set(tokens: Tokens): unknown
  clear(): unknown
}

/** What changes a session says whether it could. */
export interface Outcome {
  readonly error: ShopError | undefined
}

export type Credentials = Pick<components['schemas']['Credentials'], 'email' | 'password'>

interface SessionOptions {
  /** The service’s URL with `/api/v1`. */
  readonly url: string
  readonly fetch: Fetch
  readonly store: TokenStore
  readonly cookie: boolean
}

export type Session = ReturnType<typeof createSession>

/** What a tab tells at the end of its turn: who is signed in since when, or why it could not find out. */
type News =
  | { readonly atMs: number; readonly tokens: Tokens | undefined }
  /** Undefined of a login or logout, whose failure is nobody else’s. */
  | { readonly failed: ErrorCode | undefined }

/**
 * The one session of a client. A refresh token is used once, however many requests and tabs need it, and
 * its successor is kept before anybody gets the access token that came with it.
 */
export function createSession({ url, fetch, store, cookie }: SessionOptions) {
  const name = `coffee-shop-client ${url}`
  const inOrder = createQueue()
  const inTurn = createTurns()
  const listeners = new Set<(signedIn: boolean) => void>()
  let sessionId: string | undefined
  let changedAtMs = 0
  let refreshing: { used: Tokens | undefined; done: Promise<Tokens | undefined> } | undefined
  /** What the store failed to take. The service has replaced `used`, and would take it for stolen. */
  let unsaved: { used: Tokens | undefined; next: Tokens | undefined } | undefined

  /** In cookie mode only: other tabs meet in the store, and clients of different users must not meet. */
  const tabs = cookie ? openChannel<News>(name, (news) => inOrder(() => hear(news))) : undefined

  function show(tokens: Tokens | undefined): void {
    const id = tokens && sessionIdOf(tokens)
    if (id === sessionId) return
    // Another user may have logged in: what the app shows of the last one has to go first.
    for (const next of sessionId !== undefined && id !== undefined ? [undefined, id] : [id]) {
      sessionId = next
      for (const listener of listeners) call(listener, next !== undefined)
    }
  }

  async function read(): Promise<Tokens | undefined> {
    const found: unknown = await store.get()
    let tokens = isTokens(found) ? found : undefined
    if (unsaved !== undefined && areSame(tokens, unsaved.used)) {
      tokens = unsaved.next
      await keep(tokens)
    }
    show(tokens)
    return tokens
  }

  async function keep(tokens: Tokens | undefined): Promise<void> {
    await (tokens === undefined ? store.clear() : store.set(tokens))
    unsaved = undefined
    show(tokens)
  }

  /** Messages of several tabs may arrive in another order. */
  async function hear(news: News): Promise<void> {
    if ('failed' in news || news.atMs < changedAtMs) return
    changedAtMs = news.atMs
    await keep(news.tokens)
  }

  async function change(tokens: Tokens | undefined): Promise<void> {
    changedAtMs = Date.now()
    await keep(tokens)
  }

  const tell = (tokens: Tokens | undefined) => tabs?.send({ atMs: changedAtMs, tokens })

  /** Keeps the successor of `used`, unless somebody logged in or out meanwhile; returns what holds now. */
  function replace(used: Tokens | undefined, next: Tokens | undefined) {
    return inOrder(async () => {
      const now = await read()
      if (!areSame(now, used)) return now
      unsaved = { used, next }
      await change(next)
      return next
    })
  }

  const ask = (path: string, body: object | undefined, repeat: boolean) =>
    post(fetch, url + path, {
      body,
      repeat,
      ...(cookie && { credentials: 'include' as const }),
    })

  async function renew(used: Tokens | undefined): Promise<Tokens | undefined> {
    const body = cookie ? { cookie } : { refresh_token: used?.refreshToken }
    try {
      return await replace(used, tokensOf(await ask('/auth/refresh', body, true)))
    } catch (error) {
      if (isRefused(error)) return replace(used, undefined)
      throw error
    }
  }

  /** The outcome of the turn before, if that has one: it is for all who waited. Throws its error. */
  async function adopt(used: Tokens | undefined, before: News | undefined) {
    // Told when that turn ended, it may still be on its way.
    if (tabs?.latest() === before) await tabs?.next()
    const news = tabs?.latest()
    if (news === before || news === undefined) return false
    if (!('failed' in news)) return news.tokens === undefined && used === undefined
    if (news.failed !== undefined) throw new ShopError(news.failed)
    return false
  }

  async function refreshInTurn(used: Tokens | undefined, turn: string) {
    const before = tabs?.latest()
    return inTurn(turn, async (isLate) => {
      try {
        const isOver = isLate && areSame(await inOrder(read), used) && (await adopt(used, before))
        const now = await inOrder(read)
        const tokens = isOver || !areSame(now, used) ? now : await renew(used)
        tell(tokens)
        // What one user has asked for is never done for another, who logged in meanwhile.
        const isOther = tokens && used && sessionIdOf(tokens) !== sessionIdOf(used)
        return isOther ? undefined : tokens
      } catch (error) {
        if (error instanceof ShopError) tabs?.send({ failed: error.code })
        throw error
      }
    })
  }

  /** Replaces the tokens that were refused or are about to expire; undefined when their session is over. */
  function refresh(used: Tokens | undefined): Promise<Tokens | undefined> {
    if (refreshing !== undefined && areSame(refreshing.used, used)) return refreshing.done
    // The cookie is one for all tabs; tokens belong to their session.
    const turn = cookie || used === undefined ? name : `${name} ${sessionIdOf(used)}`
    const done = refreshInTurn(used, turn).finally(() => {
      if (refreshing?.done === done) refreshing = undefined
    })
    refreshing = { used, done }
    return done
  }

  /** Tokens to send now; undefined when nobody is signed in. Throws ShopError. */
  async function current(): Promise<Tokens | undefined> {
    const tokens = await inOrder(read)
    if (tokens === undefined) return isUnknown() ? refresh(undefined) : undefined
    return tokens.expiresAtMs - Date.now() > MARGIN_MS ? tokens : refresh(tokens)
  }

  /** Only the service knows whether there is a cookie, until it was asked, and while it is. */
  function isUnknown(): boolean {
    const isAsked = refreshing !== undefined && refreshing.used === undefined
    return cookie && (changedAtMs === 0 || isAsked)
  }

  /** A response that sets the cookie must not meet another one on its way. */
  async function alone(task: () => Promise<void>): Promise<void> {
    if (!cookie) return task()
    await inTurn(name, task).catch((error) => {
      tabs?.send({ failed: undefined })
      throw error
    })
  }

  async function start({ email, password }: Credentials): Promise<void> {
    const body = { email, password, ...(cookie && { cookie }) }
    const tokens = tokensOf(await ask('/auth/login', body, false))
    const last = await inOrder(async () => {
      const found = await read().catch(() => undefined)
      await change(tokens)
      return found
    })
    tell(tokens)
    // Nobody else could end it any more.
    if (!cookie && last !== undefined) void endAtService(last).catch(() => {})
  }

  async function end(): Promise<void> {
    if (cookie) {
      await ask('/auth/logout', undefined, true).catch((error) => {
        if (!isRefused(error)) throw error
      })
      await inOrder(() => change(undefined))
      return tell(undefined)
    }
    const tokens = await inOrder(async () => {
      const last = unsaved === undefined ? await read() : unsaved.next
      await keep(undefined)
      return last
    })
    if (tokens !== undefined) await endAtService(tokens)
  }

  const endAtService = ({ refreshToken }: Tokens) =>
    ask('/auth/logout', { refresh_token: refreshToken }, true)

  async function restore(): Promise<void> {
    // Begun at once, so that the first requests of the page wait for it.
    await (cookie ? refresh(undefined) : inOrder(read))
  }

  return {
    current,
    refresh,
    id: () => sessionId,
    logIn: (credentials: Credentials) => outcomeOf(alone(() => start(credentials))),
    logOut: () => outcomeOf(alone(end)),
    restore: () => outcomeOf(restore()),
    subscribe(listener: (signedIn: boolean) => void): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

export function memoryStore(): TokenStore {
  let kept: Tokens | undefined
  return {
    get: () => kept,
    set: (tokens) => (kept = tokens),
    clear: () => (kept = undefined),
  }
}

async function outcomeOf(change: Promise<unknown>): Promise<Outcome> {
  try {
    await change
    return { error: undefined }
  } catch (error) {
    if (error instanceof ShopError) return { error }
    throw error
  }
}

function areSame(one: Tokens | undefined, other: Tokens | undefined): boolean {
  return one?.accessToken === other?.accessToken
}

function tokensOf(answer: unknown): Tokens {
  const { access_token, expires_in, refresh_token = '' } = Object(answer) as Answered
  const tokens = {
    accessToken: access_token,
    expiresAtMs: Date.now() + expires_in * 1_000,
    refreshToken: refresh_token,
  }
  // Something in between answers 200, too.
  if (!isTokens(tokens)) throw new ShopError('unreachable')
  return tokens
}

/** Without a refresh token in cookie mode. */
type Answered = Omit<components['schemas']['Tokens'], 'refresh_token'> & {
  readonly refresh_token?: string
}

function isTokens(found: unknown): found is Tokens {
  const { accessToken, expiresAtMs, refreshToken } = Object(found)
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') return false
  return Number.isFinite(expiresAtMs) && sessionIdOf({ accessToken }) !== undefined
}

/** The claim `sid`: the same in each access token of a session. */
function sessionIdOf({ accessToken }: Pick<Tokens, 'accessToken'>): string | undefined {
  try {
    const payload = accessToken.split('.')[1] ?? ''
    return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))).sid
  } catch {
    return undefined
  }
}

/** Refused by the service, not by a proxy. */
function isRefused(error: unknown): boolean {
  return error instanceof ShopError && error.status === 401 && error.code !== 'unreachable'
}

/** What a listener throws is its own, and reaches no other. */
function call(listener: (signedIn: boolean) => void, signedIn: boolean): void {
  try {
    listener(signedIn)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
