import { Redis } from 'ioredis'
import { SECOND_MS } from '../lib/units.ts'
import type { Logger } from '../log.ts'

/** Redis, which replicas share their counts in, or the knowledge that it cannot be used now. */
export interface SharedCounts {
  readonly client: Redis
  /** False from the first fault until a write has worked: asked for nothing meanwhile. */
  readonly isUp: () => boolean
  /** For whoever met a fault. */
  readonly failed: (error: unknown) => void
  close(): void
}

export const REDIS_PREFIX = 'coffee-shop:limit'
const COMMAND_MAX_MS = 100
const PROBE_EVERY_MS = SECOND_MS

/**
 * Connects in the background and never throws: a start does not wait for Redis. After a fault nobody
 * waits for it again: a probe asks, and by writing, for a replica and a full Redis still read.
 */
export function openRedis(url: string, log: Logger): SharedCounts {
  const client = new Redis(url, {
    commandTimeout: COMMAND_MAX_MS,
    connectTimeout: SECOND_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * COMMAND_MAX_MS, PROBE_EVERY_MS),
    disableClientInfo: true,
  })
  let up = false
  let told = false

  function failed(error: unknown): void {
    up = false
    if (told) return
    told = true
    log.warn({ err: error }, 'Redis cannot be used: limits count in this process, at half')
  }
  async function probe(): Promise<void> {
    if (up || client.status !== 'ready') return
    try {
      await client.set(`${REDIS_PREFIX}:probe`, 1, 'PX', SECOND_MS)
      up = true
      if (told) log.info('Redis can be used again')
      told = false
    } catch (error) {
      failed(error)
      // Else what it never answers would pile up.
      if (isTimeout(error)) client.disconnect(true)
    }
  }
  client.on('error', failed)
  client.on('close', () => (up = false))
  client.on('ready', () => void probe())
  const timer = setInterval(() => void probe(), PROBE_EVERY_MS).unref()

  return {
    client,
    isUp: () => up,
    failed,
    close() {
      clearInterval(timer)
      client.disconnect()
    },
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out'
}
