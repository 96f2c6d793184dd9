import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isCleanUpOverdue } from '../../accounts/clean-up.ts'
import type { Context } from '../../context.ts'
import { withBudget } from '../../database/budget.ts'
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
  observeDatabase(ctx)
  const scrape = createScrape(ctx)
  // Imported here: an import reads each export of node:http, two of which load WebSocket and fetch.
  const { createServer } = await import('node:http')
  const server = createServer((request, response) => {
    const path = ['GET', 'HEAD'].includes(request.method ?? '') && request.url?.split('?')[0]
    if (path === '/health') answerHealth(ctx, response)
    else if (path === '/metrics') answerScrape(scrape, response)
    else response.writeHead(404).end()
  })
  server.listen(address)
  await once(server, 'listening')
  return server
}

/** Bounds what a scrape may wait for the database; concurrent scrapes share one. */
function createScrape({ metrics, requestBudgetMs }: Context): () => Promise<string> {
  let scraping: Promise<string> | undefined
  return () =>
    (scraping ??= withBudget({ remainingMs: requestBudgetMs }, () => metrics.expose()).finally(
      () => (scraping = undefined),
    ))
}

function answerScrape(scrape: () => Promise<string>, response: ServerResponse): void {
  scrape().then(
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

function observe({ metrics, hasher, limits, loops, pwnedPasswords }: Context): void {
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
  metrics.observe('loops_stuck', {
    help: 'Background jobs of this process that have hung for two minutes.',
    read: () => loops.stuck().length,
  })
  metrics.observe('pwned_passwords_unanswered_total', {
    type: 'counter',
    help: 'Leaked-password lookups that got no answer.',
    read: () => pwnedPasswords.unanswered(),
  })
}

/** What the database tells; NaN while it does not, because a scrape must still expose the other metrics. */
function observeDatabase(ctx: Context): void {
  const { metrics, db } = ctx
  const observe = (name: string, help: string, isSo: () => Promise<boolean>) =>
    metrics.observe(name, { help, read: () => isSo().then(Number, () => Number.NaN) })
  observe('database_up', '1 while this process can use the database.', () =>
    ctx.checkDatabase().then(
      () => true,
      () => false,
    ),
  )
  observe('mail_overdue', '1 when a message has been due for more than a minute.', () =>
    isMailOverdue(db, ctx.now() - MINUTE_MS),
  )
  observe(
    'clean_up_overdue',
    '1 when the last clean-up is late by more than an hour, or was refused.',
    () => isCleanUpOverdue(ctx),
  )
  observe(
    'keys_differ',
    '1 while other processes use a SECRET_KEY that this one does not accept.',
    async () =>
      (await findUnacceptedKeys(db, ownKeysOf(ctx, { serves: false }), ctx.now())).length > 0,
  )
}
