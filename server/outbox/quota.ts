import type { Context } from '../context.ts'
import { HOUR_MS, isOver, MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { countSentMails, isSignUpMailDue } from './backlog.ts'
import { findHeaviest } from './heaviest.ts'
import type { Channel, Kinds } from './kind.ts'
import { isHeldBack } from './lines.ts'

/** Between two counts a process subtracts its own claims. */
const COUNT_EVERY_MS = SECOND_MS
const ALARM_EVERY_MS = MINUTE_MS

interface QuotaOptions {
  readonly channel: Channel
  readonly kinds: Kinds
}

/**
 * Holds back sign-up mail once all processes together have sent MAIL_MAX_PER_HOUR of it in the last hour; the
 * messages that they hold may exceed it. Other mail is neither counted nor held back.
 */
export function createQuota(ctx: Context, { channel, kinds }: QuotaOptions) {
  const { mailMaxPerHour, rateLimit } = ctx.config
  const passing = Object.fromEntries(Object.entries(kinds).filter(([kind]) => !isHeldBack(kind)))
  const limited = channel === 'mail' && rateLimit
  let countedAtMs: number | undefined
  let alarmedAtMs: number | undefined
  let remaining = 0

  async function alarm(): Promise<void> {
    const nowMs = ctx.now()
    if (!isOver(ALARM_EVERY_MS, { sinceMs: alarmedAtMs, nowMs })) return
    if (!(await isSignUpMailDue(ctx.db, nowMs))) return
    alarmedAtMs = nowMs
    ctx.log.error(
      { mail_max_per_hour: mailMaxPerHour, ...(await findHeaviest(ctx.db, channel, nowMs)) },
      'MAIL_MAX_PER_HOUR reached: sign-up mail is held back; check for a flood of sign-ups',
    )
  }

  return {
    /** The kinds that may be claimed now. */
    async kinds(): Promise<Kinds> {
      if (!limited) return kinds
      const nowMs = ctx.now()
      if (isOver(COUNT_EVERY_MS, { sinceMs: countedAtMs, nowMs })) {
        const sent = await countSentMails(ctx.db, nowMs - HOUR_MS, mailMaxPerHour)
        remaining = mailMaxPerHour - sent
        countedAtMs = nowMs
      }
      if (remaining > 0) return kinds
      await alarm()
      return passing
    },
    /** Counts a claim. */
    take(kind: string): void {
      if (isHeldBack(kind)) remaining--
    },
  }
}
