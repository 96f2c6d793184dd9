import { errorOf, retryAfterOf, ShopError } from './errors.ts'

export type Fetch = (request: Request) => Promise<Response>

/** RFC 9110 section 9.2.2, of the methods of this client. */
const IDEMPOTENT = new Set(['GET', 'DELETE'])
const ATTEMPTS = 3
/** A longer wait is for the person to decide. */
const WAIT_MAX_S = 10
/** Three attempts to refresh end within 30 s, in which the service repeats an answer that was lost. */
const ATTEMPT_MS = 8_000
const LOST_S = 1

/** Repeats an idempotent request on 429 and 503, twice and as `Retry-After` says; leaves `request` unused. */
export async function send(fetch: Fetch, request: Request): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(request.clone())
    const waitS = retryAfterOf(response)
    if (!isPassing(response.status) || waitS === undefined || waitS > WAIT_MAX_S) return response
    if (attempt === ATTEMPTS || !IDEMPOTENT.has(request.method)) return response
    await discard(response)
    await pause(waitS, request.signal)
  }
}

/** Of a body that was cut off there is nothing left to cancel. */
export async function discard({ body }: Response): Promise<void> {
  await body?.cancel().catch(() => {})
}

interface Posted {
  readonly body: object | undefined
  readonly credentials?: 'include'
  /** Whether doing it twice is doing it once, so that a lost answer is no reason to give up. */
  readonly repeat: boolean
}

/** The answer’s JSON, undefined with 204; throws ShopError. */
export async function post(fetch: Fetch, url: string, posted: Posted): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await postOnce(fetch, url, posted)
    } catch (error) {
      if (!posted.repeat || attempt === ATTEMPTS || !(error instanceof ShopError)) throw error
      const { code, status = 0, retryAfterS = LOST_S } = error
      if (!isPassing(status) && code !== 'unreachable') throw error
      if (retryAfterS > WAIT_MAX_S) throw error
      await pause(retryAfterS)
    }
  }
}

async function postOnce(fetch: Fetch, url: string, { body, credentials }: Posted) {
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), ATTEMPT_MS)
  try {
    const request = new Request(url, {
      method: 'POST',
      signal: patience.signal,
      ...(credentials && { credentials }),
      ...(body && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
    const response = await fetch(request)
    if (!response.ok) throw errorOf(response, await response.json().catch(() => undefined))
    return response.status === 204 ? undefined : await response.json()
  } catch (cause) {
    throw cause instanceof ShopError ? cause : new ShopError('unreachable', { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** React Native knows no reasons. */
export function reasonOf({ reason }: AbortSignal): unknown {
  return reason ?? Object.assign(new Error('The request was aborted.'), { name: 'AbortError' })
}

function isPassing(status: number): boolean {
  return status === 429 || status === 503
}

function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal && reasonOf(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, seconds * 1_000)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
