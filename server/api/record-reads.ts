import type { FastifyRequest } from 'fastify'
import { countRead, countReadAgain } from '../audit/events.ts'
import type { Context } from '../context.ts'
import { spend, withBudget } from '../database/budget.ts'
import { lockUser } from '../accounts/users.ts'
import { commit } from '../accounts/write.ts'
import { createBatches } from '../lib/batches.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'
import { sessionOf } from './guards.ts'

type ReadEvent = 'users.read' | 'mail.read'

/**
 * Counts a page of personal data before it is sent to an admin: a stolen token must leave a trace of what
 * it read. A failed write is logged and does not fail the read.
 */
export async function recordRead(
  ctx: Context,
  request: FastifyRequest,
  event: ReadEvent,
): Promise<void> {
  const { cause, userId: actorId } = sessionOf(request)
  try {
    if (await countAgain(ctx, { event, actorId, ip: cause.ip })) return
    await commit(ctx, cause, async ({ tx, nowMs }) => {
      // After a concurrent deletion of the admin, no erasure would remove this IP.
      if ((await lockUser(tx, actorId)) === undefined) return
      await countRead(tx, { ...cause, actorId, event }, nowMs)
    })
  } catch (error) {
    ctx.log.warn({ err: error, event, actor_id: actorId }, 'read not recorded')
  }
}

interface Read {
  readonly event: ReadEvent
  readonly actorId: number
  readonly ip: string | null
}

const batches = new WeakMap<Context, ReturnType<typeof createBatches<boolean>>>()

/**
 * The usual case in one round trip, without a lock: no IP is written. A retry may count a page twice. Concurrent
 * pages are counted together: they would wait for one row, each for the commit of the one before.
 */
async function countAgain(ctx: Context, { event, actorId, ip }: Read): Promise<boolean> {
  if (ip === null) return false
  const count = batches.get(ctx) ?? createBatches<boolean>()
  batches.set(ctx, count)
  const counted = count(`${event} ${actorId} ${ip}`, (pages) =>
    // Of several requests, whose own budgets bound their waits.
    withBudget({ remainingMs: ctx.requestBudgetMs }, async () => {
      const since = toIso(ctx.now() - HOUR_MS)
      const values = { actorId, event, ip, since, pages }
      return (await ctx.autocommit(countReadAgain, values)).length > 0
    }),
  )
  return spend(counted)
}
