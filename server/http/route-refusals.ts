import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { isWellFramed } from './broken-requests.ts'

const URL_MAX_BYTES = 2 * 1024

/** The URL's limit holds for parameters too; the router's own would answer before the guards. */
export const ROUTER_OPTIONS = { maxParamLength: URL_MAX_BYTES }

/** 404, 405 and 414, in this order, before anything else is looked at, the body least of all. */
export function refuseUnroutable(app: FastifyInstance): void {
  const methodsOf = collectMethods(app)
  const refuseUnknown = (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = methodsOf(pathOf(request.url))
    if (allowed.length === 0) throw new AppError('not_found')
    reply.header('allow', allowed.join(', '))
    throw new AppError('method_not_allowed')
  }
  app.setNotFoundHandler(refuseUnknown)
  // Node still hands over what was pipelined behind an answer that closes (RFC 9112 section 9.6).
  const distrusted = new WeakSet<object>()
  app.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw
    if (distrusted.has(socket) || !isWellFramed(request.raw)) {
      distrusted.add(socket)
      reply.header('connection', 'close')
      throw new AppError('malformed_request')
    }
    // The wildcard is the preflight route of the CORS plugin.
    if (request.is404 || request.routeOptions.url === '*') refuseUnknown(request, reply)
    const { id } = request.params as { id?: string }
    // Every path of ours is plain ASCII: an encoded one is an alias, made to slip past a rule somewhere.
    // The router takes `GET *` for `GET /`.
    const path = pathOf(request.url)
    if (!path.startsWith('/') || path.includes('%') || id === '') throw new AppError('not_found')
    if (Buffer.byteLength(request.url) > URL_MAX_BYTES) throw new AppError('uri_too_long')
  })
}

/**
 * Collects the routes as they are added; the returned function lists the methods of a path in
 * alphabetical order, none for an unknown path. (Fastify answers a wrong method with 404.)
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

/** The path as the router sees it, also in a URL with a host or a fragment (RFC 9112 section 3.2.2). */
function pathOf(url: string): string {
  return url.replace(/^https?:\/\/.*?\//, '/').split(/[?#]/, 1)[0] ?? ''
}

function toPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : RegExp.escape(part)))
  return new RegExp(`^${source.join('/')}$`)
}
