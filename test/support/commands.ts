import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { Environment, Finished } from './process.ts'

interface Host {
  readonly child: ChildProcess
  /** Rejects when a command ends the process. */
  readonly ended: Promise<never>
}

let host: Host | undefined
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
  host ??= startHost()
  const { child, ended } = host
  child.channel?.ref()
  child.send(command)
  const [finished] = await Promise.race([once(child, 'message'), ended])
  // Between commands it keeps nobody waiting; without this process it ends by itself.
  child.channel?.unref()
  child.unref()
  return finished as Finished
}

function startHost(): Host {
  const child = fork(resolve(import.meta.dirname, 'command-host.ts'), [], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    host = undefined
    throw new Error(`a command ended its process with ${code ?? signal}`)
  })
  // At the end of the run nobody waits for it.
  ended.catch(() => {})
  return { child, ended }
}
