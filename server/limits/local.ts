import type { Config } from '../settings/config.ts'
import { type LimitName, LIMITS } from './limits.ts'
import { type Count, type CountStore, createMemoryStore } from './memory.ts'

/** A change of one count; see `CountStore`. */
export interface LocalChange {
  readonly name: LimitName
  readonly part: Part
  readonly key: string
  readonly by: number
  readonly ttlMs: number
}

export const PARTS = ['tries', 'refusals', 'pause', 'pauses'] as const
export type Part = (typeof PARTS)[number]

/** Counts in memory: of this process, or of all that have one parent, which keeps them. */
export interface LocalCounts {
  change(change: LocalChange): Promise<Count>
}

type LimitSettings = Pick<Config, 'rateLimitScale' | 'smsMaxPerHour'>

/**
 * Stores of its own for each limit, so that a flood of networks cannot evict counts of addresses, and for
 * its pauses, which are rare and precious.
 */
export function createLocalCounts(config: LimitSettings, now: () => number): LocalCounts {
  const names = Object.keys(LIMITS) as LimitName[]
  const stores = new Map<string, CountStore>(
    names.flatMap((name) => [
      [`${name} tries`, createMemoryStore(now, pointsOf(config, name))],
      [name, createMemoryStore(now)],
    ]),
  )
  return {
    async change({ name, part, key, by, ttlMs }) {
      const store = stores.get(part === 'tries' ? `${name} tries` : name) as CountStore
      return store.add(key, by, ttlMs)
    },
  }
}

/** The points of a limit with these settings. */
export function pointsOf(config: LimitSettings, name: LimitName): number {
  if (name === 'text_messages') return config.smsMaxPerHour
  const { points, per } = LIMITS[name]
  return per === 'network' ? Math.max(1, Math.round(points * config.rateLimitScale)) : points
}
