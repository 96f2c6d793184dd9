import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Concurrent requests per connection; browsers and usual clients do not pipeline. */
const PIPELINE_MAX = 16

/** A flood of connections must not keep the port open. */
const ACCEPT_TURNS_MAX = 1000

/** nginx's status for a client that disconnects before the response; only logged, never sent. */
const CLIENT_CLOSED_REQUEST = 499

/** The pending replies of each connection, oldest first. */
const openReplies = new WeakMap<object, Set<FastifyReply>>()

/**
 * Calls `onEnd` once for each request: after its response, or when its connection closes first. Of
 * several pending requests on a closed connection, Node notifies only the one being answered.
 */
export function watchConnections(
  app: FastifyInstance,
  onEnd: (reply: FastifyReply, status: number) => void,
): void {
  app.addHook('onRequest', ({ raw: { socket } }, reply, done) => {
    let open = openReplies.get(socket)
    if (open === undefined) {
      const replies = new Set<FastifyReply>()
      socket.once('close', () => {
        for (const unanswered of replies) onEnd(unanswered, CLIENT_CLOSED_REQUEST)
        replies.clear()
      })
      openReplies.set(socket, replies)
      open = replies
    }
    open.add(reply)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    if (openReplies.get(request.raw.socket)?.delete(reply)) onEnd(reply, reply.statusCode)
    done()
  })
}

/**
 * Closes a connection that pipelines too many requests. Measured without a limit: five connections
 * that pipelined 57 KiB each used 1.3 GB and blocked the event loop for 3 s.
 */
export function limitPipelining(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw: { socket } }, _reply, done) => {
    if ((openReplies.get(socket)?.size ?? 0) <= PIPELINE_MAX) return done()
    // Without `done()` the request is not processed further.
    socket.destroy()
  })
}

/** True when the newest request of a connection has been answered; another response would be stray. */
export function isAnswered(socket: Duplex): boolean {
  const replies = openReplies.get(socket)
  const newest = [...(replies ?? [])].at(-1)
  return replies !== undefined && newest?.raw.writableEnded !== false
}

/**
 * Each response ends its connection once the stop is announced, so that few are idle at the shutdown:
 * one that is closed while a request is on its way fails that request.
 */
export function endConnections(app: FastifyInstance, isDraining: () => boolean): void {
  let closing = false
  app.addHook('preClose', async () => {
    await acceptAll(app.server)
    closing = true
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing || isDraining()) reply.header('connection', 'close')
    done()
  })
  // After a response whose head was sent earlier, such as an export, the connection is idle: it would
  // delay the shutdown until its client disconnects.
  app.addHook('onResponse', (_request, _reply, done) => {
    if (closing) app.server.closeIdleConnections()
    done()
  })
}

/**
 * Waits until two turns of the event loop bring neither a connection nor a request. Each turn accepts one
 * connection: the kernel resets those that wait when the port closes, and Node those without a request
 * that it has read, although their requests may have been sent.
 */
async function acceptAll(server: Server): Promise<void> {
  let quiet = 0
  const note = () => (quiet = -1)
  server.on('connection', note).on('request', note)
  for (let turn = 0; quiet < 2 && turn < ACCEPT_TURNS_MAX; turn++) {
    await nextTurn()
    quiet++
  }
  server.off('connection', note).off('request', note)
}
