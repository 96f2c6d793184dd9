import type { FastifyReply, onRequestAsyncHookHandler } from 'fastify'
import type { Context } from '../context.ts'
import { siteOf } from './hashing.ts'

/**
 * For routes that hash a password: refuses requests before the body is read while the queue has no place
 * for their network.
 */
export function hashAdmission(ctx: Context): { onRequest: onRequestAsyncHookHandler } {
  return {
    async onRequest(request, reply) {
      ctx.hasher.assertPlace({ network: siteOf(request) })
      request.state.hangUp = hangUpOf(reply)
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
