import { type ChildProcess, fork, type Serializable, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { childrenOf } from '../test/support/children.ts'
import type { Outcome } from './load.ts'

export const ROOT = resolve(import.meta.dirname, '..')
const started = new Set<ChildProcess>()
// A bench that is interrupted leaves no process behind.
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(1))

const TICK_MS = 10
const NS_PER_MS = 1e6
const POLL_MS = 5
const PATIENCE_MS = 60_000

export interface Server {
  readonly url: string
  readonly pid: number
  /** From the start of the process to its first 200. */
  readonly startWallMs: number
  readonly startCpuMs: number
  stop(): Promise<void>
}

interface StartOptions {
  readonly port: number
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Its working folder, where its output goes to the file `log`. */
  readonly folder: string
  /** Answers 200 once it serves. */
  readonly path?: string
}

/** Starts a server as a process whose output goes to a file, and waits for its first 200. */
export async function startServer(options: StartOptions): Promise<Server> {
  const { port, args, env, folder, path = '/health' } = options
  const file = resolve(folder, 'log')
  const output = openSync(file, 'a')
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORT: String(port), ...env },
    stdio: ['ignore', output, output],
  })
  started.add(child)
  closeSync(output)
  const url = `http://127.0.0.1:${port}`
  try {
    while (!(await answers(url + path))) {
      const ended = child.exitCode !== null || child.signalCode !== null
      if (ended || performance.now() - startedAt > PATIENCE_MS)
        throw new Error(`${args.join(' ')} does not serve:\n${readFileSync(file, 'utf8')}`)
      await delay(POLL_MS)
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  const pid = child.pid ?? 0
  return {
    url,
    pid,
    startWallMs: performance.now() - startedAt,
    startCpuMs: cpuMsOf(pid),
    stop: () => end(child),
  }
}

/** Runs a command of a program to its end. */
export function runCommand({ args, env, folder }: Omit<StartOptions, 'port'>): void {
  const options = {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args], options)
  if (status !== 0) throw new Error(`${args.join(' ')} fails:\n${stdout}${stderr}`)
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined)
  await answer?.arrayBuffer()
  return answer?.ok ?? false
}

/** Ends a process, which has no work left that a bench would wait for. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  started.delete(child)
}

/** CPU time of a process with all its threads, and of the processes that it started. */
export function cpuMsOf(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => sum + cpuMsOf(child), threadsMs(pid))
}

/** In nanoseconds, unless the kernel counts ticks only. */
function threadsMs(pid: number): number {
  const folder = `/proc/${pid}/task`
  let ns = 0
  for (const thread of readdirSync(folder)) {
    try {
      ns += Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // It has ended.
    }
  }
  return ns === 0 ? ticksMs(pid) : ns / NS_PER_MS
}

function ticksMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // After the name, which may contain anything: state, parent, …, utime and stime (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/**
 * Runs a process, its threads and its child processes on one core, or on all again. Without it, load and server meet
 * on one core now and then, and the server pays for the load’s traces in the caches.
 */
export function pin(pid: number, core: number | undefined): void {
  const cores = core === undefined ? `0-${availableParallelism() - 1}` : String(core)
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)])
  for (const child of childrenOf(pid)) pin(child, core)
}

/** The most memory that a process ever had resident. */
export function peakRssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

/** A process of this folder that answers each message with one message. */
export function startHelper<Answer>(file: string) {
  const child = fork(resolve(import.meta.dirname, file))
  started.add(child)
  return {
    pid: child.pid ?? 0,
    async ask(question: Serializable): Promise<Answer> {
      const answered = once(child, 'message')
      child.send(question)
      const [answer] = await answered
      return answer
    },
    stop: () => end(child),
  }
}

export type LoadGenerator = ReturnType<typeof startHelper<Outcome>>
