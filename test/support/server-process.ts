import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { SETTINGS } from './service.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const REQUIRE_NODE = pathToFileURL(resolve(ROOT, 'server/require-node.mjs')).href
const MAIN = resolve(ROOT, 'server/main.ts')

export interface WorkerProcess {
  readonly pid: number
  /** Everything printed so far, line by line. */
  readonly lines: readonly string[]
  /** As a power cut: SIGKILL; resolves when it is gone and its last line was read. */
  kill(): Promise<void>
  /** Sends it a signal that does not end it at once. */
  signal(name: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void
  /** Asks it to end, and resolves as `ended`. */
  end(): Promise<number | null>
  /** After SIGSTOP, whoever sent it. */
  isStopped(): boolean
  /** Resolves when it is gone, to its exit code. */
  readonly ended: Promise<number | null>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ServerProcess extends WorkerProcess {
  readonly url: string
}

/** Calls `onLine` for each line that the server prints. Resolves once it listens, on a free port by default. */
export async function startServer(
  settings: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Promise<ServerProcess> {
  const ready = /listens on (http:\/\/[\d.:]+)/
  const { started, ...server } = await start([], { PORT: '0', ...settings }, { ready, onLine })
  return { ...server, url: started[1] ?? '' }
}

/** The same for `npm run work`. */
export async function startWorkerProcess(
  settings: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Promise<WorkerProcess> {
  const { started: _, ...worker } = await start(['work'], settings, {
    ready: /worker runs/,
    onLine,
  })
  return worker
}

async function start(
  args: readonly string[],
  settings: Record<string, string>,
  { ready, onLine }: { ready: RegExp; onLine: (line: string) => void },
): Promise<WorkerProcess & { readonly started: RegExpExecArray }> {
  const child = launch(args, settings)
  const lines: string[] = []
  const output = createInterface({ input: child.stdout })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk))
  const starting = new Promise<RegExpExecArray>((heard, failed) => {
    output.on('line', (line) => {
      lines.push(line)
      onLine(line)
      const match = ready.exec(line)
      if (match !== null) heard(match)
    })
    child.once('error', failed)
    child.once('exit', (code) => failed(new Error(`it ended with ${code}: ${errors}`)))
  })
  const ended = once(child, 'close').then(() => child.exitCode)
  const started = await starting
  async function kill() {
    child.kill('SIGKILL')
    await ended
  }
  const signal = (name: NodeJS.Signals) => void child.kill(name)
  const end = () => {
    signal('SIGTERM')
    return ended
  }
  const pid = child.pid ?? 0
  const process = {
    pid,
    lines,
    kill,
    signal,
    end,
    isStopped: () => isStopped(pid),
    ended,
    [Symbol.asyncDispose]: kill,
  }
  return { started, ...process }
}

/** After SIGSTOP, once it has arrived. */
export function isStopped(pid: number): boolean {
  return /^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

/** Runs one command of the program to its end. */
export async function runCommand(args: readonly string[], settings: Record<string, string>) {
  const child = launch(args, settings)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk))
  const [exitCode] = await once(child, 'close')
  return { exitCode: exitCode as number | null, output }
}

/** The program in a process of its own, away from the .env of whoever runs the tests. */
export function launch(args: readonly string[], settings: Record<string, string>) {
  assert.ok(settings['DATABASE_URL'], 'a process of its own needs a DATABASE_URL of its own')
  const child = spawn(process.execPath, ['--import', REQUIRE_NODE, MAIN, ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '', ...SETTINGS, LOG_FORMAT: 'json', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return child
}
