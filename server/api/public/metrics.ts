import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Context } from '../../context.ts'
import { isMailOverdue } from '../../outbox/backlog.ts'
import { findUnacceptedKeys, ownKeysOf } from '../../keys/keys-in-use.ts'
import { MINUTE_MS } from '../../lib/units.ts'

const NANOSECONDS = 1e9
const LAG_RESOLUTION_MS = 20
const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Serves `/metrics` and `/health` on a port of their own, because they are for operators. */
export async function listenForOperators(
  ctx: Context,
  address: { readonly host: string; readonly port: number },
): Promise<Server> {
  observe(ctx)
  const server = createServer((request, response) => {
    const path = ['GET', 'HEAD'].includes(request.method ?? '') && request.url?.split('?')[0]
    if (path === '/health') answerHealth(ctx, response)
    else if (path === '/metrics') answerScrape(ctx, response)
    else response.writeHead(404).end()
  })
  server.listen(address)
  await once(server, 'listening')
  return server
}

function answerScrape({ metrics }: Context, response: ServerResponse): void {
  metrics.expose().then(
    (text) => response.writeHead(200, { 'content-type': TYPE }).end(text),
    () => response.writeHead(500).end(),
  )
}

/** Like liveness of the server, independent of the database, whose outage no restart ends. */
function answerHealth({ loops, log }: Context, response: ServerResponse): void {
  const stuck = loops.stuck()
  if (stuck.length > 0) log.error({ loops: stuck }, 'background jobs hang: restart this process')
  const body = stuck.length === 0 ? { status: 'healthy' } : { status: 'stuck', loops: stuck }
  response
    .writeHead(stuck.length === 0 ? 200 : 503, { 'content-type': 'application/json' })
    .end(JSON.stringify(body))
}

function observe(ctx: Context): void {
  const { metrics, hasher, limits, pwnedPasswords } = ctx
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  metrics.observeProcess()
  metrics.observe('event_loop_lag_seconds', {
    help: 'The 99th percentile since the previous scrape.',
    read() {
      const seconds = lag.percentile(99) / NANOSECONDS
      lag.reset()
      return seconds
    },
  })
  metrics.observe('hashes_waiting', {
    help: 'Password hashes waiting in the queue.',
    read: () => hasher.waiting(),
  })
  metrics.observe('redis_up', {
    help: '1 while limits are counted in Redis.',
    read: () => (limits.store() === 'redis' ? 1 : 0),
  })
  metrics.observe('mail_overdue', {
    help: '1 when a message has been due for more than a minute.',
    // NaN without a database: the scrape must still expose the other metrics.
    read: () => isMailOverdue(ctx.db, ctx.now() - MINUTE_MS).then(Number, () => Number.NaN),
  })
  metrics.observe('keys_differ', {
    help: '1 while other processes use a SECRET_KEY that this one does not accept.',
    read: () =>
      findUnacceptedKeys(ctx.db, ownKeysOf(ctx, { serves: false }), ctx.now()).then(
        (keys) => Math.min(keys.length, 1),
        () => Number.NaN,
      ),
  })
  metrics.observe('pwned_passwords_unanswered_total', {
    type: 'counter',
    help: 'Leaked-password lookups that got no answer.',
    read: () => pwnedPasswords.unanswered(),
  })
}
