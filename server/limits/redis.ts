import { Redis } from 'ioredis'
import type { Logger } from '../lib/log.ts'
import { createPacer } from '../lib/pacer.ts'
import { reasonOf } from '../lib/reasons.ts'
import { MINUTE_MS, SECOND_MS } from '../lib/units.ts'
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
/** So many keys are on every node of a cluster, which refuses those of other nodes. */
const PROBE_KEYS = 8
const REASON_EVERY_MS = MINUTE_MS

const CLIENT_OPTIONS = {
  // Limits a hanging handshake; callers are bounded by `inTime`.
  commandTimeout: SECOND_MS,
  connectTimeout: SECOND_MS,
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
  // The probe says more, also to a user who may not ask for INFO.
  enableReadyCheck: false,
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
 * A circuit breaker: down from the first error until a probe succeeds, which counts as requests do. An
 * outage has one line, and another each minute if its reason changes.
 */
function watchRedis(client: Redis, log: Logger) {
  let up = false
  let warned: string | undefined
  let probing = false
  const isReasonDue = createPacer(() => performance.now(), REASON_EVERY_MS)

  function failed(error: unknown): void {
    up = false
    const reason = redisProblem(error)
    if (reason === warned) return
    if (!isReasonDue() && warned !== undefined) return
    warned = reason
    log.warn(
      { reason },
      'Redis is unavailable: this process counts on its own, with half of each limit',
    )
  }
  async function probe(): Promise<void> {
    if (up || probing || client.status !== 'ready') return
    probing = true
    try {
      await inTime(countProbes(client))
      up = true
      if (warned !== undefined) log.info('Redis is available again')
      warned = undefined
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

/** Throws unless Redis counts within a second; for the doctor command. */
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
    await countProbes(client)
  } catch (error) {
    throw fault ?? error
  } finally {
    client.disconnect()
  }
}

/** Says what Redis refuses and what to do; for the log and the doctor command. */
export function redisProblem(error: unknown): string {
  const reason = reasonOf(error)
  if (/^(?:MOVED|ASK|CLUSTERDOWN) /.test(reason))
    return 'a Redis Cluster is not supported: use one server'
  if (/^ERR unknown command .?eval/i.test(reason))
    return 'it does not know EVAL: a Redis Sentinel is not supported, use the address of the server'
  if (reason.startsWith('NOAUTH ')) return 'it requires a password in REDIS_URL'
  return reason
}

/** Throws what a count of a request would, whatever its key. */
async function countProbes(client: Redis): Promise<void> {
  const { db } = client.options
  // Redis stays in database 0 when it refuses another one.
  if (db) await client.select(db)
  const keys = Array.from({ length: PROBE_KEYS }, (_, n) => `${PREFIX}:probe:${n}`)
  await Promise.all(keys.map((key) => client.eval(ADD, 1, key, 1, SECOND_MS)))
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
