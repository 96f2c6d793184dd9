import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { SECOND_MS } from './units.ts'

export interface HttpAnswer {
  readonly status: number
  /** Its first 64 KiB, or as many bytes as were allowed; less when the connection broke after the status. */
  readonly body: string
  /** False when some of the body is missing. */
  readonly complete: boolean
}

export interface HttpTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number
  readonly totalMs: number
}

/** No answer came. Whatever was asked for may have been done if it was `handedOver`. */
export class NoAnswerError extends Error {
  readonly handedOver: boolean

  constructor(message: string, options: ErrorOptions & { handedOver: boolean }) {
    super(message, options)
    this.name = 'NoAnswerError'
    this.handedOver = options.handedOver
  }
}

const TIMEOUTS: HttpTimeouts = { connectMs: 5 * SECOND_MS, totalMs: 20 * SECOND_MS }
const BODY_MAX_BYTES = 64 * 1024

interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly timeouts?: HttpTimeouts | undefined
  /** Gives the request up at once. */
  readonly signal?: AbortSignal
}
interface PostOptions extends RequestOptions {
  readonly body: string
}
interface GetOptions extends RequestOptions {
  readonly bodyMaxBytes: number
}

/**
 * Posts to a server that we were told to trust, and nowhere else: redirects are answers like any
 * other. Throws NoAnswerError within the time-outs. Every request has a connection of its own: one
 * kept alive may be closed by the server just then, and nobody knows what it has read.
 */
export function post(url: URL, { headers, body, ...options }: PostOptions): Promise<HttpAnswer> {
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  return exchange(url, { ...options, method: 'POST', headers: { ...headers, ...length }, body })
}

/** As `post`; only reads, at most `bodyMaxBytes` of an answer. */
export function get(url: URL, options: GetOptions): Promise<HttpAnswer> {
  return exchange(url, { ...options, method: 'GET' })
}

interface Exchange extends RequestOptions {
  readonly method: 'GET' | 'POST'
  readonly body?: string
  readonly bodyMaxBytes?: number
}

function exchange(
  url: URL,
  { method, headers, body, timeouts = TIMEOUTS, bodyMaxBytes = BODY_MAX_BYTES, signal }: Exchange,
): Promise<HttpAnswer> {
  const isTls = url.protocol === 'https:'
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  let connected = false
  let written = false
  const request = (isTls ? requestHttps : requestHttp)(url, {
    method,
    agent: false,
    headers: { ...headers },
  })
  const giveUp = (why: string) => {
    const error = new Error(why)
    request.destroy(error)
    // Destroyed before, it tells nobody.
    refuse(error)
  }
  const endAfter = (ms: number, what: string) =>
    setTimeout(() => giveUp(`${what} within ${ms} ms`), ms)
  const abandon = () => giveUp('given up')
  const connecting = endAfter(timeouts.connectMs, 'no connection')
  const answering = endAfter(timeouts.totalMs, 'no answer')

  request.on('socket', (socket) => {
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      connected = true
      clearTimeout(connecting)
    })
  })
  // Nobody acts on half a request, nor on one that waited for a handshake which failed.
  request.on('finish', () => (written = true))
  const fail = (error: Error) =>
    reject(new NoAnswerError(error.message, { handedOver: connected && written }))
  let refuse = fail
  request.on('error', (error) => refuse(error))
  request.on('close', () => {
    // After 101 there is neither an answer nor an error.
    if (refuse === fail) fail(new Error('closed without an answer'))
  })
  request.on('response', (response) => {
    // Once there is a status it decides, however the body ends.
    refuse = () => response.destroy()
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > bodyMaxBytes) request.destroy()
    })
    response.on('error', () => {})
    response.on('close', () => {
      const text = Buffer.concat(chunks).subarray(0, bodyMaxBytes).toString('utf8')
      const complete = response.complete && bytes <= bodyMaxBytes
      resolve({ status: response.statusCode ?? 0, body: text, complete })
    })
  })
  request.end(body)
  signal?.addEventListener('abort', abandon)
  if (signal?.aborted) abandon()
  return promise.finally(() => {
    signal?.removeEventListener('abort', abandon)
    clearTimeout(connecting)
    clearTimeout(answering)
  })
}
