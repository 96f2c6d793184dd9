import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isCleanUpOverdue } from '../../accounts/clean-up.ts'
import type { Context } from '../../context.ts'
import { withBudget } from '../../database/budget.ts'
import { isMailOverdue } from '../../outbox/backlog.ts'
import { findUnacceptedKeys, ownKeysOf } from '../../keys/keys-in-use.ts'
import type { Logger } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { MINUTE_MS } from '../../lib/units.ts'

const NANOSECONDS = 1e9
const LAG_RESOLUTION_MS = 20
const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** What operators ask of a process, or of several that have one parent. */
export interface Operated {
  /** Prometheus' text format 0.0.4. */
  scrape(): Promise<string>
  /** The background loops that hang. */
  stuck(): readonly string[] | Promise<readonly string[]>
  readonly log: Logger
}

interface Address {
  readonly host: string
  readonly port: number
}

/** Serves `/metrics` and `/health` on a port of their own, because they are for operators. */
export function listenForOperators(ctx: Context, address: Address): Promise<Server> {
  const read = readingsOf(ctx, (metrics) => metrics.expose())
  return serveOperators({ scrape: read, stuck: () => ctx.loops.stuck(), log: ctx.log }, address)
}

export async function serveOperators(operated: Operated, address: Address): Promise<Server> {
  // Imported here: an import reads each export of node:http, two of which load WebSocket and fetch.
  const { createServer } = await import('node:http')
  const server = createServer((request, response) => {
    const path = ['GET', 'HEAD'].includes(request.method ?? '') && request.url?.split('?')[0]
    if (path === '/health') void answerHealth(operated, response)
    else if (path === '/metrics') answerScrape(operated, response)
    else response.writeHead(404).end()
  })
  server.listen(address)
  await once(server, 'listening')
  return server
}

/**
 * Registers the metrics of a context. The function returned bounds what a scrape may wait for the database;
 * concurrent scrapes share one.
 */
export function readingsOf<Readings>(
  ctx: Context,
  read: (metrics: Metrics) => Promise<Readings>,
): () => Promise<Readings> {
  observe(ctx)
  observeDatabase(ctx)
  let reading: Promise<Readings> | undefined
  return () =>
    (reading ??= withBudget({ remainingMs: ctx.requestBudgetMs }, () => read(ctx.metrics)).finally(
      () => (reading = undefined),
    ))
}

function answerScrape({ scrape }: Operated, response: ServerResponse): void {
  scrape().then(
    (text) => response.writeHead(200, { 'content-type': TYPE }).end(text),
    () => response.writeHead(500).end(),
  )
}

/** Like liveness of the server, independent of the database, whose outage no restart ends. */
async function answerHealth({ stuck, log }: Operated, response: ServerResponse): Promise<void> {
  const loops = await stuck()
  if (loops.length > 0) log.error({ loops }, 'background jobs hang: restart this process')
  const body = loops.length === 0 ? { status: 'healthy' } : { status: 'stuck', loops }
  response
    .writeHead(loops.length === 0 ? 200 : 503, { 'content-type': 'application/json' })
    .end(JSON.stringify(body))
}

function observe({ metrics, hasher, limits, loops, pwnedPasswords }: Context): void {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  metrics.observeProcess()
  metrics.observe('event_loop_lag_seconds', {
    help: 'The 99th percentile since the previous scrape.',
    over: 'max',
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
    over: 'min',
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
  const observe = (name: string, help: string, isSo: () => Promise<boolean>, over?: 'min') =>
    metrics.observe(name, {
      help,
      over: over ?? 'max',
      read: () => isSo().then(Number, () => Number.NaN),
    })
  const canUseDatabase = () =>
    ctx.checkDatabase().then(
      () => true,
      () => false,
    )
  observe('database_up', '1 while this process can use the database.', canUseDatabase, 'min')
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
