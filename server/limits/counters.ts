import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { Config } from '../settings/config.ts'
import { AppError, type LimitReached } from '../errors.ts'
import { type KeyRing, mac } from '../keys/key-ring.ts'
import type { Metrics } from '../lib/metrics.ts'
import { type Limit, type LimitName, LIMITS } from './limits.ts'
import { type Counter, createMemoryCounter, type MemoryCounts, toSeconds } from './memory.ts'
import { inTime, REDIS_PREFIX, type SharedCounts } from './redis.ts'

/** One counted try. */
export interface Try {
  /** There when it is beyond the limit. */
  readonly reached: Reached | undefined
  /** As if it had not been made. Never throws. */
  refund(): Promise<void>
}

/** Only the caller knows whether what is beyond a limit goes on nevertheless. */
export interface Reached extends Omit<LimitReached, 'isFirst'> {
  /** Counts that it did not, and tells whether it was the first of its window. Never throws. */
  refuse(): Promise<LimitReached>
}

export interface Limits {
  /** Counts one try. N at once are N: what is beyond the limit is told so. Never throws. */
  take(name: LimitName, key: string): Promise<Try>
  /** The same; throws `too_many_requests`. */
  count(name: LimitName, key: string): Promise<Try>
  /** Forgets all tries. Never throws. */
  clear(name: LimitName, key: string): Promise<void>
  /** Where the tries are counted now. */
  readonly store: () => 'memory' | 'redis' | 'redis_unavailable'
}

interface LimitParts {
  readonly config: Pick<Config, 'rateLimit' | 'smsMaxPerHour'>
  readonly keys: KeyRing
  readonly metrics: Metrics
  readonly now: () => number
  /** Stays the caller's to close. */
  readonly redis?: SharedCounts | undefined
}

/** What one limit counts with, in one store. */
interface Counters {
  readonly limit: Limit
  readonly tries: Counter
  /** So that the first of them is known. */
  readonly refusals: Counter
  /** The pause that runs now. */
  readonly pause: Counter
  readonly pauses: Counter
}
type Store = (name: LimitName) => Counters

const UNLIMITED: Try = { reached: undefined, async refund() {} }

/** Counts in Redis while it can be used, else in this process, and then at half: replicas add up. */
export function createLimits(parts: LimitParts): Limits {
  const { config, keys, metrics } = parts
  const { memory, shared, anywhere } = createStores(parts)
  // Neither an address nor a phone number is kept, here or in Redis.
  const nameless = (name: string, key: string) => mac(keys.current.of.limit, `${name}:${key}`)

  async function take(name: LimitName, key: string): Promise<Try> {
    if (!config.rateLimit) return UNLIMITED
    const hidden = nameless(name, key)
    const { msLeft, refund } = await anywhere(name, async (counters) => {
      const counted = await takeFrom(counters, hidden)
      const isShared = shared !== undefined && counters !== memory(name)
      return isShared ? { ...counted, refund: guarded(counted.refund, shared) } : counted
    })
    if (msLeft === undefined) return { reached: undefined, refund }
    const told = toldOf(name, memory(name).limit, msLeft)
    async function refuse(): Promise<LimitReached> {
      metrics.count('limit_refusals', { limit: name })
      const isFirst = await anywhere(name, ({ refusals }) => begins(refusals, hidden, told))
      return { ...told, isFirst }
    }
    return { reached: { ...told, refuse }, refund }
  }
  return {
    take,
    async count(name, key) {
      const counted = await take(name, key)
      const limit = await counted.reached?.refuse()
      if (limit !== undefined) throw new AppError('too_many_requests', { limit })
      return counted
    },
    async clear(name, key) {
      if (!config.rateLimit) return
      const hidden = nameless(name, key)
      await clearIn(memory(name), hidden)
      if (shared !== undefined) await clearShared(shared, name, hidden)
    },
    store() {
      if (shared === undefined) return 'memory'
      return shared.isUp() ? 'redis' : 'redis_unavailable'
    },
  }
}

function createStores(parts: LimitParts) {
  const { redis } = parts
  const memory = memoryStore(parts)
  const shared = redis && { store: redisStore(parts, redis), ...redis }
  async function anywhere<T>(name: LimitName, use: (counters: Counters) => Promise<T>): Promise<T> {
    if (shared?.isUp()) {
      try {
        return await use(shared.store(name))
      } catch (error) {
        shared.failed(error)
      }
    }
    return use(memory(name))
  }
  return { memory, shared, anywhere }
}

interface Counted {
  /** There when it is beyond the limit. */
  readonly msLeft?: number
  readonly refund: () => Promise<void>
}

function takeFrom(counters: Counters, key: string): Promise<Counted> {
  return counters.limit.backoff === undefined
    ? takeFromWindow(counters, key)
    : takeWithPauses(counters, key)
}

async function takeFromWindow({ tries }: Counters, key: string): Promise<Counted> {
  const { consumedPoints, msBeforeNext } = await tries.penalty(key)
  const refund = async () => void (await tries.reward(key))
  if (consumedPoints <= tries.points) return { refund }
  // Else what was refused would still be counted when those before it are given back.
  await refund()
  return refusedFor(msBeforeNext)
}

