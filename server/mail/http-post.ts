import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { DeliveryError } from './delivery-error.ts'

const REPLY_MAX_CHARS = 4096

interface Posted {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For connecting, sending and the answer together. */
  readonly timeoutMs: number
}

/**
 * Posts once, over a connection of its own: one that was kept may be dead, and what was written to
 * it in doubt. Follows no redirect: a key must not travel on. Throws a DeliveryError of the
 * transport when no answer came, unconfirmed when the whole body had been handed over.
 */
export function post(
  url: string,
  { headers, body, timeoutMs }: Posted,
): Promise<{ status: number; text: string }> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  const bytes = Buffer.from(body)
  return new Promise((resolve, reject) => {
    const sending = send(url, {
      method: 'POST',
      agent: false,
      headers: { ...headers, 'content-length': String(bytes.length) },
      signal: AbortSignal.timeout(timeoutMs),
    })
    let whole = false
    sending.once('finish', () => (whole = true))
    sending.once('error', (error) => {
      const told = error.name === 'AbortError' ? `no answer within ${timeoutMs} ms` : error.message
      reject(new DeliveryError('transport', told, { cause: error, unconfirmed: whole }))
    })
    sending.once('response', (answer) => {
      const status = answer.statusCode ?? 0
      let text = ''
      const done = () => resolve({ status, text })
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk.slice(0, REPLY_MAX_CHARS - text.length)
        if (text.length >= REPLY_MAX_CHARS) answer.destroy()
      })
      // The status decides, also when the rest of the answer never comes.
      answer.once('error', done).once('close', done)
    })
    sending.end(bytes)
  })
}
