import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runInHost } from './commands.ts'
import { SETTINGS } from './service.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** What `npm start` runs after `node`. */
export const START = [
  '--import',
  join(ROOT, 'server/require-node.mjs'),
  join(ROOT, 'server/main.ts'),
]
const PATIENCE_MS = 60_000

export type Environment = Readonly<Record<string, string | undefined>>

interface ProcessOptions {
  /** Instead of the cheap test settings; nothing of this process's environment is passed on. */
  readonly env?: Environment
  readonly cwd?: string
  /** Written to standard input, which is then closed. */
  readonly input?: string
  readonly execPath?: string
  readonly args?: readonly string[]
}

export interface Finished {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Program = ReturnType<typeof startProgram>

/** The program as a process of its own; `await using` kills what still runs. */
export function startProgram(options: ProcessOptions = {}) {
  const { env = SETTINGS, cwd = tmpdir(), input, execPath = process.execPath, args = [] } = options
  const child: ChildProcessWithoutNullStreams = spawn(execPath, [...START, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A program that ends without reading is no fault of the test.
  child.stdin.on('error', () => {})
  if (input !== undefined) child.stdin.end(input)
  let hasEnded = false
  const closed = once(child, 'close').then(() => {
    hasEnded = true
  })

  async function finished(): Promise<Finished> {
    await within(closed, () => `still runs\n${stdout}${stderr}`)
    return { exitCode: child.exitCode, stdout, stderr }
  }
  /** Waits for a match in what was printed, a minute at most. */
  async function printed(pattern: RegExp): Promise<RegExpExecArray> {
    const timeout = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const match = pattern.exec(stdout)
      if (match) return match
      assert.ok(!hasEnded, `ended without ${pattern}\n${stdout}${stderr}`)
      assert.ok(!timeout.aborted, `never printed ${pattern}\n${stdout}${stderr}`)
      // A program that prints nothing more is waited for no longer than one that does.
      const read = once(child.stdout, 'data', { signal: timeout }).catch(() => {})
      await Promise.race([read, closed])
    }
  }

  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    finished,
    printed,
    /** The base URL, once it listens. */
    url: async () => (await printed(/"url":"(http:[^"]+)"/))[1] ?? '',
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await closed
    },
  }
}

/** Runs a command to its end. */
export async function runProgram(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Finished> {
  await using program = startProgram({ input: '', ...options, args })
  return await program.finished()
}

/**
 * Runs a command on the database of a service; with an `input`, be it empty, as a process of its own,
 * which also prints the errors that end it.
 */
export function runOn(
  { databaseUrl }: { readonly databaseUrl: string },
  args: readonly string[],
  { input, settings = {} }: { input?: string; settings?: Environment } = {},
): Promise<Finished> {
  const env = { ...SETTINGS, DATABASE_URL: databaseUrl, ...settings }
  return input === undefined ? runInHost(args, env) : runProgram(args, { env, input })
}

/** An empty folder that is gone at the end of the block. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'coffee-shop-folder-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

async function within<T>(operation: Promise<T>, explain: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(explain())), PATIENCE_MS)
  })
  try {
    return await Promise.race([operation, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
