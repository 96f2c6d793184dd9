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
import type { ProcessOptions, Running } from './serve.ts'

const SHUTDOWN_MS = 15 * SECOND_MS
/** A delivery in progress may wait up to 50 seconds for a stalled mail server. */
const WORK_SHUTDOWN_MS = 60 * SECOND_MS

/** Answered also where `.env` is broken, and its owner asks for help. */
const ABOUT_THE_PROGRAM = /^(?:--version|-v|--help|-h)$/

try {
  const [command, ...rest] = process.argv.slice(2)
  if (!process.argv.some((argument) => ABOUT_THE_PROGRAM.test(argument))) loadDotEnv()
  // `npm run dev` passes --preview-mails.
  if (command === undefined || command === '--preview-mails') {
    const previewMails = command !== undefined
    const { serve } = await loadServe()
    await runProcess((options) => serve({ ...options, previewMails }), SHUTDOWN_MS)
  } else if (command === 'work' && rest.length === 0) {
    await runProcess((await loadServe()).work, WORK_SHUTDOWN_MS)
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

async function runProcess(
  start: (options: ProcessOptions) => Promise<Running>,
  shutdownMs: number,
): Promise<void> {
  const { config, secrets } = readConfig(process.env)
  const output = openOutput()
  const format = config.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json')
  const log = await createLogger({ level: config.logLevel, format }, output)
  log.info({ ...release(), node: process.versions.node }, `${program()} starts`)
  let running: Running | undefined
  let announced = false
  let stopping = false

  async function stop(exitCode: number): Promise<void> {
    // A second signal forces the exit.
    if (stopping) return exit(output, 1)
    stopping = true
    const deadline = setTimeout(() => {
      log.error('shutdown took too long')
      void exit(output, 1)
    }, shutdownMs)
    const complete = (await running?.stop()) ?? true
    clearTimeout(deadline)
    log.info('stopped')
    await exit(output, complete ? exitCode : 1)
  }
  /** A second signal ends the delay, and one during the shutdown forces the exit. */
  async function stopAfterDelay(): Promise<void> {
    if (running?.announceStop === undefined || announced || config.shutdownDelayMs === 0)
      return stop(0)
    announced = true
    running.announceStop()
    const seconds = config.shutdownDelayMs / SECOND_MS
    log.info(`stopping in ${seconds} s: /ready returns 503, and requests are still served`)
    await delay(config.shutdownDelayMs)
    if (!stopping) await stop(0)
  }
  const fail = (error: unknown) => {
    log.fatal({ err: error }, 'unexpected error, stopping')
    void stop(1).catch(() => exit(output, 1))
  }
  // SIGHUP: the controlling terminal was closed.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => void stopAfterDelay().catch(fail))
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)

  running = await start({ config, secrets, log, output })
  setTimeout(releaseStartupMemory, SECOND_MS).unref()
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
