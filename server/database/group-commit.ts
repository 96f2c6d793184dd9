import { setImmediate } from 'node:timers'
import type { Value } from './connect.ts'

/** More would hold the event loop for too long. */
const GROUP_MAX = 100

export interface Prepared {
  readonly sql: string
  readonly values: readonly Value[]
}

/** What became of one statement of a group that was committed: a statement that failed changed nothing. */
export type Outcome = { readonly rows: unknown[] } | { readonly error: unknown }

/**
 * Collects the statements that come in one turn of the event loop, so that they share one commit. `commit` runs in
 * the asynchronous context of the first of them, with its budget; where it throws, each of them throws.
 */
export function groupByTurn(commit: (group: readonly Prepared[]) => Promise<Outcome[]>) {
  let open: Member[] = []

  async function close(group: Member[]): Promise<void> {
    if (open === group) open = []
    try {
      const outcomes = await commit(group)
      for (const [at, outcome] of outcomes.entries()) {
        if ('error' in outcome) group[at]?.reject(outcome.error)
        else group[at]?.resolve(outcome.rows)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
  return (statement: Prepared): Promise<unknown[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>()
    if (open.length === 0 || open.length === GROUP_MAX) {
      const group: Member[] = []
      open = group
      setImmediate(() => void close(group))
    }
    open.push({ ...statement, resolve, reject })
    return promise
  }
}

interface Member extends Prepared {
  readonly resolve: (rows: unknown[]) => void
  readonly reject: (error: unknown) => void
}