/** Whoever makes the last free try, or the first after a pause, begins the next pause with it. */
async function takeWithPauses(counters: Counters, key: string): Promise<Counted> {
  const { limit, tries, pause, pauses } = counters
  const [running, before] = await Promise.all([pause.get(key), pauses.get(key)])
  if (running !== null) return refusedFor(running.msBeforeNext)
  const paused = before?.consumedPoints ?? 0
  if (paused === 0) {
    const { consumedPoints } = await tries.penalty(key)
    const refund = async () => void (await tries.reward(key))
    if (consumedPoints < tries.points) return { refund }
  }
  // Of many at once one begins the pause; the others find it running.
  const customDuration = pauseSeconds(limit, paused)
  const begun = await pause.penalty(key, 1, { customDuration })
  if (begun.consumedPoints > 1) {
    if (paused === 0) await tries.reward(key)
    return refusedFor(begun.msBeforeNext)
  }
  await pauses.penalty(key)
  return {
    async refund() {
      await pause.delete(key)
      await pauses.reward(key)
      if (paused === 0) await tries.reward(key)
    },
  }
}

function refusedFor(msLeft: number): Counted {
  return { msLeft, async refund() {} }
}

function toldOf(name: LimitName, limit: Limit, msLeft: number): Omit<LimitReached, 'isFirst'> {
  const retryAfterS = Math.max(1, toSeconds(msLeft))
  return { name, quota: limit.points, windowS: toSeconds(limit.windowMs), retryAfterS }
}

/** True for the first refusal until the next try may go on. */
async function begins(
  refusals: Counter,
  key: string,
  { retryAfterS: customDuration }: Omit<LimitReached, 'isFirst'>,
): Promise<boolean> {
  const { consumedPoints } = await refusals.penalty(key, 1, { customDuration })
  return consumedPoints === 1
}

function pauseSeconds({ backoff }: Limit, before: number): number {
  const { firstMs = 0, maxMs = 0 } = backoff ?? {}
  return toSeconds(Math.min(maxMs, firstMs * 2 ** before))
}

async function clearIn(counters: Counters, key: string): Promise<void> {
  const { limit, tries, refusals, pause, pauses } = counters
  const all = limit.backoff === undefined ? [tries, refusals] : [tries, refusals, pause, pauses]
  await Promise.all(all.map((counter) => counter.delete(key)))
}

/** What Redis does not take it gets later: an owner would stay locked out for as long as it counts. */
async function clearShared(
  { store, isUp, failed, owe }: SharedCounts & { store: Store },
  name: LimitName,
  key: string,
): Promise<void> {
  const clear = () => clearIn(store(name), key)
  try {
    if (isUp()) return await clear()
  } catch (error) {
    failed(error)
  }
  owe(`${name}:${key}`, clear)
}

/** A refund that Redis does not take is lost: the window ends by itself. */
function guarded(refund: () => Promise<void>, { isUp, failed }: SharedCounts) {
  return async () => {
    if (isUp()) await refund().catch(failed)
  }
}

type MakeCounter = (keyPrefix: string, points: number, windowMs: number) => Counter

function memoryStore({ config, now, redis }: LimitParts): Store {
  const share = redis === undefined ? 1 : 0.5
  return makeStore(config, share, () => {
    // One for each limit: networks are cheap, and must not push out what is counted by address.
    const counts: MemoryCounts = new Map()
    return (keyPrefix, points, windowMs) =>
      createMemoryCounter({ keyPrefix, points, duration: toSeconds(windowMs), counts, now })
  })
}

function redisStore({ config }: LimitParts, { client }: SharedCounts): Store {
  return makeStore(config, 1, () => (name, points, windowMs) => {
    const counter = new RateLimiterRedis({
      storeClient: client,
      keyPrefix: `${REDIS_PREFIX}:${name}`,
      points,
      duration: toSeconds(windowMs),
      customIncrTtlLuaScript: COUNT,
    })
    return {
      points,
      penalty: (key, change, options) => inTime(counter.penalty(key, change, options)),
      reward: (key, change) => inTime(counter.reward(key, change)),
      get: (key) => inTime(counter.get(key)),
      delete: (key) => inTime(counter.delete(key)),
    }
  })
}

/**
 * As the library's own, but a refund that comes after the window is no credit in the next, and what was
 * given back leaves nothing behind.
 */
const COUNT = `
redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local points = redis.call('incrby', KEYS[1], ARGV[1])
if points <= 0 then
  redis.call('del', KEYS[1])
  return {0, 0}
end
local left = redis.call('pttl', KEYS[1])
if left < 0 then
  redis.call('expire', KEYS[1], ARGV[2])
  left = 1000 * ARGV[2]
end
return {points, left}`

function makeStore(
  config: LimitParts['config'],
  share: number,
  makerFor: () => MakeCounter,
): Store {
  const counters = Object.entries<Limit>(LIMITS).map(([name, limit]): [string, Counters] => {
    const make = makerFor()
    const points = name === 'text_messages' ? config.smsMaxPerHour : limit.points
    const tries = make(name, Math.max(1, Math.floor(points * share)), limit.windowMs)
    const refusals = make(`${name}_refusals`, 1, limit.windowMs)
    const pause = make(`${name}_pause`, 1, limit.backoff?.maxMs ?? 0)
    const pauses = make(`${name}_pauses`, 1, limit.backoff?.forgetMs ?? 0)
    return [name, { limit: { ...limit, points }, tries, refusals, pause, pauses }]
  })
  const byName = new Map(counters)
  return (name) => byName.get(name) as Counters
}
