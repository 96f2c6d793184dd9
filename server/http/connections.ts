import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Requests that one connection may have in work; browsers and clients send one after the other. */
const PIPELINE_MAX = 16

/** nginx's status for a client that hangs up before the answer. No answer of ours has it. */
const CLIENT_CLOSED_REQUEST = 499

/** The replies of each connection that are not sent yet, the oldest first. */
const openReplies = new WeakMap<object, Set<FastifyReply>>()

/**
 * Calls `onEnd` once for each request: when it is answered, or its connection is closed before. Of a
 * closed connection with several requests in work, Node notifies only the response being written.
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
 * Ends a connection that sends more requests than it reads answers. Measured without a limit: five
 * connections that pipelined 57 KiB each took 1.3 GB and stopped the event loop for 3 s.
 */
export function limitPipelining(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw: { socket } }, _reply, done) => {
    if ((openReplies.get(socket)?.size ?? 0) <= PIPELINE_MAX) return done()
    // Without `done()` nothing more happens to this request.
    socket.destroy()
  })
}

/** True when the newest request of a connection has its answer: a second one would answer no request. */
export function isAnswered(socket: Duplex): boolean {
  const replies = openReplies.get(socket)
  const newest = [...(replies ?? [])].at(-1)
  return replies !== undefined && newest?.raw.writableEnded !== false
}

/** A connection kept alive after its last answer would hold up the stop until the client hangs up. */
export function endConnectionsWhenStopping(app: FastifyInstance): void {
  let stopping = false
  app.addHook('preClose', (done) => {
    stopping = true
    done()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping) reply.header('connection', 'close')
    done()
  })
}
