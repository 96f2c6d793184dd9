import type { FastifyReply, onRequestHookHandler } from 'fastify'
import type { Context } from '../context.ts'
import { siteOf } from './hashing.ts'

/**
 * For routes that hash a password: refuses requests before the body is read while the queue has no place
 * for their network.
 */
export function hashAdmission(ctx: Context): { onRequest: onRequestHookHandler } {
  return {
    onRequest(request, reply, done) {
      try {
        ctx.hasher.assertPlace({ network: siteOf(request) })
      } catch (error) {
        request.state.isShed = true
        return done(error as Error)
      }
      request.state.hangUp = hangUpOf(reply)
      return done()
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
