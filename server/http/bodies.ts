import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

export const BODY_MAX_BYTES = 64 * 1024
/** Anonymous clients send here, and no body needs more than a password and a token. */
const AUTH_BODY_MAX_BYTES = 16 * 1024

const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i
const FORM_TYPE =
  /^application\/x-www-form-urlencoded[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads JSON, and forms where a route allows them, and nothing else: Fastify's own parsers replace
 * invalid UTF-8, accept text/plain, and pass on media types that only begin right.
 */
export function readBodies(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (/(^|\/)auth\//.test(route.url)) route.bodyLimit = AUTH_BODY_MAX_BYTES
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

/** True for a request that came as a form; routes that allow forms say so in `config.form`. */
export function isForm(request: FastifyRequest): boolean {
  return FORM_TYPE.test(request.headers['content-type'] ?? '')
}

function assertMediaType(request: FastifyRequest): void {
  if (!hasBody(request)) return
  // No body is decompressed here.
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new AppError('unsupported_media_type')
  const type = request.headers['content-type'] ?? ''
  if (JSON_TYPE.test(type)) return
  if (FORM_TYPE.test(type) && request.routeOptions.config.form === true) return
  throw new AppError('unsupported_media_type')
}

/** Fastify's query parser keeps a value that is no percent-encoded UTF-8 as it stands. */
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
 * A JSON escape of half a character: UTF-8 turns it into U+FFFD, which would make different passwords
 * equal. Only an escape can make one, for the bytes were valid UTF-8.
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
    // Nested too deeply to search; no schema of ours allows that.
    return true
  }
}

/** More names than any form of ours has. */
const FORM_NAMES_MAX = 32

/** Names to texts; a name sent twice has a list, which no schema of ours accepts (RFC 6749 section 3.2). */
function parseForm(text: string): Record<string, string | string[]> | undefined {
  const form: Record<string, string | string[]> = Object.create(null)
  try {
    // Empty pairs count, too, or a long row of them would hide the fields behind it.
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
