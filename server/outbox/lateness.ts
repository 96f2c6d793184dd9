import type { Context } from '../context.ts'
import { createPacer } from '../lib/pacer.ts'
import { MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { findHeaviest } from './heaviest.ts'
import type { Channel } from './kind.ts'

const LATE_MS = MINUTE_MS
const WARN_EVERY_MS = MINUTE_MS

/**
 * Warns, at most once a minute, when a message has been due for a minute before it is claimed, and names who
 * has most messages waiting. Never throws.
 */
export function createLatenessAlarm(ctx: Context, channel: Channel) {
  const isDue = createPacer(ctx.now, WARN_EVERY_MS)
  return async ({ due_at: dueAt }: { readonly due_at: string }): Promise<void> => {
    const nowMs = ctx.now()
    const lateMs = nowMs - Date.parse(dueAt)
    if (lateMs < LATE_MS || !isDue()) return
    const heaviest = await findHeaviest(ctx.db, channel, nowMs).catch(() => undefined)
    const details = { channel, late_s: Math.round(lateMs / SECOND_MS), ...heaviest }
    ctx.log.warn(details, 'messages are sent late: check the transport and who has most waiting')
  }
}
