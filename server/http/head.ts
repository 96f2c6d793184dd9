import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/**
 * `HEAD` runs what `GET` runs, with its guards, limits and records, because the length of a response
 * tells something of its content; Node omits the body. A streamed one is never started.
 */
export function answerHead(app: FastifyInstance): void {
  app.addHook('onRoute', function (route) {
    if (route.method === 'GET') this.route({ ...route, method: 'HEAD', url: route.routePath })
  })
  app.addHook('onSend', ({ method }, _reply, payload, done) => {
    if (method !== 'HEAD' || !(payload instanceof Readable)) return done(null, payload)
    payload.destroy()
    done(null, null)
  })
}
