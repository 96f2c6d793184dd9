import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { until } from './until.ts'

/** Debian keeps daemons where only root looks for them. */
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`
/** The end of what a program says is enough to tell why it failed. */
const KEPT_CHARS = 20_000

/** Why tests with these programs are skipped; false where they are there, and where they have to be. */
export function absent(...names: readonly string[]): string | false {
  if (process.env['CI'] === 'true') return false
  const name = names.find((one) => spawnSync('which', [one], { env: { PATH } }).status !== 0)
  return name !== undefined && `${name} is absent`
}

/**
 * Starts a program in the foreground, as `user` where we are root, and resolves once `port` takes
 * connections on 127.0.0.1. `await using` kills it.
 */
export async function startDebianProgram(
  name: string,
  args: readonly string[],
  options: {
    readonly port?: number
    readonly user?: { readonly uid: number; readonly gid: number }
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string>>
  } = {},
) {
  const { port, user, cwd = tmpdir(), env } = options
  const child = spawn(name, args, {
    ...(process.getuid?.() === 0 ? user : undefined),
    cwd,
    env: { PATH, LC_ALL: 'C.UTF-8', HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const keep = (chunk: Buffer) => (said = (said + chunk).slice(-KEPT_CHARS))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let failure: Error | undefined
  child.once('error', (error) => (failure = error))
  const hasEnded = () =>
    failure !== undefined || child.exitCode !== null || child.signalCode !== null

  async function stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (hasEnded()) return
    child.kill(signal)
    await once(child, 'exit')
  }
  const program = {
    pid: child.pid ?? 0,
    said: () => said,
    hasEnded,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
  if (port !== undefined)
    await listening(name, port, { hasEnded, explain: () => failure?.message ?? said })
  return program
}

async function listening(
  name: string,
  port: number,
  { hasEnded, explain }: { hasEnded: () => boolean; explain: () => string },
): Promise<void> {
  await until(
    () => `${name} on port ${port}: ${explain()}`,
    async () => {
      if (hasEnded()) throw new Error(`${name} ended: ${explain()}`)
      return await accepts(port)
    },
  )
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  void promise.finally(() => socket.destroy())
  return promise
}
