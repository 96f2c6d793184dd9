import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { Environment, Finished } from './process.ts'

let host: ChildProcess | undefined
let last: Promise<unknown> = Promise.resolve()

/**
 * Runs a command in a process that is kept for the next one: half a second of CPU goes into starting
 * the program. What concerns the process itself, such as errors that end it, is for `runProgram`.
 */
export function runInHost(args: readonly string[], env: Environment): Promise<Finished> {
  const finished = last.then(() => ask({ args, env }))
  last = finished.catch(() => {})
  return finished
}

async function ask(command: { args: readonly string[]; env: Environment }): Promise<Finished> {
  host ??= fork(resolve(import.meta.dirname, 'command-host.ts'), [], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  host.channel?.ref()
  host.send(command)
  const [finished] = await once(host, 'message')
  // Between commands it keeps nobody waiting; without this process it ends by itself.
  host.channel?.unref()
  host.unref()
  return finished as Finished
}
