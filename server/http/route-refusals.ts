import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { isWellFramed } from './broken-requests.ts'

const URL_MAX_BYTES = 2 * 1024

/** The URL limit covers parameters; the router's own limit would apply before it, and answer 400. */
export const ROUTER_OPTIONS = { maxParamLength: Number.MAX_SAFE_INTEGER }

/** Answers 404, 405 and 414, in this order, before any other check. */
export function refuseUnroutable(app: FastifyInstance): void {
  const methodsOf = collectMethods(app)
  const refuseUnknown = (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = methodsOf(pathOf(request.url))
    if (allowed.length === 0) throw new AppError('not_found')
    reply.header('allow', allowed.join(', '))
    throw new AppError('method_not_allowed')
  }
  app.setNotFoundHandler(refuseUnknown)
  // Node still delivers requests pipelined after a `Connection: close` response (RFC 9112 section 9.6).
  const distrusted = new WeakSet<object>()
  app.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw
    if (distrusted.has(socket) || !isWellFramed(request.raw)) {
      distrusted.add(socket)
      reply.header('connection', 'close')
      throw new AppError('malformed_request')
    }
    // `*` is the preflight route of the CORS plugin.
    if (request.is404 || request.state.route.url === '*') refuseUnknown(request, reply)
    const { id } = request.params as { id?: string }
    // All paths are plain ASCII: an encoded one could bypass a path rule of a proxy. The router treats
    // `GET *` as `GET /`.
    const path = pathOf(request.url)
    if (!path.startsWith('/') || path.includes('%') || id === '') throw new AppError('not_found')
    if (Buffer.byteLength(request.url) > URL_MAX_BYTES) throw new AppError('uri_too_long')
  })
}

/**
 * Collects the routes as they are added and returns a function that lists the methods of a path, none
 * for an unknown one. (Fastify answers a wrong method with 404.)
 */
function collectMethods(app: FastifyInstance): (path: string) => string[] {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return
    const route = routes.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() }
    for (const name of [method].flat()) route.methods.add(name)
    routes.set(url, route)
  })
  return (path) => {
    const found = [...routes.values()].filter(({ pattern }) => pattern.test(path))
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].toSorted()
  }
}

/** The path as the router reads it, also from a URL with a host or a fragment (RFC 9112 section 3.2.2). */
function pathOf(url: string): string {
  const path = url.startsWith('/') ? url : url.replace(/^https?:\/\/.*?\//, '/')
  const end = path.search(/[?#]/)
  return end === -1 ? path : path.slice(0, end)
}

function toPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : RegExp.escape(part)))
  return new RegExp(`^${source.join('/')}$`)
}
