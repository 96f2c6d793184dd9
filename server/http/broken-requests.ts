import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../errors.ts'
import { isAnswered } from './connections.ts'
import { newId } from '../lib/random.ts'
import { problem, PROBLEM_TYPE, STATUS } from './problem.ts'

type Headers = Readonly<Record<string, string>>

/**
 * False for a request that a proxy may interpret differently: not exactly one Host (RFC 9112 section
 * 3.2), a second Authorization or Content-Type, of which Node keeps the first and others the last, a
 * transfer coding other than chunked, HTTP/0.9. Node accepts these or sends a bare refusal.
 */
export function isWellFramed({ httpVersion, rawHeaders, headers }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return false
  const times = { host: 0, authorization: 0, 'content-type': 0 }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    if (Object.hasOwn(times, name)) times[name as keyof typeof times]++
  }
  const { host, authorization, 'content-type': contentType } = times
  if (authorization > 1 || contentType > 1) return false
  return host === 1 ? httpVersion.startsWith('1.') : host === 0 && httpVersion === '1.0'
}

/** Replaces Node's own responses, which lack the security headers and the problem document. */
export function answerForNode(server: Server, headers: Headers): void {
  // An expectation may be ignored (RFC 9110 section 10.1.1); Node's own response is a bare 417.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    // Node hands this socket over: a reset without a listener would end the process, and a client that
    // does not close its side would keep it open.
    socket.on('error', () => {})
    socket.on('finish', () => socket.destroy())
    // CONNECT addresses a host, not a resource, so no method is allowed.
    endWith(socket, 'method_not_allowed', { ...headers, allow: '' })
  })
}

/** Answers input that Node could not parse into a request: oversized headers, time-outs, malformed HTTP. */
export function answerBrokenRequest(
  error: Error & { code?: string; rawPacket?: unknown },
  socket: Socket,
  headers: Headers,
): void {
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isAnswered(socket)
  if (error.code === 'ECONNRESET' || !socket.writable || late) {
    socket.destroy(error)
    return
  }
  const received = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : ''
  if (error.code === 'HPE_INVALID_METHOD' && UNKNOWN_METHOD.test(received)) {
    // Node has not parsed the path: these are the methods of the whole service.
    endWith(socket, 'method_not_allowed', { ...headers, allow: 'DELETE, GET, HEAD, PATCH, POST' })
    return
  }
  endWith(socket, CODES[error.code ?? ''] ?? 'malformed_request', headers)
}

/** A well-formed request line with an unregistered method (RFC 9110 section 16.1). */
const UNKNOWN_METHOD = /^[A-Z]+ \/\S* HTTP\/1\.[01]\r\n/

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

function endWith(socket: Duplex, code: ErrorCode, headers: Headers): void {
  const requestId = newId()
  const body = JSON.stringify(problem(code, requestId))
  const lines = Object.entries({
    ...headers,
    'x-request-id': requestId,
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${STATUS[code]} ${problem(code).title}\r\n${lines.join('')}\r\n${body}`)
}
