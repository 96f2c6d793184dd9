import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { isAuthUrl } from './cross-site.ts'

export const BODY_MAX_BYTES = 64 * 1024
/** Anonymous clients can send these bodies, which hold little more than a password and a token. */
const AUTH_BODY_MAX_BYTES = 16 * 1024

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'
/** RFC 9110 section 8.3.1. Some clients end the list of parameters with a semicolon. */
const MEDIA_TYPE =
  /^([\w.+-]+\/[\w.+-]+)((?:[ \t]*;[ \t]*[\w.-]+[ \t]*=[ \t]*(?:[^\s;,"]+|"[^"]*"))*)[ \t]*;?$/
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*"?([^\s;"]*)/gi

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
  app.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, (request, body, done) => {
    const text = decode(body as Buffer)
    if (text === undefined) return done(new AppError('malformed_request'))
    return parseJson(request, text, (error, value) => {
      const broken = error !== null || hasLoneSurrogate(text, value)
      done(broken ? new AppError('malformed_request') : null, value)
    })
  })
  app.addContentTypeParser(FORM_TYPE, { parseAs: 'buffer' }, (_request, body, done) => {
    const text = decode(body as Buffer)
    const form = text === undefined ? undefined : parseForm(text)
    done(form === undefined ? new AppError('malformed_request') : null, form)
  })
  app.addHook('preParsing', async (request, reply, payload) => {
    // `hasBody` looks into one in chunks, and Node discards only an untouched body when no route reads it.
    if (isChunked(request)) reply.raw.once('finish', () => payload.resume())
    if (await hasBody(request, payload)) assertMediaType(request)
    else forgetBody(request)
  })
  app.addHook('preValidation', async (request) => assertReadableQuery(request.url))
}

/** True for a form body; routes allow forms with `config.form`. */
export function isForm(request: FastifyRequest): boolean {
  return mediaTypeOf(request) === FORM_TYPE
}

/** For routes whose body is optional: Fastify validates an absent one as null, which the schema rejects. */
export function allowNoBody(request: FastifyRequest, _reply: unknown, done: () => void): void {
  if (request.body === undefined) request.body = {}
  done()
}

function assertMediaType(request: FastifyRequest): void {
  // Compressed bodies are not supported.
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new AppError('unsupported_media_type')
  const type = mediaTypeOf(request)
  if (type === JSON_TYPE) return
  if (type === FORM_TYPE && request.state.route.config.form === true) return
  throw new AppError('unsupported_media_type')
}

/** In lower case; undefined if it is malformed or its charset is not UTF-8. */
function mediaTypeOf({ headers }: FastifyRequest): string | undefined {
  const [, type, parameters = ''] = MEDIA_TYPE.exec(headers['content-type'] ?? '') ?? []
  const charsets = [...parameters.matchAll(CHARSET)].map(([, charset]) => charset?.toLowerCase())
  const isUtf8 = charsets.every((charset) => charset === 'utf-8' || charset === 'utf8')
  return isUtf8 ? type?.toLowerCase() : undefined
}

/** Fastify's query parser passes on invalid percent-encoding unchanged. */
function assertReadableQuery(url: string): void {
  if (!url.includes('%')) return
  try {
    decodeURIComponent(url.slice(url.indexOf('?') + 1))
  } catch {
    throw new AppError('malformed_request')
  }
}

/**
 * A proxy that streams bodies also sends a request without one in chunks: only the end shows that it is
 * empty. Throws `malformed_request` when the connection closes before.
 */
async function hasBody(request: FastifyRequest, payload: Readable): Promise<boolean> {
  if (!isChunked(request)) return Number(request.headers['content-length'] ?? 0) > 0
  if (payload.readableLength > 0) return true
  const waiting = new AbortController()
  const { signal } = waiting
  try {
    await Promise.race(['readable', 'end'].map((event) => once(payload, event, { signal })))
  } catch {
    throw new AppError('malformed_request')
  } finally {
    waiting.abort()
  }
  return payload.readableLength > 0
}

function isChunked({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined
}

/** Fastify and the routes see a request that never announced a body. */
function forgetBody({ headers }: FastifyRequest): void {
  for (const name of ['transfer-encoding', 'content-length', 'content-type'])
    if (name in headers) delete headers[name]
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
