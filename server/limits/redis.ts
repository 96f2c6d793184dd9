import { Redis } from 'ioredis'
import { SECOND_MS } from '../lib/units.ts'
import type { Logger } from '../lib/log.ts'

/** Redis, which replicas share their counts in, or the knowledge that it cannot be used now. */
export interface SharedCounts {
  readonly client: Redis
  /** False from the first fault until a write has worked: asked for nothing meanwhile. */
  readonly isUp: () => boolean
  /** For whoever met a fault. */
  readonly failed: (error: unknown) => void
  /**
   * Repeats a write that Redis did not take, before it is asked for anything again. One of each name; of
   * too many the oldest are dropped, and a restart drops all.
   */
  readonly owe: (name: string, write: () => Promise<unknown>) => void
  close(): void
}

export const REDIS_PREFIX = 'coffee-shop:limit'
const ANSWER_MAX_MS = 100
const PROBE_EVERY_MS = SECOND_MS
const OWED_MAX = 10_000

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
  const debts = createDebts()
  let up = false
  let told = false
  let probing = false

  function failed(error: unknown): void {
    up = false
    if (told) return
    told = true
    log.warn({ err: error }, 'Redis cannot be used: limits count in this process, at half')
  }
  async function probe(): Promise<void> {
    if (up || probing || client.status !== 'ready') return
    probing = true
    try {
      await inTime(client.set(`${REDIS_PREFIX}:probe`, 1, 'PX', SECOND_MS))
      await debts.settle()
      up = true
      if (told) log.info('Redis can be used again')
      told = false
    } catch (error) {
      failed(error)
      // Else what it never answers would pile up.
      if (error instanceof NoAnswerError) client.disconnect(true)
    } finally {
      probing = false
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
    owe: debts.owe,
    close() {
      clearInterval(timer)
      client.disconnect()
    },
  }
}

/** Throws when Redis takes no write within a second: for whoever asks once, and has time. */
export async function checkRedis(url: string): Promise<void> {
  const client = new Redis(url, {
    lazyConnect: true,
    commandTimeout: SECOND_MS,
    connectTimeout: SECOND_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    disableClientInfo: true,
  })
  // What `connect` throws says only that it did not work.
  let fault: unknown
  client.on('error', (error) => (fault = error))
  try {
    await client.connect()
    await client.set(`${REDIS_PREFIX}:probe`, 1, 'PX', SECOND_MS)
  } catch (error) {
    throw fault ?? error
  } finally {
    client.disconnect()
  }
}

function createDebts() {
  const owed = new Map<string, () => Promise<unknown>>()
  return {
    owe(name: string, write: () => Promise<unknown>): void {
      owed.set(name, write)
      const [oldest = name] = owed.keys()
      if (owed.size > OWED_MAX) owed.delete(oldest)
    },
    /** Those that come meanwhile, too: what cannot be written stays owed, and throws. */
    async settle(): Promise<void> {
      for (const [name, write] of owed) {
        await write()
        owed.delete(name)
      }
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
