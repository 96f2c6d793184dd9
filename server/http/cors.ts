import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'

/** Exact origins, no credentials. Other OPTIONS requests than preflights are routed normally. */
export function allowOrigins(app: FastifyInstance, ctx: Context): void {
  const origins = [...ctx.config.corsOrigins]
  if (origins.length === 0) return
  const answer = {
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type'],
    exposedHeaders: ['Link', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'],
    maxAge: 600,
    origin: origins,
  }
  void app.register(cors, {
    delegator: (request, done) => {
      const preflight = request.headers['access-control-request-method'] !== undefined
      const allowed = origins.includes(request.headers.origin ?? '')
      done(null, { ...answer, preflight: preflight && allowed })
    },
  })
}
