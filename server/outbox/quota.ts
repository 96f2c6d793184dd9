import type { Context } from '../context.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/units.ts'
import { countSentMails, isMailDue } from './backlog.ts'
import type { Channel, MailKind } from './outbox.ts'

/** Mails to addresses that nobody has proved: a flood of sign-ups is a flood of these. */
const WAITING_KINDS: readonly string[] = [
  'verification',
  'verification_again',
  'already_registered',
  'reminder',
] satisfies MailKind[]

/** Between two counts a process goes by its own claims. */
const COUNT_EVERY_MS = SECOND_MS
const ALARM_EVERY_MS = MINUTE_MS

interface QuotaOptions {
  readonly channel: Channel
  readonly jobs: Readonly<Record<string, unknown>>
}

/**
 * Holds back sign-up mail once MAIL_MAX_PER_HOUR mails were sent in the last hour, by all processes
 * together; what each has in hand may exceed that. Everything else passes.
 */
export function createQuota(ctx: Context, { channel, jobs }: QuotaOptions) {
  const { mailMaxPerHour, rateLimit } = ctx.config
  const all = Object.keys(jobs)
  const passing = all.filter((kind) => !WAITING_KINDS.includes(kind))
  const limited = channel === 'mail' && rateLimit
  let countedAtMs: number | undefined
  let alarmedAtMs: number | undefined
  let remaining = 0

  /** True once so long has passed; a clock that was set back is no reason to wait. */
  const isOver = (ms: number, sinceMs: number | undefined) =>
    sinceMs === undefined || Math.abs(ctx.now() - sinceMs) >= ms

  async function alarm(): Promise<void> {
    const waiting = { kinds: WAITING_KINDS, nowMs: ctx.now() }
    if (!isOver(ALARM_EVERY_MS, alarmedAtMs) || !(await isMailDue(ctx.db, waiting))) return
    alarmedAtMs = ctx.now()
    ctx.log.error(
      { mail_max_per_hour: mailMaxPerHour },
      'MAIL_MAX_PER_HOUR mails were sent within an hour: sign-up mail waits. Is somebody flooding the sign-up?',
    )
  }

  return {
    /** Which kinds may be claimed now. */
    async kinds(): Promise<readonly string[]> {
      if (!limited) return all
      if (isOver(COUNT_EVERY_MS, countedAtMs)) {
        const sinceMs = ctx.now() - HOUR_MS
        remaining = mailMaxPerHour - (await countSentMails(ctx.db, sinceMs, mailMaxPerHour))
        countedAtMs = ctx.now()
      }
      if (remaining > 0) return all
      await alarm()
      return passing
    },
    /** One more was claimed. */
    take(): void {
      remaining--
    },
  }
}
