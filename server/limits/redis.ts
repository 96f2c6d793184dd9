import { Redis } from 'ioredis'
import { SECOND_MS } from '../lib/units.ts'
import type { Logger } from '../lib/log.ts'
import type { CountStore } from './memory.ts'

/** Counts shared by replicas. While Redis is down, `add` rejects without sending a command. */
export interface SharedCounts extends CountStore {
  /** False from the first error until a write succeeds. */
  readonly isUp: () => boolean
  close(): void
}

const PREFIX = 'coffee-shop:limit'
const COMMAND_MAX_MS = 100
const PROBE_EVERY_MS = SECOND_MS

const CLIENT_OPTIONS = {
  // Limits a hanging handshake; callers are bounded by `inTime`.
  commandTimeout: SECOND_MS,
  connectTimeout: SECOND_MS,
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
}

/** The Lua equivalent of `changeWindow`. */
const ADD = `
local count = redis.call('incrby', KEYS[1], ARGV[1])
if count <= 0 then
  redis.call('del', KEYS[1])
  return {0, 0}
end
if redis.call('pttl', KEYS[1]) < 0 then redis.call('pexpire', KEYS[1], ARGV[2]) end
return {count, redis.call('pttl', KEYS[1])}`

/** Connects in the background and never throws, so that the startup does not wait for Redis. */
export function openRedis(url: string, log: Logger): SharedCounts {
  const client = new Redis(url, {
    ...CLIENT_OPTIONS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(times * COMMAND_MAX_MS, PROBE_EVERY_MS),
  })
  const { isUp, failed, stop } = watchRedis(client, log)
  return {
    async add(key, by, ttlMs) {
      if (!isUp()) throw DOWN
      try {
        const answer = await inTime(client.eval(ADD, 1, `${PREFIX}:${key}`, by, ttlMs))
        const [count, remainingMs] = answer as [number, number]
        return { count, remainingMs }
      } catch (error) {
        failed(error)
        throw error
      }
    },
    isUp,
    close() {
      stop()
      client.disconnect()
    },
  }
}

/**
 * A circuit breaker: down from the first error until a probe succeeds. The probe writes, because a
 * read-only replica and a full Redis still answer reads.
 */
function watchRedis(client: Redis, log: Logger) {
  let up = false
  let warned = false
  let probing = false

  function failed(error: unknown): void {
    up = false
    if (warned) return
    warned = true
    log.warn(
      { err: error },
      'Redis is unavailable: this process counts on its own, with half of each limit',
    )
  }
  async function probe(): Promise<void> {
    if (up || probing || client.status !== 'ready') return
    probing = true
    try {
      await inTime(writeProbe(client))
      up = true
      if (warned) log.info('Redis is available again')
      warned = false
    } catch (error) {
      failed(error)
      // Otherwise unanswered commands would pile up.
      if (error instanceof NoAnswerError) client.disconnect(true)
    } finally {
      probing = false
    }
  }
  client.on('error', failed)
  client.on('close', () => (up = false))
  client.on('ready', () => void probe())
  const timer = setInterval(() => void probe(), PROBE_EVERY_MS).unref()
  return { isUp: () => up, failed, stop: () => clearInterval(timer) }
}

/** Throws unless Redis accepts a write within a second; for the doctor command. */
export async function checkRedis(url: string): Promise<void> {
  const client = new Redis(url, {
    ...CLIENT_OPTIONS,
    lazyConnect: true,
    retryStrategy: () => null,
  })
  // The rejection of `connect` lacks the cause, which the `error` event has.
  let fault: unknown
  client.on('error', (error) => (fault = error))
  try {
    await client.connect()
    await writeProbe(client)
  } catch (error) {
    throw fault ?? error
  } finally {
    client.disconnect()
  }
}

function writeProbe(client: Redis): Promise<unknown> {
  return client.set(`${PREFIX}:probe`, 1, 'PX', SECOND_MS)
}

/** Shared, because creating a stack trace per request is expensive. */
const DOWN = new Error('Redis is down')

class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}

/** Rejects on a timeout; setImmediate lets a reply that arrived while this process was busy win. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new NoAnswerError(`no answer within ${COMMAND_MAX_MS} ms`))
    const timer = setTimeout(() => setImmediate(late), COMMAND_MAX_MS)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
