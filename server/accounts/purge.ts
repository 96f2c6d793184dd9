import { blankLeftovers, deleteEventsBefore } from '../audit/events.ts'
import type { Context } from '../context.ts'
import { deleteRunsBefore, latestRun } from '../schedule/job-runs.ts'
import { deleteMessagesFinishedBefore, forgetStrangers } from '../outbox/outbox.ts'
import { settleEndedSince } from '../outbox/settlements.ts'
import type { JobRun } from '../schedule/schedule.ts'
import { DAY_MS, toIso } from '../lib/units.ts'
import { deleteSessionsBefore } from './sessions.ts'
import { deleteOldCodeFailures } from './code-failures.ts'
import { deleteOverEmailChanges } from './email-changes.ts'
import { deleteResetsExpiredBefore } from './resets.ts'
import { deleteExpiredPhoneChanges } from './phone-changes.ts'
import { deleteUselessSignUps } from './sign-ups.ts'

/** Long enough to answer "why was I signed out" and "did you mail me". */
const SESSIONS_KEPT_MS = 30 * DAY_MS
const MESSAGES_KEPT_MS = 30 * DAY_MS
/** The longest time over which mails to an address are counted, if codes do not live longer. */
const COUNTED_MS = DAY_MS
/** So that a mail which was sent and is sent again finds out that its link was used. */
const RESETS_KEPT_MS = DAY_MS
const RUNS_KEPT_MS = 30 * DAY_MS

/** Its name in `job_runs` and in the log. */
export const PURGE = 'purge'

/** An hourly job that last ran longer ago than this was off, or the clock leaped ahead. */
const UNSUSPICIOUS_MS = 7 * DAY_MS

/**
 * Deletes what is over and no longer answers any question. Nothing that still works is touched. After
 * a leap of the clock only the next run deletes, an hour later: time to set it right.
 */
export async function purge(ctx: Context, run: JobRun): Promise<void> {
  const nowMs = ctx.now()
  const latest = await latestRun(ctx.db, PURGE, nowMs)
  if (latest !== undefined && nowMs - latest.slotMs > UNSUSPICIOUS_MS) {
    await run.batch(async () => ({ skipped: 1 }))
    ctx.log.warn(
      { latest: toIso(latest.slotMs) },
      'purge skipped: the last one was more than 7 days ago. Check the clock; the next one deletes again',
    )
    return
  }
  const ago = (ms: number) => toIso(nowMs - ms)
  const countedMs = Math.max(COUNTED_MS, ctx.config.codeLifetimeMs)
  await run.drain('sessions', (tx, limit) => deleteSessionsBefore(tx, ago(SESSIONS_KEPT_MS), limit))
  await run.drain('sign_ups', (tx, limit) => deleteUselessSignUps(tx, nowMs, limit))
  await run.drain('phone_changes', (tx, limit) => deleteExpiredPhoneChanges(tx, nowMs, limit))
  await run.drain('email_changes', (tx, limit) => deleteOverEmailChanges(tx, nowMs, limit))
  await run.drain('password_resets', (tx, limit) =>
    deleteResetsExpiredBefore(tx, ago(RESETS_KEPT_MS), limit),
  )
  await run.drain('code_failures', (tx, limit) => deleteOldCodeFailures(tx, nowMs, limit))
  await run.drain('addresses', (tx, limit) => forgetStrangers(tx, ago(countedMs), limit))
  await run.drain('settled', (tx, limit) => settleEndedSince(tx, ago(DAY_MS), limit))
  await run.drain('messages', (tx, limit) =>
    deleteMessagesFinishedBefore(tx, ago(MESSAGES_KEPT_MS), limit),
  )
  await run.drain('job_runs', (tx, limit) => deleteRunsBefore(tx, ago(RUNS_KEPT_MS), limit))
  await run.drain('blanked_events', blankLeftovers)
  await run.drain('audit_events', (tx, limit) =>
    deleteEventsBefore(tx, ago(ctx.config.auditKeptMs), limit),
  )
}
