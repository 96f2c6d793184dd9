import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { SETTINGS } from './service.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const REQUIRE_NODE = pathToFileURL(resolve(ROOT, 'server/require-node.mjs')).href
const MAIN = resolve(ROOT, 'server/main.ts')

export interface ServerProcess {
  readonly pid: number
  readonly url: string
  /** Everything printed so far, line by line. */
  readonly lines: readonly string[]
  /** As a power cut: SIGKILL; resolves when it is gone and its last line was read. */
  kill(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Calls `onLine` for each line that the server prints. Resolves once it listens. */
export async function startServer(
  settings: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Promise<ServerProcess> {
  const child = launch([], { ...settings, PORT: '0' })
  const lines: string[] = []
  const output = createInterface({ input: child.stdout })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk))
  const listening = new Promise<string>((heard, failed) => {
    output.on('line', (line) => {
      lines.push(line)
      onLine(line)
      const url = /listens on (http:\/\/[\d.:]+)/.exec(line)?.[1]
      if (url !== undefined) heard(url)
    })
    child.once('error', failed)
    child.once('exit', (code) => failed(new Error(`server ended with ${code}: ${errors}`)))
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const url = await listening
  async function kill() {
    child.kill('SIGKILL')
    await closed
  }
  return { pid: child.pid ?? 0, url, lines, kill, [Symbol.asyncDispose]: kill }
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
