import type { Config } from '../settings/config.ts'
import { AppError, type LimitReached } from '../errors.ts'
import { type KeyRing, mac } from '../keys/key-ring.ts'
import type { Metrics } from '../lib/metrics.ts'
import { networksAround } from '../lib/networks.ts'
import { type Limit, type LimitName, LIMITS } from './limits.ts'
import { createLocalCounts, type LocalCounts, type Part, PARTS, pointsOf } from './local.ts'
import type { Count } from './memory.ts'
import type { SharedCounts } from './redis.ts'
import { type Backoff, halfOf, pauseMs, toSeconds } from './windows.ts'

/** No method throws because of Redis. */
export interface Limits {
  /** Counts one attempt. Atomic: of N concurrent attempts at most `points` are within the limit. */
  take(name: LimitName, key: string): Promise<Taken>
  /** Like `take`, but throws `too_many_requests` beyond the limit. */
  takeOrRefuse(name: LimitName, key: string): Promise<Taken>
  /** Counts nothing; throws `too_many_requests` when `takeOrRefuse` would. */
  peekOrRefuse(name: LimitName, key: string): Promise<void>
  /** Resets the count. */
  clear(name: LimitName, key: string): Promise<void>
  /** The store in use. */
  readonly store: () => 'memory' | 'redis' | 'redis_unavailable'
}

/** One counted attempt. */
export interface Taken {
  /** True for the last attempt within a limit without a backoff, and beyond it. */
  readonly isLast: boolean
  /** Reverts the count. */
  refund(): Promise<void>
  /**
   * Present when the attempt exceeds the limit; the caller may still allow it. Counts the refusal and
   * returns the data of the 429 response.
   */
  readonly refuse: (() => Promise<LimitReached>) | undefined
}

/** Runs `work`; attempts that end in an error do not count. */
export async function refundIfThrown<Result>(
  taken: readonly Pick<Taken, 'refund'>[],
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    await Promise.all(taken.map((one) => one.refund()))
    throw error
  }
}

interface LimitParts {
  readonly config: Pick<Config, 'rateLimit' | 'rateLimitScale' | 'smsMaxPerHour'>
  readonly keys: KeyRing
  readonly metrics: Metrics
  readonly now: () => number
  /** The caller closes it. */
  readonly redis?: SharedCounts | undefined
  /** By default those of this process. */
  readonly localCounts?: LocalCounts | undefined
}

/** The counts of one key of a limit in one store. */
interface Counts {
  readonly limit: Limit
  /** The attempts that this store allows. */
  readonly points: number
  add(part: Part, by: number, ttlMs: number): Promise<Count>
}

/** Exceeds any count: subtracting it deletes the count. */
const ALL = Number.MAX_SAFE_INTEGER
const noop = () => {}
const UNLIMITED: Taken = { isLast: false, async refund() {}, refuse: undefined }

