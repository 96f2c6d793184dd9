import type { Config } from '../settings/config.ts'
import { AppError, type LimitReached } from '../errors.ts'
import { type KeyRing, mac } from '../keys/key-ring.ts'
import type { Metrics } from '../lib/metrics.ts'
import { type Limit, type LimitName, LIMITS } from './limits.ts'
import { type Count, type CountStore, createMemoryStore } from './memory.ts'
import type { SharedCounts } from './redis.ts'
import { type Backoff, halfOf, pauseMs, toSeconds } from './windows.ts'

/** No method throws because of Redis. */
export interface Limits {
  /** Counts one attempt. Atomic: of N concurrent attempts at most `points` are within the limit. */
  take(name: LimitName, key: string): Promise<Taken>
  /** Like `take`, but throws `too_many_requests` beyond the limit. */
  takeOrRefuse(name: LimitName, key: string): Promise<Taken>
  /** Resets the count. */
  clear(name: LimitName, key: string): Promise<void>
  /** The store in use. */
  readonly store: () => 'memory' | 'redis' | 'redis_unavailable'
}

/** One counted attempt. */
export interface Taken {
  /** Reverts the count. */
  refund(): Promise<void>
  /**
   * Present when the attempt exceeds the limit; the caller may still allow it. Counts the refusal and
   * returns the data of the 429 response.
   */
  readonly refuse: (() => Promise<LimitReached>) | undefined
}

interface LimitParts {
  readonly config: Pick<Config, 'rateLimit' | 'smsMaxPerHour'>
  readonly keys: KeyRing
  readonly metrics: Metrics
  readonly now: () => number
  /** The caller closes it. */
  readonly redis?: SharedCounts | undefined
}

/** The counts of one key of a limit in one store. */
interface Counts {
  readonly limit: Limit
  /** The attempts that this store allows. */
  readonly points: number
  add(part: Part, by: number, ttlMs: number): Promise<Count>
}

const PARTS = ['tries', 'refusals', 'pause', 'pauses'] as const
type Part = (typeof PARTS)[number]

/** Exceeds any count: subtracting it deletes the count. */
const ALL = Number.MAX_SAFE_INTEGER
const noop = () => {}
const UNLIMITED: Taken = { async refund() {}, refuse: undefined }

/** Counts in Redis, or while that is down in this process at half, because replicas add up. */
export function createLimits(parts: LimitParts): Limits {
  const { config, metrics, redis } = parts
  const countsOf = createCounts(parts)

  async function take(name: LimitName, key: string): Promise<Taken> {
    if (!config.rateLimit) return UNLIMITED
    const counts = countsOf(name, key)
    const { exceededMs, refund } = await withFailover(counts, takeFrom)
    async function refuse(ttlMs: number): Promise<LimitReached> {
      metrics.count('limit_refusals', { limit: name })
      const { count } = await withFailover(counts, ({ add }) => add('refusals', 1, ttlMs))
      return { ...answerOf(name, counts.local.limit, ttlMs), isFirst: count === 1 }
    }
    return {
      // A refund that Redis does not accept is lost; the window expires anyway.
      refund: () => refund().then(noop, noop),
      refuse: exceededMs === undefined ? undefined : () => refuse(exceededMs),
    }
  }
  return {
    take,
    async takeOrRefuse(name, key) {
      const taken = await take(name, key)
      const limit = await taken.refuse?.()
      if (limit !== undefined) throw new AppError('too_many_requests', { limit })
      return taken
    },
    async clear(name, key) {
      if (!config.rateLimit) return
      const { local, shared } = countsOf(name, key)
      const all = shared === undefined ? [local] : [local, shared]
      // A clear that Redis does not accept is lost, too.
      await Promise.allSettled(all.flatMap(({ add }) => PARTS.map((part) => add(part, -ALL, 0))))
    },
    store() {
      if (redis === undefined) return 'memory'
      return redis.isUp() ? 'redis' : 'redis_unavailable'
    },
  }
}

interface CountsOfKey {
  readonly local: Counts
  readonly shared: Counts | undefined
}

function createCounts({ config, keys, now, redis }: LimitParts) {
  // One store per limit, so that a flood of networks cannot evict counts of addresses.
  const stores = new Map(Object.keys(LIMITS).map((name) => [name, createMemoryStore(now)]))

  return (name: LimitName, key: string): CountsOfKey => {
    const points = name === 'text_messages' ? config.smsMaxPerHour : LIMITS[name].points
    const limit: Limit = { ...LIMITS[name], points }
    // Pseudonymises addresses and phone numbers, in memory and in Redis.
    const hashedKey = mac(keys.current.of.limit, `${name}:${key}`)
    const addTo = (store: CountStore) => (part: Part, by: number, ttlMs: number) =>
      store.add(`${part === 'tries' ? name : `${name}_${part}`}:${hashedKey}`, by, ttlMs)
    return {
      local: {
        limit,
        points: redis === undefined ? points : halfOf(points),
        add: addTo(stores.get(name) as CountStore),
      },
      shared: redis && { limit, points, add: addTo(redis) },
    }
  }
}

async function withFailover<T>(
  { local, shared }: CountsOfKey,
  use: (counts: Counts) => Promise<T>,
): Promise<T> {
  try {
    if (shared !== undefined) return await use(shared)
  } catch {
    // redis.ts logs the error.
  }
  return use(local)
}

interface Outcome {
  /** Present beyond the limit, where nothing is counted: the time until the next attempt. */
  readonly exceededMs?: number
  refund(): Promise<unknown>
}

function takeFrom(counts: Counts): Promise<Outcome> {
  const { backoff } = counts.limit
  return backoff === undefined ? takeFromWindow(counts) : takeWithBackoff(counts, backoff)
}

async function takeFromWindow({ limit, points, add }: Counts): Promise<Outcome> {
  const { count, remainingMs } = await add('tries', 1, limit.windowMs)
  const refund = () => add('tries', -1, limit.windowMs)
  if (count <= points) return { refund }
  // A refused attempt must not stay counted when earlier ones are refunded.
  await refund()
  return exceeded(remainingMs)
}

/** The last free attempt, and each attempt after a pause, starts the next pause. */
async function takeWithBackoff({ limit, points, add }: Counts, backoff: Backoff): Promise<Outcome> {
  const [pause, pauses] = await Promise.all([add('pause', 0, 0), add('pauses', 0, 0)])
  if (pause.count > 0) return exceeded(pause.remainingMs)
  const isFree = pauses.count === 0
  const refundFree = async () => isFree && add('tries', -1, limit.windowMs)
  if (isFree && (await add('tries', 1, limit.windowMs)).count < points)
    return { refund: refundFree }
  // Of concurrent attempts one starts the pause; the others are refused by it.
  const lengthMs = pauseMs(backoff, pauses.count)
  const begun = await add('pause', 1, lengthMs)
  if (begun.count > 1) {
    await refundFree()
    return exceeded(begun.remainingMs)
  }
  await add('pauses', 1, backoff.forgetMs)
  return {
    refund: () =>
      Promise.all([add('pause', -ALL, 0), add('pauses', -1, backoff.forgetMs), refundFree()]),
  }
}

function exceeded(exceededMs: number): Outcome {
  return { exceededMs, async refund() {} }
}

function answerOf(
  name: LimitName,
  limit: Limit,
  exceededMs: number,
): Omit<LimitReached, 'isFirst'> {
  const retryAfterS = Math.max(1, toSeconds(exceededMs))
  return { name, quota: limit.points, windowS: toSeconds(limit.windowMs), retryAfterS }
}
