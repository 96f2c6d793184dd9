import type { Context } from '../context.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { countSentMails, isMailDue } from './backlog.ts'
import type { Channel, Kinds } from './kind.ts'

/** Between two counts a process subtracts its own claims. */
const COUNT_EVERY_MS = SECOND_MS
const ALARM_EVERY_MS = MINUTE_MS

interface QuotaOptions {
  readonly channel: Channel
  readonly kinds: Kinds
}

/**
 * Holds back sign-up mail once all processes together have sent MAIL_MAX_PER_HOUR mails in the last hour;
 * the messages that they hold may exceed it. Other mail is not held back.
 */
export function createQuota(ctx: Context, { channel, kinds }: QuotaOptions) {
  const { mailMaxPerHour, rateLimit } = ctx.config
  const entries = Object.entries(kinds)
  const heldBack = entries.filter(([, kind]) => kind.isHeldBack)
  const passing = Object.fromEntries(entries.filter(([, kind]) => !kind.isHeldBack))
  const limited = channel === 'mail' && rateLimit
  let countedAtMs: number | undefined
  let alarmedAtMs: number | undefined
  let remaining = 0

  /** True once `ms` have passed, also after the clock was set back. */
  const isOver = (ms: number, sinceMs: number | undefined) =>
    sinceMs === undefined || Math.abs(ctx.now() - sinceMs) >= ms

  async function alarm(): Promise<void> {
    const waiting = { kinds: heldBack.map(([name]) => name), nowMs: ctx.now() }
    if (!isOver(ALARM_EVERY_MS, alarmedAtMs) || !(await isMailDue(ctx.db, waiting))) return
    alarmedAtMs = ctx.now()
    ctx.log.error(
      { mail_max_per_hour: mailMaxPerHour },
      'MAIL_MAX_PER_HOUR reached: sign-up mail is held back; check for a flood of sign-ups',
    )
  }

  return {
    /** The kinds that may be claimed now. */
    async kinds(): Promise<Kinds> {
      if (!limited) return kinds
      if (isOver(COUNT_EVERY_MS, countedAtMs)) {
        const sinceMs = ctx.now() - HOUR_MS
        remaining = mailMaxPerHour - (await countSentMails(ctx.db, sinceMs, mailMaxPerHour))
        countedAtMs = ctx.now()
      }
      if (remaining > 0) return kinds
      await alarm()
      return passing
    },
    /** Counts a claim. */
    take(): void {
      remaining--
    },
  }
}
