import type { FastifyReply, onRequestHookHandler } from 'fastify'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { SECOND_MS } from '../lib/units.ts'

/**
 * For routes that hash a password: refuses requests before the body is read while the hash queue is
 * full. Logs at most one line a second.
 */
export function hashAdmission(ctx: Context): { onRequest: onRequestHookHandler } {
  const refusal = new AppError('overloaded', { retryAfterS: 1 })
  let refused = 0
  let loggedAtMs = -SECOND_MS
  return {
    onRequest(request, reply, done) {
      if (!ctx.hasher.isFull()) {
        request.state.hangUp = hangUpOf(reply)
        return done()
      }
      request.state.isShed = true
      ctx.metrics.count('hash_refusals')
      refused++
      if (performance.now() - loggedAtMs > SECOND_MS) {
        loggedAtMs = performance.now()
        ctx.log.warn({ refused }, 'hash queue full')
        refused = 0
      }
      return done(refusal)
    },
  }
}

/** Fastify's `request.signal` is aborted as soon as the request has been read. */
function hangUpOf({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
