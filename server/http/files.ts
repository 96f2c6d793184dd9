import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { once } from '../lib/once.ts'
import type { App } from './fastify.ts'

/** A document, page, script, style or SVG image: built at its first use and compressed once per encoding. */
export interface StoredFile {
  readonly type: string
  /** Changes with the content. */
  readonly version: () => Promise<string>
  readonly encoded: Readonly<Record<Encoding, () => Promise<Buffer>>>
}
export type Encoding = 'identity' | 'gzip' | 'br'

export function storeFile(
  type: string,
  build: () => string | Buffer | Promise<string | Buffer>,
): StoredFile {
  const identity = once(async () => Buffer.from(await build()))
  return {
    type,
    version: once(async () => versionOf(await identity())),
    encoded: {
      identity,
      gzip: once(async () => promisify(gzip)(await identity())),
      br: once(async () => promisify(brotliCompress)(await identity(), BROTLI)),
    },
  }
}

/** Replaces each `{{name}}` by its value, which is HTML. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{([\w.-]+)\}\}/g, (_, name: string) => values[name] ?? '')
}

/** The `v` in the URL of a file that a page refers to. */
export function versionOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 16)
}

/** For files whose URL changes with their content. */
export const IMMUTABLE = 'public, max-age=31536000, immutable'

// Swagger UI's 1.7 MB: 399 kB after 80 ms; with quality 11, the default, 354 kB after 3.9 s.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }

interface Serving {
  readonly headers?: Readonly<Record<string, string>>
  /** Caches may keep it if they ask each time whether it is current. */
  readonly revalidated?: boolean
}

/**
 * Serves a file. A URL with its version is immutable. Without one, or with that of another release, a
 * cache must not keep it unasked.
 */
export function serveFile(
  app: App,
  url: string,
  file: StoredFile,
  { headers = {}, revalidated = false }: Serving = {},
): void {
  app.get(url, { schema: { hide: true } }, async (request, reply) => {
    const encoding = negotiateEncoding(request, reply)
    const version = await file.version()
    // Strong: each encoding has other bytes (RFC 9110 section 8.8.3.3).
    const tag = `"${version}-${encoding}"`
    reply.headers(headers)
    if ((request.query as { v?: unknown }).v === version) reply.header('cache-control', IMMUTABLE)
    else if (revalidated) {
      reply.header('cache-control', 'no-cache').header('etag', tag)
      if (isCurrent(request.headers['if-none-match'], tag)) return reply.code(304).send()
    }
    if (encoding !== 'identity') reply.header('content-encoding', encoding)
    return reply.type(`${file.type}; charset=utf-8`).send(await file.encoded[encoding]())
  })
}

/** Chooses the encoding of a response, and tells caches that it was a choice. */
export function negotiateEncoding(request: FastifyRequest, reply: FastifyReply): Encoding {
  const encoding = chooseEncoding(request.headers['accept-encoding'])
  // The CORS plugin has written `Origin` there.
  reply.header('vary', [reply.getHeader('vary') ?? [], 'Accept-Encoding'].flat().join(', '))
  return encoding
}

/** RFC 9110 section 12.5.3: our favourite among those that are not refused by `q=0`. */
function chooseEncoding(accepted = ''): Encoding {
  const codings = accepted
    .toLowerCase()
    .split(',')
    .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
    .map((part) => part.split(';', 1)[0]?.trim())
  const usable = new Set(codings)
  return (['br', 'gzip'] as const).find((name) => usable.has(name)) ?? 'identity'
}

/** RFC 9110 section 13.1.2: compared weakly, because proxies that compress weaken the tag. */
function isCurrent(known = '', tag: string): boolean {
  return known.split(',').some((one) => ['*', tag, `W/${tag}`].includes(one.trim()))
}
