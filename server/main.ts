import cluster from 'node:cluster'
import { closeSync, openSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from './cli/run.ts'
import { ConfigError, readConfig } from './settings/config.ts'
import { readDotEnv } from './settings/environment.ts'
import { databaseProblem, SchemaError } from './database/problems.ts'
import { AppError } from './errors.ts'
import { createLogger, openOutput, type Output, OutputStuckError } from './lib/log.ts'
import { releaseStartupMemory } from './lib/memory.ts'
import { program, release } from './lib/program.ts'
import { SECOND_MS } from './lib/units.ts'
import type { ConnectedParent } from './cluster.ts'
import type { ProcessOptions, Running } from './serve.ts'

const SHUTDOWN_MS = 15 * SECOND_MS
/** Of several processes each reports by itself what it could not finish, before its parent kills it. */
const CHILD_SHUTDOWN_MS = 14 * SECOND_MS
/** A delivery in progress may wait up to 50 seconds for a stalled mail server. */
const WORK_SHUTDOWN_MS = 60 * SECOND_MS

/** Answered also where `.env` is broken, and its owner asks for help. */
const ABOUT_THE_PROGRAM = /^(?:--version|-v|--help|-h)$/

/** Started by `serveInProcesses`, not by the cluster of a process manager. */
const { CHILD_STARTS: childStarts } = process.env
const isChild = cluster.isWorker && childStarts !== undefined

/** Variables that `.env` has set: processes that are started later read it anew. */
let fromDotEnv: readonly string[] = []

try {
  const [command, ...rest] = process.argv.slice(2)
  if (!process.argv.some((argument) => ABOUT_THE_PROGRAM.test(argument))) loadDotEnv()
  // `npm run dev` passes --dev.
  if (command === undefined || command === '--dev') {
    const isDevelopment = command !== undefined
    const shutdownMs = isChild ? CHILD_SHUTDOWN_MS : SHUTDOWN_MS
    const start = (options: ProcessOptions) => startServer({ ...options, isDevelopment })
    await runProcess(start, { shutdownMs, isServer: true })
  } else if (command === 'work' && rest.length === 0) {
    const { work: start } = await loadServe()
    await runProcess(start, { shutdownMs: WORK_SHUTDOWN_MS, isServer: false })
  }
  // `npm run cli --` passes `cli`: without a command, it lists the commands instead of starting the server.
  else if (command === 'cli') process.exitCode = await run(rest, process.env)
  else process.exitCode = await run([command, ...rest], process.env)
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}

/** Imported dynamically, because commands need neither Fastify nor the endpoints. */
function loadServe() {
  return import('./serve.ts')
}

async function startServer(options: ProcessOptions): Promise<Running | undefined> {
  if (options.config.processes === 1 || isChild) return (await loadServe()).serve(options)
  const { serveInProcesses } = await import('./cluster.ts')
  const environment = Object.fromEntries(fromDotEnv.map((name) => [name, undefined]))
  return serveInProcesses({ ...options, environment })
}

/** `start` resolves to undefined if it could not, and has told why. */
async function runProcess(
  start: (options: ProcessOptions) => Promise<Running | undefined>,
  { shutdownMs, isServer }: { readonly shutdownMs: number; readonly isServer: boolean },
): Promise<void> {
  const { config, secrets } = readConfig(process.env)
  const output = openOutput(1, { isShared: config.processes > 1 })
  const format = config.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json')
  const log = await createLogger({ level: config.logLevel, format }, output)
  if (!isChild) log.info({ ...release(), node: process.versions.node }, `${program()} starts`)
  let running: Running | undefined
  const ending = createEnding({ config, log, output, shutdownMs }, () => running)
  process.on('uncaughtException', ending.fail)
  process.on('unhandledRejection', ending.fail)
  let parent: ConnectedParent | undefined
  if (isChild) parent = await obeyParent(ending, () => running)
  else if (isServer && config.processes > 1) obeySignals(ending, () => running?.restart?.())
  else obeySignals(ending)

  const { level } = log
  // Another process has logged the same.
  if (childStarts === 'silently' && log.isLevelEnabled('warn')) log.level = 'error'
  running = await start({ config, secrets, log, output, parent })
  log.level = level
  if (running === undefined) return exit(output, 1)
  parent?.started()
  setTimeout(tidyUpAfterStart, SECOND_MS).unref()
}

function tidyUpAfterStart(): void {
  // A process that is killed would keep nothing of what it compiled. The first start writes 1500 files, which
  // holds the event loop for up to a second; later ones need 1 ms.
  flushCompileCache()
  releaseStartupMemory()
}

interface EndingParts extends Pick<ProcessOptions, 'config' | 'log' | 'output'> {
  readonly shutdownMs: number
}

type Ending = ReturnType<typeof createEnding>

function createEnding(
  { config, log, output, shutdownMs }: EndingParts,
  running: () => Running | undefined,
) {
  let announced = false
  let stopping = false

  function end(exitCode: number): Promise<never> {
    running()?.kill?.()
    return exit(output, exitCode)
  }
  async function stop(exitCode: number): Promise<void> {
    // A second signal forces the exit.
    if (stopping) return end(1)
    stopping = true
    const deadline = setTimeout(() => {
      log.error('shutdown took too long')
      void end(1)
    }, shutdownMs)
    const complete = (await running()?.stop()) ?? true
    clearTimeout(deadline)
    if (!isChild) log.info('stopped')
    await end(complete ? exitCode : 1)
  }
  return {
    isStopping: () => stopping,
    stop,
    /** A second signal ends the delay, and one during the shutdown forces the exit. */
    async stopAfterDelay(): Promise<void> {
      const announceStop = running()?.announceStop
      if (announceStop === undefined || announced || config.shutdownDelayMs === 0) return stop(0)
      announced = true
      announceStop()
      const seconds = config.shutdownDelayMs / SECOND_MS
      log.info(`stopping in ${seconds} s: /ready returns 503, and requests are still served`)
      await delay(config.shutdownDelayMs)
      if (!stopping) await stop(0)
    },
    fail(error: unknown): void {
      log.fatal({ err: error }, 'unexpected error, stopping')
      void stop(1).catch(() => end(1))
    },
  }
}

/** Where there is something to restart, SIGHUP stops only when the terminal of the start has been closed. */
function obeySignals({ stopAfterDelay, fail }: Ending, restart?: () => void): void {
  const stop = () => void stopAfterDelay().catch(fail)
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const startedInTerminal = hasTerminal()
  process.on('SIGHUP', () => {
    if (restart === undefined || (startedInTerminal && !hasTerminal())) stop()
    else restart()
  })
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

/** Signals to the group of processes are for the parent, which gives the orders. */
async function obeyParent(
  { isStopping, stop, fail }: Ending,
  running: () => Running | undefined,
): Promise<ConnectedParent> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
  const { connectToParent } = await import('./cluster.ts')
  const stopOnce = async () => {
    if (!isStopping()) await stop(0)
  }
  return connectToParent({
    announceStop: () => running()?.announceStop?.(),
    leave: () => void Promise.resolve(running()?.leave?.()).then(stopOnce).catch(fail),
    stop: () => void stopOnce().catch(fail),
  })
}

/** Flushes the log before the exit. With a stalled reader, `exit()` would block on the writer thread. */
async function exit(output: Output, exitCode: number): Promise<never> {
  await output.flush().catch((error: unknown) => {
    if (error instanceof OutputStuckError) process.kill(process.pid, 'SIGKILL')
  })
  process.exit(exitCode)
}

/** Variables from the environment take precedence over those in `.env`. */
function loadDotEnv(): void {
  const { values, problems } = readDotEnv()
  fromDotEnv = Object.keys(values).filter((name) => process.env[name] === undefined)
  for (const [name, value] of Object.entries(values)) process.env[name] ??= value
  // Throws, together with the mistakes of all other settings.
  if (problems.length > 0) readConfig(process.env, { found: problems })
}

/** An actionable message for the operator; a stack trace only for unexpected errors. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return `Cannot start:\n${error.message.replace(/^/gm, '  ')}`
  if (error instanceof SchemaError) return `Cannot start: ${error.message}`
  const problem = databaseProblem(error)
  if (problem !== undefined) return `Cannot start:\n  ${problem}`
  if (error instanceof AppError) return `Cannot start: ${error.message}${cause(error)}`
  if (error instanceof Error && 'code' in error) {
    if (error.code === 'EADDRINUSE') {
      const { address, port } = error as { address?: string; port?: number }
      return `Cannot start:\n  PORT ${port} is already in use on ${address}; stop the other program or set PORT to a free port`
    }
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
      return 'Cannot start:\n  HOST is not an address of this machine'
  }
  // The message of a system error names the port, address or path.
  if (error instanceof Error && 'syscall' in error) return `Cannot start: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : 'Cannot start'
}

function cause(error: AppError): string {
  return error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : ''
}
