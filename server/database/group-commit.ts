import { setImmediate } from 'node:timers'
import { remainingMs, spend, withBudget } from './budget.ts'
import type { Value } from './connect.ts'

/** More would hold the event loop for too long. */
const GROUP_MAX = 100

export interface Prepared {
  readonly sql: string
  readonly values: readonly Value[]
}

/** What became of one statement of a group that was committed: a statement that failed changed nothing. */
export type Outcome = { readonly rows: unknown[] } | { readonly error: unknown }

interface Member extends Prepared {
  readonly remainingMs: number
  readonly resolve: (rows: unknown[]) => void
  readonly reject: (error: unknown) => void
  hasGivenUp: boolean
}

/**
 * Collects the statements that come in one turn of the event loop, so that they share one commit: `inTurn` runs what
 * commits them, maybe more than once, and where it throws, each of them throws. Each waits on the budget of its
 * own request; together they have the longest of these, and no caller.
 */
export function groupByTurn(
  inTurn: (attempt: () => Promise<void>) => Promise<void>,
  commit: (group: readonly Prepared[]) => Promise<Outcome[]>,
): (statement: Prepared) => Promise<unknown[]> {
  let open: Member[] = []

  async function commitAll(group: readonly Member[]): Promise<void> {
    const waiting = group.filter(({ hasGivenUp }) => !hasGivenUp)
    for (const [at, outcome] of (await commit(waiting)).entries()) {
      if ('error' in outcome) waiting[at]?.reject(outcome.error)
      else waiting[at]?.resolve(outcome.rows)
    }
  }
  async function close(group: Member[]): Promise<void> {
    if (open === group) open = []
    const longestMs = Math.max(...group.map((member) => member.remainingMs))
    try {
      await withBudget({ remainingMs: longestMs }, () => inTurn(() => commitAll(group)))
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
  return (statement) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>()
    if (open.length === 0 || open.length === GROUP_MAX) {
      const group: Member[] = []
      open = group
      setImmediate(() => void close(group))
    }
    const own = { remainingMs: remainingMs(), resolve, reject, hasGivenUp: false }
    const member: Member = { ...statement, ...own }
    open.push(member)
    return spend(promise, () => (member.hasGivenUp = true))
  }
}
