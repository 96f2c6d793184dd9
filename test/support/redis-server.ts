import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './cluster.ts'
import { absent } from './programs.ts'

export const missing = absent('redis-server')

export type RedisServer = Awaited<ReturnType<typeof startRedis>>

/** A real redis-server on a loopback port, which keeps nothing. `await using` ends it. */
export async function startRedis() {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-redis-'))
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const options = ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder]
    child = spawn('redis-server', ['--bind', '127.0.0.1', ...options], { stdio: 'ignore' })
    child.once('error', () => {})
    const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
    client.on('error', () => {})
    await client.ping()
    client.disconnect()
  }
  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  /** One command, on a connection of its own. */
  async function command(name: string, ...args: string[]): Promise<unknown> {
    const client = new Redis(url)
    try {
      return await client.call(name, ...args)
    } finally {
      client.disconnect()
    }
  }
  await start()
  return {
    url,
    start,
    kill,
    /** Stopped, it takes connections and answers nothing. */
    signal: (name: 'SIGSTOP' | 'SIGCONT') => void child?.kill(name),
    command,
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
