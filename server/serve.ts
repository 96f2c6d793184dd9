import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createApp } from './app.ts'
import type { App } from './http/fastify.ts'
import { listenForMetrics } from './api/public/metrics.ts'
import {
  type Config,
  ConfigError,
  configWarnings,
  dotEnvWarnings,
  type Secrets,
} from './settings/config.ts'
import { type Context, createContext } from './context.ts'
import type { Backend } from './database/connect.ts'
import { migrate, pendingMigrations, SchemaError } from './database/migrate.ts'
import { openDatabase } from './database/open.ts'
import type { Loop } from './outbox/run.ts'
import { SECOND_MS } from './lib/units.ts'
import { openRedis } from './limits/redis.ts'
import type { Logger, Output } from './lib/log.ts'
import { createMetrics } from './lib/metrics.ts'
import { createMailer } from './outbox/transports/mailer.ts'
import { createSmsSender } from './outbox/transports/sms-sender.ts'
import { makeFirstAdmin } from './accounts/admins.ts'
import { type Senders, startWorker } from './worker.ts'

export interface ProcessOptions {
  readonly config: Config
  readonly secrets: Secrets
  readonly log: Logger
  readonly output: Output
  /** Adds the page of example mails. */
  readonly previewMails?: boolean
}

/** For requests in hand; the mail and the database still have to be closed within the shutdown's 15 s. */
const DRAIN_MAX_MS = 10 * SECOND_MS

export interface Running {
  /**
   * Takes nothing more, lets what runs finish, closes the database. False when connections had to be
   * cut, because a client neither sent nor read what was left.
   */
  stop(): Promise<boolean>
}

/** Background work that is not this process's: it is woken for nothing, and there is nothing to stop. */
const ELSEWHERE: Loop = { wake() {}, async stop() {} }

/** Migrates, makes the first admin, listens, and with WORKER=inline does the background work, until stopped. */
export async function serve(options: ProcessOptions): Promise<Running & { readonly url: string }> {
  const { config, secrets, log, previewMails = false } = options
  let draining = false
  let worker = ELSEWHERE
  const { ctx, close } = await open(options, () => worker.wake())
  try {
    if (config.adminEmail !== undefined && secrets.adminPassword !== undefined) {
      await makeFirstAdmin(ctx, config.adminEmail, secrets.adminPassword)
    }
    const app = createApp(ctx, { isDraining: () => draining, previewMails })
    await listen(app, options)
    const metrics = await startMetrics(ctx)
    if (config.worker === 'inline') worker = startWorker(ctx, sendersOf(options))
    const url = addressOf(config, app.server.address() as AddressInfo)
    log.info(
      { url, docs: `${url}/docs` },
      `Coffee Shop API listens on ${url} – documentation at ${url}/docs`,
    )
    return {
      url,
      async stop() {
        draining = true
        let complete = true
        const cut = setTimeout(() => {
          complete = false
          log.warn('stopping: cutting the connections that are left')
          app.server.closeAllConnections()
        }, DRAIN_MAX_MS)
        // Side by side: one after the other, a client and a mail server that hang take too long.
        await Promise.all([app.close().finally(() => clearTimeout(cut)), worker.stop()])
        stopMetrics(metrics)
        // A connection that was cut says so, and is logged, a turn after the server has closed.
        await delay(1)
        await close()
        return complete
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Migrates and does the background work, beside any number of others, until stopped. */
export async function work(options: ProcessOptions): Promise<Running> {
  let worker = ELSEWHERE
  const { ctx, close } = await open(options, () => worker.wake())
  try {
    const metrics = await startMetrics(ctx)
    worker = startWorker(ctx, sendersOf(options))
    options.log.info('Coffee Shop worker sends mail and runs what recurs')
    return {
      async stop() {
        await worker.stop()
        stopMetrics(metrics)
        await close()
        return true
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** For commands: a context on the configured database, closed by the returned function. */
export async function openContext(
  options: Pick<ProcessOptions, 'config' | 'secrets' | 'log'>,
): Promise<{ ctx: Context; close: () => Promise<void> }> {
  const { config, secrets, log } = options
  const backend = await openDatabase(secrets.databaseUrl)
  try {
    await prepareSchema({ config, secrets, log }, backend)
    return {
      ctx: await createContext({ config, secrets, backend, log }),
      close: () => backend.close(),
    }
  } catch (error) {
    await backend.close()
    throw error
  }
}

async function open(
  { config, secrets, log }: ProcessOptions,
  wakeMail: () => void,
): Promise<{ ctx: Context; close: () => Promise<void> }> {
  for (const warning of [...configWarnings(config), ...dotEnvWarnings()]) log.warn(warning)
  const backend = await openDatabase(secrets.databaseUrl, {
    onIdleError: (error) => log.warn({ err: error }, 'idle database connection lost'),
  })
  const redis = secrets.redisUrl === undefined ? undefined : openRedis(secrets.redisUrl, log)
  const close = () => {
    redis?.close()
    return backend.close()
  }
  try {
    await prepareSchema({ config, secrets, log }, backend)
    const metrics = config.metricsPort === undefined ? undefined : createMetrics()
    const parts = { config, secrets, backend, log, redis, metrics, wakeMail }
    return { ctx: await createContext(parts), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startMetrics(ctx: Context): Promise<Server | undefined> {
  if (ctx.config.metricsPort === undefined) return undefined
  const server = await listenForMetrics(ctx, ctx.config.metricsPort).catch((error: Error) => {
    throw new ConfigError([`METRICS_PORT cannot be used: ${error.message}`])
  })
  const { port } = server.address() as AddressInfo
  ctx.log.info({ port }, `metrics at http://127.0.0.1:${port}/metrics`)
  return server
}

function stopMetrics(server: Server | undefined): void {
  server?.close()
  server?.closeAllConnections()
}

function sendersOf({ config, secrets, output }: ProcessOptions): Senders {
  return {
    mail: createMailer({ config, secrets, output }),
    sms: createSmsSender({ secrets, output }),
  }
}

async function prepareSchema(
  { config, secrets, log }: Pick<ProcessOptions, 'config' | 'secrets' | 'log'>,
  backend: Backend,
): Promise<void> {
  if (config.migrate) {
    const applied = await migrate(secrets.databaseUrl, backend)
    if (applied.length > 0) log.info({ applied }, 'database migrated')
    return
  }
  const pending = await pendingMigrations(backend.reader)
  if (pending.length > 0) {
    throw new SchemaError(
      `the database lacks migrations (${pending.join(', ')}): run npm run migrate, or set MIGRATE=on`,
    )
  }
}

/** Fastify would say for each address what our own line says with the documentation. */
async function listen(app: App, { config, log }: ProcessOptions): Promise<void> {
  const { host, port } = config
  await app.ready()
  const { level } = log
  if (log.isLevelEnabled('info')) log.level = 'warn'
  await app.listen({ host, port }).finally(() => (log.level = level))
}

function addressOf(config: Config, { port }: AddressInfo): string {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return `http://${host}:${port}`
}
