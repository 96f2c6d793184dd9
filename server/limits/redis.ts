import { Redis } from 'ioredis'
import { SECOND_MS } from '../lib/units.ts'
import type { Logger } from '../lib/log.ts'
import type { CountStore } from './memory.ts'

/** The counts that replicas share. While Redis cannot be used, `add` rejects and asks it for nothing. */
export interface SharedCounts extends CountStore {
  /** False from the first fault until a write has worked. */
  readonly isUp: () => boolean
  close(): void
}

const PREFIX = 'coffee-shop:limit'
const ANSWER_MAX_MS = 100
const PROBE_EVERY_MS = SECOND_MS

const CLIENT_OPTIONS = {
  // A server that hangs during the handshake is asked again; callers wait only for `inTime`.
  commandTimeout: SECOND_MS,
  connectTimeout: SECOND_MS,
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
}

/** See `changeWindow`, which is the same for the memory of a process. */
const ADD = `
local count = redis.call('incrby', KEYS[1], ARGV[1])
if count <= 0 then
  redis.call('del', KEYS[1])
  return {0, 0}
end
if redis.call('pttl', KEYS[1]) < 0 then redis.call('pexpire', KEYS[1], ARGV[2]) end
return {count, redis.call('pttl', KEYS[1])}`

/** Connects in the background and never throws: a start does not wait for Redis. */
export function openRedis(url: string, log: Logger): SharedCounts {
  const client = new Redis(url, {
    ...CLIENT_OPTIONS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(times * ANSWER_MAX_MS, PROBE_EVERY_MS),
  })
  const { isUp, failed, stop } = watchRedis(client, log)
  return {
    async add(key, by, ttlMs) {
      if (!isUp()) throw DOWN
      try {
        const answer = await inTime(client.eval(ADD, 1, `${PREFIX}:${key}`, by, ttlMs))
        const [count, msLeft] = answer as [number, number]
        return { count, msLeft }
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
 * Down from the first fault until a probe has worked, so that no request waits for Redis meanwhile. The
 * probe writes, since a replica and a full Redis still answer reads.
 */
function watchRedis(client: Redis, log: Logger) {
  let up = false
  let warned = false
  let probing = false

  function failed(error: unknown): void {
    up = false
    if (warned) return
    warned = true
    log.warn({ err: error }, 'Redis cannot be used: limits count in this process, at half')
  }
  async function probe(): Promise<void> {
    if (up || probing || client.status !== 'ready') return
    probing = true
    try {
      await inTime(writeProbe(client))
      up = true
      if (warned) log.info('Redis can be used again')
      warned = false
    } catch (error) {
      failed(error)
      // Commands that it never answers would pile up.
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

/** Throws when Redis takes no write within a second: for a command, which asks once and has time. */
export async function checkRedis(url: string): Promise<void> {
  const client = new Redis(url, {
    ...CLIENT_OPTIONS,
    lazyConnect: true,
    retryStrategy: () => null,
  })
  // The error of `connect` says only that it did not work.
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

/** One for all: a request must not pay for a stack. */
const DOWN = new Error('Redis is down')

class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}

/** Rejects when Redis takes too long. An answer that arrived while this process was busy is read first. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new NoAnswerError(`no answer within ${ANSWER_MAX_MS} ms`))
    const timer = setTimeout(() => setImmediate(late), ANSWER_MAX_MS)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
