import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { createPacer } from '../lib/pacer.ts'
import { MINUTE_MS } from '../lib/units.ts'

/** True for the routes under `/auth`, which need no token. */
export function isAuthUrl(url = ''): boolean {
  return /(^|\/)auth\//.test(url)
}

/**
 * Refuses what a browser sends to `/auth` for a foreign page, before anything is counted or read: a form
 * needs no CORS, and its wrong passwords would come from the networks of the page's visitors. Other
 * routes need a token, which a foreign page does not have.
 */
export function refuseCrossSite(app: FastifyInstance, ctx: Context): void {
  const isForeign = foreignTo(ctx)
  app.addHook('onRequest', async (request) => {
    if (isAuthUrl(request.state.route.url) && isForeign(request))
      throw new AppError('cross_site_request')
  })
}

/**
 * For what a cookie authorizes: throws `cross_site_request` unless the browser tells that a page of this
 * service, or of CORS_ORIGINS on the same site, sent the request. `refuseCrossSite` also admits requests
 * that tell nothing, and origins of other sites, for which browsers keep no SameSite cookie.
 */
export function assertOwnPage({ config }: Context, request: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site === 'same-origin') return
  const { protocol, origin: ours } = new URL(config.publicUrl)
  // The Host for 127.0.0.1 instead of localhost; only with our scheme: anybody on the way can forge http.
  const allowed = [ours, `${protocol}//${request.host}`, ...config.corsOrigins]
  if (origin === undefined || !allowed.includes(origin) || (site ?? 'same-site') !== 'same-site')
    throw new AppError('cross_site_request')
}

/** Any client can send any origin. */
const REPORTED_MAX = 20
const ORIGIN_MAX_LENGTH = 200

/**
 * Logs a foreign origin once a minute: a browser tells its page nothing but that the request failed. Also
 * outside `/auth`, where the preflight is refused, or the browser withholds the response.
 */
export function reportForeignOrigins(app: FastifyInstance, ctx: Context): void {
  const isForeign = foreignTo(ctx)
  const isNextMinute = createPacer(ctx.now, MINUTE_MS)
  const reported = new Set<string>()
  app.addHook('onRequest', async (request) => {
    const { origin } = request.headers
    // A link on a foreign page has no Origin and is followed.
    if (origin === undefined && !isAuthUrl(request.state.route.url)) return
    if (!isForeign(request)) return
    if (isNextMinute()) reported.clear()
    const shown = (origin ?? 'none').slice(0, ORIGIN_MAX_LENGTH)
    if (reported.has(shown) || reported.size >= REPORTED_MAX) return
    reported.add(shown)
    request.log.warn(
      { request_id: request.id, origin: shown },
      'a page of another origin is refused: if it belongs to your app, add its origin to CORS_ORIGINS',
    )
  })
}

/** False for an origin in CORS_ORIGINS, for our own pages, and for a client that is no browser. */
function foreignTo({ config }: Context): (request: FastifyRequest) => boolean {
  const publicOrigin = new URL(config.publicUrl).origin
  return (request) => {
    const { origin } = request.headers
    if (origin !== undefined && config.corsOrigins.includes(origin)) return false
    return !isOwn(request, publicOrigin)
  }
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
