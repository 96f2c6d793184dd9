import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'

/**
 * What web apps, their HTTP libraries and tracing agents send. A list instead of what a preflight asks for:
 * a header that a proxy believes is not on it.
 */
const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'Accept-Language',
  'Accept',
  'Cache-Control',
  'If-None-Match',
  'Pragma',
  'X-CSRF-Token',
  'X-XSRF-Token',
  'X-Requested-With',
  'X-Request-Id',
  'X-Correlation-Id',
  // W3C Trace Context and Baggage, Sentry, Zipkin, Jaeger, Datadog, New Relic, Elastic, Azure, Google, AWS.
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace',
  'b3',
  'X-B3-TraceId',
  'X-B3-SpanId',
  'X-B3-ParentSpanId',
  'X-B3-Sampled',
  'X-B3-Flags',
  'uber-trace-id',
  'x-datadog-trace-id',
  'x-datadog-parent-id',
  'x-datadog-origin',
  'x-datadog-sampling-priority',
  'newrelic',
  'elastic-apm-traceparent',
  'Request-Id',
  'Request-Context',
  'X-Cloud-Trace-Context',
  'X-Amzn-Trace-Id',
]
const EXPOSED_HEADERS = [
  'Content-Disposition',
  'Link',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
  'X-Total-Count',
  'X-Total-Count-Estimated',
]

/**
 * Exact origins; credentials only on routes with `config.refreshCookie`, and not for other sites, where no
 * browser sends that cookie. Other OPTIONS requests than preflights are routed normally.
 */
export function allowOrigins(app: FastifyInstance, ctx: Context): void {
  const origins = [...ctx.config.corsOrigins]
  if (origins.length === 0) return
  const answer = {
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
    origin: origins,
  }
  const urlsWithCookie = new Set<string>()
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.refreshCookie === true) urlsWithCookie.add(url)
  })
  // Chromium asks before a public page may reach a private address (Private Network Access).
  app.addHook('onRequest', ({ headers }, reply, done) => {
    const { origin = '', 'access-control-request-private-network': isAsked } = headers
    if (isAsked === 'true' && origins.includes(origin))
      reply.header('access-control-allow-private-network', 'true')
    done()
  })
  void app.register(cors, {
    delegator: (request, done) => {
      const { headers } = request
      const preflight = headers['access-control-request-method'] !== undefined
      const allowed = origins.includes(headers.origin ?? '')
      const credentials =
        allowed &&
        headers['sec-fetch-site'] !== 'cross-site' &&
        // The route of a preflight is that of the plugin.
        urlsWithCookie.has(request.url.replace(/\?.*/s, ''))
      done(null, { ...answer, credentials, preflight: preflight && allowed })
    },
  })
}
