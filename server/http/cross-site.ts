import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'

/** True for the routes under `/auth`, which need no token. */
export function isAuthUrl(url = ''): boolean {
  return /(^|\/)auth\//.test(url)
}

/**
 * Refuses what a browser sends to `/auth` for a foreign page, before anything is counted or read: a form
 * needs no CORS, and its wrong passwords would come from the networks of the page's visitors. Other
 * routes need a token, which a foreign page does not have.
 */
export function refuseCrossSite(app: FastifyInstance, { config }: Context): void {
  const publicOrigin = new URL(config.publicUrl).origin
  app.addHook('onRequest', async (request) => {
    if (!isAuthUrl(request.routeOptions.url)) return
    const { origin } = request.headers
    if (origin !== undefined && config.corsOrigins.includes(origin)) return
    if (!isOwn(request, publicOrigin)) throw new AppError('cross_site_request')
  })
}

/** True for a page of this service, for a request without a page, and for a client that is no browser. */
function isOwn(request: FastifyRequest, publicOrigin: string): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  // Exact, while `Origin` is `null` under some referrer policies; but not sent to plain http.
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin === undefined || origin === publicOrigin) return true
  // A page cannot choose the Host of a request. Behind a proxy the scheme may differ.
  return origin === `https://${request.host}` || origin === `http://${request.host}`
}
