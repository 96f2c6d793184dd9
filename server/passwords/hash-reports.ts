import { setBounded } from '../lib/bounded-map.ts'
import type { Logger } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { createPacer } from '../lib/pacer.ts'
import { HOUR_MS, SECOND_MS } from '../lib/units.ts'

/** What the hasher tells the operator. */
export interface HashReports {
  /** A hash had no place in the queue; the network is absent for a hash of the service itself. */
  refused(network: string | undefined): void
  /** The stored hash of a user cannot be verified. */
  unreadable(userId: number | undefined): void
}

interface ReportParts {
  readonly log: Logger
  readonly metrics: Metrics
}

const NETWORKS_NAMED = 5
const NETWORKS_MAX = 1000
const USERS_MAX = 1000

/** Floods cost one line a second, and a broken row one line an hour. */
export function createHashReports({ log, metrics }: ReportParts): HashReports {
  let byNetwork = new Map<string, number>()
  let refused = 0
  const isLineDue = createPacer(() => performance.now(), SECOND_MS)
  const unreadableAtMs = new Map<number | undefined, number>()

  return {
    refused(network = 'none') {
      metrics.count('hash_refusals')
      refused++
      if (byNetwork.size < NETWORKS_MAX || byNetwork.has(network))
        byNetwork.set(network, (byNetwork.get(network) ?? 0) + 1)
      if (!isLineDue()) return
      log.warn({ refused, networks: heaviest(byNetwork) }, 'hash queue full')
      refused = 0
      byNetwork = new Map()
    },
    unreadable(userId) {
      const nowMs = performance.now()
      if (nowMs - (unreadableAtMs.get(userId) ?? -HOUR_MS) < HOUR_MS) return
      setBounded(unreadableAtMs, [userId, nowMs], USERS_MAX)
      log.warn(
        { user_id: userId },
        'the password hash of this user is not one of argon2, or costs too much: no password matches until a reset by email',
      )
    },
  }
}

function heaviest(byNetwork: ReadonlyMap<string, number>): Record<string, number> {
  const sorted = [...byNetwork].toSorted(([, a], [, b]) => b - a)
  return Object.fromEntries(sorted.slice(0, NETWORKS_NAMED))
}
