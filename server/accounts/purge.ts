import { addMonths, deleteExpiredEvents } from './expired-events.ts'
import type { Context } from '../context.ts'
import { type Counts, findLastRun } from '../schedule/jobs.ts'
import { deleteMessagesFinishedBefore, forgetStrangers } from '../outbox/outbox.ts'
import type { JobRun } from '../schedule/schedule.ts'
import { DAY_MS, toIso } from '../lib/units.ts'
import { forgetDeletedTexts } from './search-indexes.ts'
import { finishErasures } from './erasures.ts'
import { deleteSessionsBefore } from './sessions.ts'
import { deleteOldCodeFailures } from './code-failures.ts'
import { deleteFinishedEmailChanges } from './email-changes.ts'
import { deleteResetsExpiredBefore } from './resets.ts'
import { deletePhoneChangesBefore } from './phone-changes.ts'
import { deleteSignUps, type ExpiryKey, findExpiredSignUps } from './sign-ups.ts'

/** Long enough for support questions such as "why was I signed out" and "did you mail me". */
const SESSIONS_KEPT_MS = 30 * DAY_MS
const MESSAGES_KEPT_MS = 30 * DAY_MS
/** The longest window of the mail limits, unless codes live longer. */
const COUNTED_MS = DAY_MS
/** A mail is retried for three days and must detect that its link has been used or revoked. */
const RESETS_KEPT_MS = 4 * DAY_MS

/** Its name in `jobs` and in the log. */
export const PURGE = 'purge'

/** A longer gap since the last hourly run means downtime, or a clock that jumped ahead. */
const GAP_MAX_MS = 7 * DAY_MS

/**
 * Deletes expired rows after their retention period. After a gap of more than 7 days, the run deletes
 * nothing: if the clock jumped, an operator has an hour to correct it before the next run.
 */
export async function purge(ctx: Context, run: JobRun): Promise<Counts> {
  const nowMs = ctx.now()
  await addMonths(ctx, run)
  const last = await findLastRun(ctx.db, PURGE, nowMs)
  if (last !== undefined && nowMs - last.slotMs > GAP_MAX_MS) {
    ctx.log.warn(
      { latest: toIso(last.slotMs) },
      'purge skipped: the last run was more than 7 days ago. Check the clock; the next run deletes again',
    )
    return { skipped: 1 }
  }
  const ago = (ms: number) => toIso(nowMs - ms)
  const countedMs = Math.max(COUNTED_MS, ctx.config.codeLifetimeMs)
  const { drain } = run
  await forgetDeletedTexts(ctx.db, run)
  return {
    sessions: await drain((tx, limit) => deleteSessionsBefore(tx, ago(SESSIONS_KEPT_MS), limit)),
    sign_ups: await purgeSignUps(ctx, run, nowMs),
    phone_changes: await drain((tx, limit) => deletePhoneChangesBefore(tx, ago(0), limit)),
    email_changes: await drain((tx, limit) => deleteFinishedEmailChanges(tx, nowMs, limit)),
    password_resets: await drain((tx, limit) =>
      deleteResetsExpiredBefore(tx, ago(RESETS_KEPT_MS), limit),
    ),
    code_failures: await drain((tx, limit) => deleteOldCodeFailures(tx, nowMs, limit)),
    addresses: await drain((tx, limit) => forgetStrangers(tx, ago(countedMs), limit)),
    messages: await drain((tx, limit) =>
      deleteMessagesFinishedBefore(tx, ago(MESSAGES_KEPT_MS), limit),
    ),
    ...(await finishErasures(ctx, run)),
    ...(await deleteExpiredEvents(ctx, run, ago(ctx.config.auditKeptMs))),
  }
}

/**
 * Deletes expired sign-ups of verified users. Those of unverified users stay until the account is deleted,
 * because resending the mail renews the code; so many may stay that they are read page by page.
 */
async function purgeSignUps(ctx: Context, { batch }: JobRun, nowMs: number): Promise<number> {
  const limit = ctx.batchMax
  let deleted = 0
  for (let after: ExpiryKey | undefined; ;) {
    const page = await findExpiredSignUps(ctx.db, { nowMs, limit, after })
    const ids = page.filter((signUp) => signUp.verified_at !== null).map(({ id }) => id)
    if (ids.length > 0) deleted += await batch((tx) => deleteSignUps(tx, ids))
    if (page.length < limit) return deleted
    after = page.at(-1)
  }
}
