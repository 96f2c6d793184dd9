import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Context } from '../context.ts'
import { SECOND_MS } from '../lib/units.ts'
import { watchConnections } from './connections.ts'

/** Logs and counts each request once, also when its client disconnects before the response. */
export function logRequests(app: FastifyInstance, ctx: Context): void {
  watchConnections(app, (reply, status) => logRequest(ctx, reply, status))
}

function logRequest(ctx: Context, reply: FastifyReply, status: number): void {
  const { request } = reply
  const { method, state } = request
  const { url: route = 'none' } = state.route
  const labels = { method, route, status: String(status) }
  ctx.metrics.countRequest(labels, reply.elapsedTime / SECOND_MS)
  // During a flood these lines would take a third of the CPU time.
  if (state.isShed) return
  request.log.info(
    {
      request_id: request.id,
      method,
      route: state.route.url ?? null,
      status,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      user_id: state.session?.userId,
      ip: state.ip,
    },
    'request',
  )
}
