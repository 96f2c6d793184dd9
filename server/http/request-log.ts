import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { SECOND_MS } from '../lib/units.ts'
import { addressOf } from './client.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Logs and counts it with this status; only the first call does. */
    ended: ((status: number) => void) | undefined
  }
}

/** As nginx has it: the client was gone before it was answered. No answer of ours has this status. */
export const CLIENT_CLOSED_REQUEST = 499

/** One log line and one count for each request, whether it is answered or its client hangs up. */
export function logRequests(app: FastifyInstance, ctx: Context): void {
  const onHangUp = watchHangUps()
  app.decorateRequest('ended', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const unwatch = onHangUp(request.raw.socket, () => request.ended?.(CLIENT_CLOSED_REQUEST))
    // Once the client has hung up its address cannot be told any more.
    const ip = addressOf(request)
    request.ended = (status) => {
      request.ended = undefined
      unwatch()
      logRequest(ctx, { request, reply }, { status, ip })
    }
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    request.ended?.(reply.statusCode)
    done()
  })
}

function logRequest(
  ctx: Context,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  { status, ip }: { status: number; ip: string | null },
): void {
  const { method, routeOptions } = request
  const { url: route = 'none' } = routeOptions
  const labels = { method, route, status: String(status) }
  ctx.metrics.countRequest(labels, reply.elapsedTime / SECOND_MS)
  // Of a flood these lines would be a third of the work.
  if (request.isShed) return
  request.log.info(
    {
      method,
      route: routeOptions.url ?? null,
      status,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      user_id: request.session?.userId,
      ip,
    },
    'request',
  )
}

/**
 * Of a connection with several requests in work, only the response that is being written hears that it
 * was closed; and a listener for each of them would be more than Node takes without a warning.
 */
function watchHangUps(): (socket: Socket, hungUp: () => void) => () => void {
  const waiting = new WeakMap<Socket, Set<() => void>>()
  return (socket, hungUp) => {
    let unanswered = waiting.get(socket)
    if (unanswered === undefined) {
      const created = new Set<() => void>()
      socket.once('close', () => created.forEach((tell) => tell()))
      waiting.set(socket, created)
      unanswered = created
    }
    const mine = unanswered.add(hungUp)
    return () => mine.delete(hungUp)
  }
}
