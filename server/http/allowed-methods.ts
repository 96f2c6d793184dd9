import type { FastifyInstance } from 'fastify'

/**
 * Collects the routes as they are added; the returned function lists the methods that a path has,
 * in alphabetical order, none for an unknown path. (Fastify answers a wrong method with 404.)
 */
export function allowedMethods(app: FastifyInstance): (path: string) => string[] {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    // The wildcard is the preflight route of the CORS plugin.
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
export function pathOf(url: string): string {
  return url.replace(/^https?:\/\/.*?\//, '/').split(/[?#]/, 1)[0] ?? ''
}

function toPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : RegExp.escape(part)))
  return new RegExp(`^${source.join('/')}$`)
}
