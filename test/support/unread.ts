import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './cluster.ts'
import { START } from './process.ts'

/** Far more lines than the pipe and the MiB of the output hold. */
const REQUESTS = 6000

/** Production settings: nothing is set but the port. */
export const unset = (port: number) => ({ PORT: String(port), LOG_FORMAT: 'json' })

export async function firstAnswer(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if (answer?.status === 200) return
    await delay(5)
  }
}

/** A server whose log goes into a pipe that nobody reads. */
export async function startUnread(cwd: string) {
  const port = await freePort()
  const child = spawn(process.execPath, START, {
    cwd,
    env: { PATH: process.env['PATH'], ...unset(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await firstAnswer(`http://127.0.0.1:${port}`)
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  /** Without a token; returns the status. */
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      get({ port, path: '/api/v1/me', agent }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
      }).once('error', reject)
    })
  return {
    pid: child.pid,
    async fillPipe(each: (send: typeof ask) => Promise<void>): Promise<void> {
      for (let count = 0; count < REQUESTS; count++) await each(ask)
    },
    /** As an operator or a container does. */
    async stop(): Promise<void> {
      agent.destroy()
      child.kill('SIGTERM')
      await ended
    },
    async [Symbol.asyncDispose]() {
      agent.destroy()
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}
