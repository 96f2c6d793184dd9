import { readText } from '../../lib/read-text.ts'
import { SECOND_MS } from '../../lib/units.ts'
import { DeliveryError } from './delivery-error.ts'

const TIMEOUT_MS = 20 * SECOND_MS
const ANSWER_MAX_BYTES = 64 * 1024

interface PostOptions {
  /** Stands in errors. */
  readonly provider: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs?: number | undefined
  /** Gives the request up at once. */
  readonly signal: AbortSignal
}

/**
 * Posts to this URL and nowhere else: redirects are answers like any other. Once there is a status it
 * decides, however the body ends. Throws DeliveryError; `unconfirmed` if all of `body` was sent.
 */
export async function post(
  url: URL,
  { provider, headers, body, timeoutMs = TIMEOUT_MS, signal }: PostOptions,
): Promise<{ readonly status: number; readonly body: string }> {
  let sent = false
  async function* sending() {
    yield Buffer.from(body)
    // Fetch begins to read once the connection is established, and comes back after the last byte.
    sent = true
  }
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...headers,
      'content-length': String(Buffer.byteLength(body)),
      // A server may close a connection that is kept alive just as a request is sent.
      connection: 'close',
    },
    body: sending(),
    duplex: 'half',
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  }).catch((error: Error) => {
    // Fetch itself says no more than "fetch failed".
    const { message } = error.cause instanceof Error ? error.cause : error
    throw new DeliveryError('transport', `${provider} did not answer: ${message}`, {
      cause: error,
      unconfirmed: sent,
    })
  })
  const answer = await readText(response, ANSWER_MAX_BYTES).catch(() => '')
  return { status: response.status, body: answer }
}
