import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '../errors.ts'
import type { EndTurn, Turns } from '../lib/turns.ts'
import { SECOND_MS } from '../lib/units.ts'

/** What a request may use of the database. */
export interface Budget {
  /** The time that it may still spend: pool, connecting and all queries. */
  remainingMs: number
  /** The user or the network that shares its connections. Absent for the service itself. */
  caller?: string
  /** The session that writes, one transaction at a time. */
  session?: string
}

export const REQUEST_BUDGET_MS = 2 * SECOND_MS
/** The limit of each statement outside a request (jobs, commands). */
export const STATEMENT_BUDGET_MS = 5 * SECOND_MS

const current = new AsyncLocalStorage<Budget>()

/** Runs `work`; everything that it starts shares the budget. */
export function withBudget<T>(budget: Budget, work: () => T): T {
  return current.run(budget, work)
}

/** The budget of the current request; undefined outside a request. */
export function currentBudget(): Budget | undefined {
  return current.getStore()
}

export function remainingMs(outsideMs = STATEMENT_BUDGET_MS): number {
  return current.getStore()?.remainingMs ?? outsideMs
}

/**
 * Awaits `operation` and charges the time to the budget. When the budget is spent, calls `giveUp`,
 * which must abort the operation, and throws `database_unavailable`. `leastMs` is granted even on a
 * spent budget; `outsideMs` is the limit outside a request.
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
    if (budget) budget.remainingMs -= performance.now() - startedAt
  }
}

/** Waits for a turn within the budget. Throws `database_unavailable`. */
export async function takeTurn(
  turns: Turns,
  key: string | undefined,
  limits?: { outsideMs?: number },
): Promise<EndTurn> {
  const waiting = turns.enter(key === undefined ? [] : [key])
  // Nearly always, and cheaper than to race a timer.
  if (waiting?.granted !== undefined) return waiting.granted
  const endTurn = waiting && (await spend(waiting.turn, waiting.abandon, limits))
  if (endTurn === undefined) throw new AppError('database_unavailable', { retryAfterS: 1 })
  return endTurn
}
