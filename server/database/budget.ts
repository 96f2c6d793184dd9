import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '../errors.ts'
import { SECOND_MS } from '../lib/units.ts'

/** What a request may still wait for its database: pool, connecting and every query together. */
export interface Budget {
  leftMs: number
}

export const REQUEST_BUDGET_MS = 2 * SECOND_MS
/** Outside a request (jobs, commands) each statement has this long. */
export const STATEMENT_BUDGET_MS = 5 * SECOND_MS

const current = new AsyncLocalStorage<Budget>()

/** Everything that `work` starts shares one budget. */
export function withBudget<T>(budget: Budget, work: () => T): T {
  return current.run(budget, work)
}

export function remainingMs(outsideMs = STATEMENT_BUDGET_MS): number {
  return current.getStore()?.leftMs ?? outsideMs
}

/**
 * Waits for `operation` as long as the budget lasts and charges the time to it. When it runs out:
 * calls `giveUp`, which must end the operation, and throws `database_unavailable`. `leastMs` is
 * granted even then; outside a request it lasts `outsideMs`.
 */
export async function spend<T>(
  operation: Promise<T>,
  giveUp?: () => void,
  { leastMs = 0, outsideMs = STATEMENT_BUDGET_MS } = {},
): Promise<T> {
  const budget = current.getStore()
  const startedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        giveUp?.()
        reject(
          new AppError('database_unavailable', {
            retryAfterS: 1,
            cause: new Error('time budget used up'),
          }),
        )
      },
      Math.max(leastMs, Math.ceil(remainingMs(outsideMs))),
    )
  })
  try {
    return await Promise.race([operation, expiry])
  } finally {
    clearTimeout(timer)
    if (budget) budget.leftMs -= performance.now() - startedAt
  }
}