/** Counts in Redis, or while that is down in this process at half, because replicas add up. */
export function createLimits(parts: LimitParts): Limits {
  const { config, redis } = parts
  const countsOf = createCounts(parts)
  const refuse = createRefusals(parts)

  async function take(name: LimitName, key: string): Promise<Taken> {
    if (!config.rateLimit) return UNLIMITED
    const all = countsOf(name, key)
    const outcomes = await Promise.all(all.map((counts) => withFailover(counts, takeFrom)))
    // A refund that Redis does not accept is lost; the window expires anyway.
    const refund = () => Promise.all(outcomes.map((outcome) => outcome.refund())).then(noop, noop)
    const exceeded = longest(all, outcomes)
    // An attempt that one of the networks refuses must not stay counted for the others.
    if (exceeded !== undefined) await refund()
    const isLast = outcomes.some((outcome) => outcome.isLast)
    return { isLast, refund, refuse: exceeded && (() => refuse(name, exceeded)) }
  }
  async function peek(name: LimitName, key: string): Promise<Exceeded | undefined> {
    if (!config.rateLimit) return undefined
    const all = countsOf(name, key)
    return longest(all, await Promise.all(all.map((counts) => withFailover(counts, peekAt))))
  }
  return {
    take,
    async takeOrRefuse(name, key) {
      const taken = await take(name, key)
      const limit = await taken.refuse?.()
      if (limit !== undefined) throw new AppError('too_many_requests', { limit })
      return taken
    },
    async peekOrRefuse(name, key) {
      const exceeded = await peek(name, key)
      if (exceeded === undefined) return
      throw new AppError('too_many_requests', { limit: await refuse(name, exceeded) })
    },
    async clear(name, key) {
      if (!config.rateLimit) return
      const all = countsOf(name, key).flatMap(({ local, shared }) => [local, shared ?? []].flat())
      // A clear that Redis does not accept is lost, too.
      await Promise.allSettled(
        all.flatMap(({ add, limit }) => partsOf(limit).map((part) => add(part, -ALL, 0))),
      )
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

/** A key beyond its limit, and the time until the next attempt. */
interface Exceeded {
  readonly counts: CountsOfKey
  readonly exceededMs: number
}

/** Of the networks that refuse an attempt, the one that does so for the longest time. */
function longest(
  all: readonly CountsOfKey[],
  outcomes: readonly { readonly exceededMs?: number }[],
): Exceeded | undefined {
  const exceeded = all.flatMap((counts, index) => {
    const exceededMs = outcomes[index]?.exceededMs
    return exceededMs === undefined ? [] : [{ counts, exceededMs }]
  })
  return exceeded.toSorted((a, b) => b.exceededMs - a.exceededMs)[0]
}

/** Counts a refusal, and returns the data of the response. */
function createRefusals({ metrics }: LimitParts) {
  return async (name: LimitName, { counts, exceededMs }: Exceeded): Promise<LimitReached> => {
    metrics.count('limit_refusals', { limit: name })
    const { count } = await withFailover(counts, ({ add }) => add('refusals', 1, exceededMs))
    return { ...answerOf(name, counts.local.limit, exceededMs), isFirst: count === 1 }
  }
}

function createCounts({ config, keys, now, redis, localCounts }: LimitParts) {
  const local = localCounts ?? createLocalCounts(config, now)

  function countsOf(name: LimitName, key: string, points: number): CountsOfKey {
    const limit: Limit = { ...LIMITS[name], points }
    // Pseudonymises addresses and phone numbers, in memory and in Redis.
    const hashedKey = mac(keys.current.of.limit, `${name}:${key}`)
    const nameOf = (part: Part) => `${part === 'tries' ? name : `${name}_${part}`}:${hashedKey}`
    return {
      local: {
        limit,
        points: redis === undefined ? points : halfOf(points),
        add: (part, by, ttlMs) => local.change({ name, part, key: nameOf(part), by, ttlMs }),
      },
      shared: redis && {
        limit,
        points,
        add: (part, by, ttlMs) => redis.add(nameOf(part), by, ttlMs),
      },
    }
  }
  return (name: LimitName, key: string) =>
    keysOf(name, key).map((one, index) =>
      countsOf(name, one, pointsOf(config, name) * WIDER ** index),
    )
}

/** A /56 has four times the points of a /64, and a /48 four times those of a /56. */
const WIDER = 4

/** The key, and for an IPv6 network those of the wider ones. The network is the last word of a key. */
function keysOf(name: LimitName, key: string): string[] {
  if (!LIMITS[name].per.endsWith('network')) return [key]
  const start = key.lastIndexOf(' ') + 1
  const around = networksAround(key.slice(start))
  return [key, ...around.map((network) => key.slice(0, start) + network)]
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
  readonly isLast?: boolean
  refund(): Promise<unknown>
}

async function peekAt({ limit, points, add }: Counts): Promise<{ exceededMs?: number }> {
  const part = limit.backoff === undefined ? 'tries' : 'pause'
  const { count, remainingMs } = await add(part, 0, 0)
  return count >= (part === 'tries' ? points : 1) ? { exceededMs: remainingMs } : {}
}

function takeFrom(counts: Counts): Promise<Outcome> {
  const { backoff } = counts.limit
  return backoff === undefined ? takeFromWindow(counts) : takeWithBackoff(counts, backoff)
}

async function takeFromWindow({ limit, points, add }: Counts): Promise<Outcome> {
  const { count, remainingMs } = await add('tries', 1, limit.windowMs)
  const refund = () => add('tries', -1, limit.windowMs)
  if (count <= points) return { isLast: count === points, refund }
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

/** Without a backoff there are no pauses. */
function partsOf({ backoff }: Limit): readonly Part[] {
  return backoff === undefined ? ['tries', 'refusals'] : PARTS
}

function exceeded(exceededMs: number): Outcome {
  return { exceededMs, isLast: true, async refund() {} }
}

function answerOf(
  name: LimitName,
  limit: Limit,
  exceededMs: number,
): Omit<LimitReached, 'isFirst'> {
  const retryAfterS = Math.max(1, toSeconds(exceededMs))
  return { name, quota: limit.points, windowS: toSeconds(limit.windowMs), retryAfterS }
}
