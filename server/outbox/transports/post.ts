import { readText } from '../../lib/read-text.ts'
import { fetchFailure } from '../../lib/reasons.ts'
import { SECOND_MS } from '../../lib/units.ts'
import { DeliveryError } from './delivery-error.ts'

const TIMEOUT_MS = 20 * SECOND_MS
const ANSWER_MAX_BYTES = 64 * 1024

interface PostOptions {
  /** For error messages. */
  readonly provider: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs?: number | undefined
  readonly signal: AbortSignal
}

/**
 * Posts without following redirects. A status counts even if reading the body fails. Throws
 * DeliveryError; `unconfirmed` if all of `body` was sent.
 */
export async function post(
  url: URL,
  { provider, headers, body, timeoutMs = TIMEOUT_MS, signal }: PostOptions,
): Promise<{ readonly status: number; readonly body: string }> {
  let sent = false
  async function* sending() {
    yield Buffer.from(body)
    // fetch reads only once it is connected, and resumes here after it has taken the last byte.
    sent = true
  }
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...headers,
      'content-length': String(Buffer.byteLength(body)),
      // A server may close a keep-alive connection just as a request is sent.
      connection: 'close',
    },
    body: sending(),
    duplex: 'half',
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  }).catch((error: Error) => {
    throw new DeliveryError('transport', `${provider} did not respond: ${fetchFailure(error)}`, {
      cause: error,
      unconfirmed: sent,
    })
  })
  const answer = await readText(response, ANSWER_MAX_BYTES).catch(() => '')
  return { status: response.status, body: answer }
}
