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
const ANSWER_MAX_MS = 100
const PROBE_EVERY_MS = SECOND_MS

/**
 * Connects in the background and never throws: a start does not wait for Redis. After a fault nobody
 * waits for it again: a probe asks, and by writing, for a replica and a full Redis still read.
 */
export function openRedis(url: string, log: Logger): SharedCounts {
  const client = new Redis(url, {
    // So that a server which hangs during the handshake is asked anew; `inTime` is what callers wait.
    commandTimeout: SECOND_MS,
    connectTimeout: SECOND_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * ANSWER_MAX_MS, PROBE_EVERY_MS),
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
      await inTime(client.set(`${REDIS_PREFIX}:probe`, 1, 'PX', SECOND_MS))
      up = true
      if (told) log.info('Redis can be used again')
      told = false
    } catch (error) {
      failed(error)
      // Else what it never answers would pile up.
      if (error instanceof NoAnswerError) client.disconnect(true)
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

class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}

/** Rejects when Redis takes too long. When this process was busy, what has arrived meanwhile is read first. */
export function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new NoAnswerError(`no answer within ${ANSWER_MAX_MS} ms`))
    const timer = setTimeout(() => setImmediate(late), ANSWER_MAX_MS)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
