import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { isAuthUrl } from './cross-site.ts'

export const BODY_MAX_BYTES = 64 * 1024
/** Anonymous clients can send these bodies, which hold little more than a password and a token. */
const AUTH_BODY_MAX_BYTES = 16 * 1024

const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i
const FORM_TYPE =
  /^application\/x-www-form-urlencoded[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Accepts JSON, and forms on routes that allow them. Fastify's own parsers replace invalid UTF-8,
 * accept text/plain and match media types by prefix.
 */
export function readBodies(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (isAuthUrl(route.url)) route.bodyLimit = AUTH_BODY_MAX_BYTES
  })
  app.removeAllContentTypeParsers()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = decode(body as Buffer)
    if (text === undefined) return done(new AppError('malformed_request'))
    if (text === '') return done(null, undefined)
    return parseJson(request, text, (error, value) => {
      const broken = error !== null || hasLoneSurrogate(text, value)
      done(broken ? new AppError('malformed_request') : null, value)
    })
  })
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (_request, body, done) => {
      const text = decode(body as Buffer)
      const form = text === undefined ? undefined : parseForm(text)
      done(form === undefined ? new AppError('malformed_request') : null, form)
    },
  )
  app.addHook('preParsing', async (request) => assertMediaType(request))
  app.addHook('preValidation', async (request) => assertReadableQuery(request.url))
}

/** True for a form body; routes allow forms with `config.form`. */
export function isForm(request: FastifyRequest): boolean {
  return FORM_TYPE.test(request.headers['content-type'] ?? '')
}

/** For routes whose body is optional: Fastify validates an absent one as null, which the schema rejects. */
export async function allowNoBody(request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = {}
}

function assertMediaType(request: FastifyRequest): void {
  if (!hasBody(request)) return
  // Compressed bodies are not supported.
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new AppError('unsupported_media_type')
  const type = request.headers['content-type'] ?? ''
  if (JSON_TYPE.test(type)) return
  if (FORM_TYPE.test(type) && request.routeOptions.config.form === true) return
  throw new AppError('unsupported_media_type')
}

/** Fastify's query parser passes on invalid percent-encoding unchanged. */
function assertReadableQuery(url: string): void {
  try {
    decodeURIComponent(url.slice(url.indexOf('?') + 1))
  } catch {
    throw new AppError('malformed_request')
  }
}

function hasBody({ headers }: FastifyRequest): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

function decode(body: Buffer): string | undefined {
  try {
    return utf8.decode(body)
  } catch {
    return undefined
  }
}

/**
 * Detects unpaired surrogate escapes. UTF-8 encodes each as U+FFFD, which would make different
 * passwords equal. Only an escape can contain one, because the bytes are valid UTF-8.
 */
function hasLoneSurrogate(text: string, value: unknown): boolean {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return false
  const search = (node: unknown): boolean =>
    typeof node === 'string'
      ? !node.isWellFormed()
      : typeof node === 'object' &&
        node !== null &&
        Object.entries(node).some((pair) => pair.some(search))
  try {
    return search(value)
  } catch {
    // The nesting exceeds the stack; no schema allows that.
    return true
  }
}

/** More fields than any form of this API has. */
const FORM_NAMES_MAX = 32

/** A repeated name becomes a list, which every schema refuses (RFC 6749 section 3.2). */
function parseForm(text: string): Record<string, string | string[]> | undefined {
  const form: Record<string, string | string[]> = Object.create(null)
  try {
    // Empty pairs count, too: otherwise the cut could drop fields after many of them.
    const pairs = text.split('&', FORM_NAMES_MAX + 1)
    if (pairs.length > FORM_NAMES_MAX) return undefined
    for (const pair of pairs.filter((part) => part !== '')) {
      const [name = '', ...rest] = pair.split('=')
      const key = decodeURIComponent(name.replaceAll('+', ' '))
      const value = decodeURIComponent(rest.join('=').replaceAll('+', ' '))
      const before = form[key]
      form[key] = before === undefined ? value : [before, value].flat()
    }
  } catch {
    return undefined
  }
  return { ...form }
}
