import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, Server as PortServer } from 'node:net'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { App } from './http/fastify.ts'
import { listenForOperators, readingsOf } from './api/public/metrics.ts'
import { ConfigError } from './settings/config.ts'
import type { Context } from './context.ts'
import type { Loop } from './outbox/run.ts'
import { SECOND_MS } from './lib/units.ts'
import type { LocalCounts } from './limits/local.ts'
import type { Output } from './lib/log.ts'
import type { Reading } from './lib/metrics.ts'
import { openProcess, type OpenOptions, openSenders } from './open.ts'
import { makeFirstAdmin } from './accounts/admins.ts'
import { startWorker } from './worker.ts'

export interface ProcessOptions extends OpenOptions {
  readonly output: Output
  /** For `npm run dev`: see AppOptions. */
  readonly isDevelopment?: boolean
  /** Present in one of several processes. */
  readonly parent?: Parent | undefined
}

/** The process that started this one. */
export interface Parent {
  /** The counts of all its processes. */
  readonly localCounts: LocalCounts
  /** It answers operators, for all its processes. */
  operate(operated: Reported): void
}

/** What a process reports to its parent. */
export interface Reported {
  readings(): Promise<readonly Reading[]>
  /** The background loops that hang. */
  stuck(): readonly string[]
}

/** For clients that use their connections more often, none is closed while it sends a request. */
const LEAVE_MAX_MS = 5 * SECOND_MS
/** For requests in progress; mail and database must also close within the 15 s of the shutdown. */
const DRAIN_MAX_MS = 10 * SECOND_MS

export interface Running {
  /** Makes `/ready` answer 503; requests are still served. Absent where nobody asks for readiness. */
  announceStop?(): void
  /** Accepts no connections and ends the open ones with their next response; others serve the port. */
  leave?(): Promise<void>
  /** Replaces its processes one after the other. */
  restart?(): void
  /** Kills its processes. */
  kill?(): void
  /**
   * Stops accepting work, finishes work in progress and closes the database. False when it had to close
   * connections of clients that had stalled.
   */
  stop(): Promise<boolean>
}

/** Of an address of another machine, and of a name without an address. */
const UNKNOWN_HOST = new Set<string | undefined>(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'])

/** Stands for the worker while this process runs none. */
const NO_WORKER: Loop = { wake() {}, async stop() {} }

/** Migrates, creates the first admin and serves requests; with WORKER=inline also runs the background jobs. */
export async function serve(options: ProcessOptions): Promise<Running & { readonly url: string }> {
  const { config, secrets, log, isDevelopment = false, parent } = options
  let draining = false
  let leaving = false
  let worker = NO_WORKER
  const { ctx, close } = await openProcess(options, {
    serves: true,
    wakeMail: () => worker.wake(),
    localCounts: parent?.localCounts,
  })
  try {
    if (config.adminEmail !== undefined && secrets.adminPassword !== undefined) {
      await makeFirstAdmin(ctx, config.adminEmail, secrets.adminPassword)
    }
    // Imported here, because `npm run work` needs neither Fastify nor the endpoints.
    const { createApp } = await import('./app.ts')
    const app = createApp(ctx, {
      isDraining: () => draining,
      isLeaving: () => leaving,
      isDevelopment,
    })
    await listen(app, options)
    const metrics = await startMetrics(ctx, parent)
    if (config.worker === 'inline') worker = startWorker(ctx, await openSenders(options))
    const url = urlOf(config.host, app.server.address() as AddressInfo)
    const docs = config.docs ? `${url}/docs` : undefined
    const hint = docs === undefined ? '' : ` – documentation at ${docs}`
    log.info({ url, docs }, `Coffee Shop API listens on ${url}${hint}`)
    return {
      url,
      announceStop() {
        draining = true
      },
      async leave() {
        leaving = true
        await acceptNoMore(app)
      },
      async stop() {
        draining = true
        // In parallel: a stalled client and a stalled mail server together would exceed the timeout.
        const [complete] = await Promise.all([drain(app, ctx), worker.stop()])
        stopMetrics(metrics)
        // Errors of closed connections are logged one event loop turn after the server has closed.
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

/** Migrates and runs the background jobs; any number of workers may run concurrently. */
export async function work(options: ProcessOptions): Promise<Running> {
  let worker = NO_WORKER
  const { ctx, close } = await openProcess(options, {
    serves: false,
    wakeMail: () => worker.wake(),
  })
  try {
    const metrics = await startMetrics(ctx)
    worker = startWorker(ctx, await openSenders(options))
    options.log.info('Coffee Shop worker runs background jobs: mail and clean-up')
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

/** Suppresses Fastify's log line per address; `serve` logs one line with the documentation's URL. */
async function listen(app: App, { config, log }: ProcessOptions): Promise<void> {
  const { host, port } = config
  await app.ready()
  const { level } = log
  if (log.isLevelEnabled('info')) log.level = 'warn'
  // For these lines, Fastify asks for all addresses of the machine, which throws in a sandbox without
  // AF_NETLINK, such as a hardened systemd unit.
  const { networkInterfaces } = os
  os.networkInterfaces = () => ({})
  await app.listen({ host, port }).finally(() => {
    os.networkInterfaces = networkInterfaces
    log.level = level
  })
}

/** Resolves when all clients have gone, or may be sent away. */
async function acceptNoMore({ server }: App): Promise<void> {
  const gone = once(server, 'close', { signal: AbortSignal.timeout(LEAVE_MAX_MS) })
  // Not the method of HTTP, which closes idle connections, also those on which a request is on its way.
  PortServer.prototype.close.call(server)
  await gone.catch(() => {})
}

/** False when connections had to be closed. */
async function drain(app: App, { log }: Context): Promise<boolean> {
  let complete = true
  const cut = setTimeout(() => {
    complete = false
    log.warn('stopping: closing the remaining connections')
    app.server.closeAllConnections()
  }, DRAIN_MAX_MS)
  await app.close().finally(() => clearTimeout(cut))
  return complete
}

function startMetrics(ctx: Context, parent?: Parent): Promise<Server | undefined> {
  if (parent === undefined) return serveMetrics(ctx, (address) => listenForOperators(ctx, address))
  if (ctx.config.metricsPort !== undefined) {
    const readings = readingsOf(ctx, (metrics) => metrics.read())
    parent.operate({ readings, stuck: () => ctx.loops.stuck() })
  }
  return Promise.resolve(undefined)
}

/** Undefined without METRICS_PORT. */
export async function serveMetrics(
  { config, log }: Pick<OpenOptions, 'config' | 'log'>,
  listen: (address: { host: string; port: number }) => Promise<Server>,
): Promise<Server | undefined> {
  const { metricsHost: host, metricsPort: port } = config
  if (port === undefined) return undefined
  const server = await listen({ host, port }).catch((error: Error) => {
    throw new ConfigError([
      UNKNOWN_HOST.has((error as NodeJS.ErrnoException).code)
        ? 'METRICS_HOST is not an address of this machine'
        : `METRICS_PORT cannot be used: ${error.message}; each process needs a free port of its own`,
    ])
  })
  const address = server.address() as AddressInfo
  const url = urlOf(host, address)
  log.info({ port: address.port }, `metrics at ${url}/metrics, health at ${url}/health`)
  return server
}

export function stopMetrics(server: Server | undefined): void {
  server?.close()
  server?.closeAllConnections()
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
