import type { AuditEventName } from '../audit/event-names.ts'
import type { Context } from '../context.ts'
import type { Db } from '../database/connect.ts'
import { CLEAN_UP, type Counts, findLastRun } from '../schedule/jobs.ts'
import { readCron } from '../lib/cron.ts'
import type { JobRun } from '../schedule/schedule.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import {
  countExpiredUsers,
  countFirstExpired,
  countUsers,
  type CreationKey,
  findExpiredUsers,
  hasMoreExpiredUsers,
} from './expired-users.ts'
import { expiryCutoff } from './expiry.ts'
import { commit, NO_CAUSE, writeIn, type Write } from './write.ts'
import { erase } from './erase.ts'
import type { Cutoff } from './users.ts'

/** A run may delete this many; more only if at least half of all users remain, or the clock is right. */
const UNCHECKED_MAX = 1000
const AHEAD_MAX_MS = 5 * MINUTE_MS
/** Longer than a missed night; shorter than the jump and the lifetime of an account that it would end. */
const GAP_MAX_MS = 2 * DAY_MS
/** The time for an operator to correct the clock; a little less than until the next nightly run. */
const DOUBT_MS = 23 * HOUR_MS
/** More than a run takes. */
const LATE_MS = HOUR_MS

/**
 * Deletes users who did not verify within UNVERIFIED_USER_TTL_HOURS or accept their invitation, and records
 * how many. A run that would delete more than 1 000 users and more than half of all deletes none while the
 * clock is in doubt, unless with `force`.
 */
export async function cleanUp(
  ctx: Context,
  run: JobRun,
  { force = run.request?.force ?? false }: { force?: boolean } = {},
): Promise<Counts> {
  const cause = run.request === undefined ? NO_CAUSE : { actorId: run.request.actorId }
  const record = (event: AuditEventName, changes: Counts) =>
    commit(ctx, cause, (write) => write.record(event, { changes }))
  // Read once: a jump of the clock during the run must not move the cutoff.
  const cutoff = expiryCutoff(ctx)
  const refusal = force ? undefined : await findRefusal(ctx, cutoff, ctx.db)
  if (refusal !== undefined) {
    const { expired, users, because, sinceMs } = refusal
    ctx.log.error(
      { expired, users, why: WHY[because], since: toIso(sinceMs) },
      'clean-up refused: it would delete more than half of all users, and the clock may be wrong. Check it; to delete them now: npm run cli -- cleanup --force',
    )
    await record('users.clean_up_refused', { deleted: 0, refused: 1, expired, users })
    return { refused: 1, expired, users, since_ms: sinceMs }
  }
  const counts = { found: 0, deleted: 0 }
  for (let after: CreationKey | undefined, more = true; more;) {
    const from = after
    const batch = await run.batch((tx) => cleanUpSome(writeIn(ctx, tx, cause), cutoff, from))
    counts.found += batch.found
    counts.deleted += batch.deleted
    more = batch.found >= ctx.batchMax
    after = batch.last
  }
  // A day without any event means that the clean-up does not run.
  if (counts.deleted === 0) await record('users.cleaned_up', counts)
  return counts
}

/**
 * What a run would do now: how many accounts have expired, counted up to `max` and one more, and why it
 * would delete none of them.
 */
export async function previewCleanUp(
  ctx: Context,
  max: number,
): Promise<{ expired: number; refusal: Refusal | undefined }> {
  const cutoff = expiryCutoff(ctx)
  const expired = await countFirstExpired(ctx.db, cutoff, max + 1)
  return { expired, refusal: await findRefusal(ctx, cutoff, ctx.longReads) }
}

/** True when a scheduled time passed more than an hour ago and no run did its work. */
export async function isCleanUpOverdue({ config, db, now }: Context): Promise<boolean> {
  const last = await findLastRun(db, CLEAN_UP, now())
  const dueMs = readCron(config.cleanupSchedule).latestMs(now() - LATE_MS)
  if (dueMs === undefined) return false
  return last === undefined || last.slotMs < dueMs || last.counts['refused'] !== undefined
}

/**
 * Each batch has its own event, because each is committed by itself. It begins after the last one: the
 * index entries of deleted rows stay for a while.
 */
async function cleanUpSome(
  write: Write,
  cutoff: Cutoff,
  after: CreationKey | undefined,
): Promise<{ found: number; deleted: number; last?: CreationKey | undefined }> {
  const found = await findExpiredUsers(write.tx, { cutoff, limit: write.ctx.batchMax, after })
  if (found.length === 0) return { found: 0, deleted: 0 }
  const { erased } = await erase(write, found, { unverified: { cutoff }, isRecorded: false })
  const counts = { found: found.length, deleted: erased.length }
  if (counts.deleted > 0) await write.record('users.cleaned_up', { changes: counts })
  return { ...counts, last: found.at(-1) }
}

interface Doubt {
  readonly because: keyof typeof WHY
  readonly sinceMs: number
}

export interface Refusal extends Doubt {
  readonly expired: number
  readonly users: number
}

const WHY = {
  clock_ahead: 'it is ahead of the database’s clock',
  last_run_long_ago: 'the last run was long ago',
} as const

/** Counts last: only where the clock is in doubt does it matter whether most users would be deleted. */
async function findRefusal(ctx: Context, cutoff: Cutoff, db: Db): Promise<Refusal | undefined> {
  if (!(await hasMoreExpiredUsers(ctx.db, cutoff, UNCHECKED_MAX))) return undefined
  const doubt = await findDoubt(ctx)
  if (doubt === undefined) return undefined
  const [expired, users] = [await countExpiredUsers(db, cutoff), await countUsers(db)]
  return expired * 2 <= users ? undefined : { ...doubt, expired, users }
}

/**
 * The reason to distrust the clock, and since when it has been known. A clock ahead of the database's is
 * distrusted for as long as it is. A gap since the last run, which a jump of the clock leaves behind, for a
 * day: then either an operator has corrected the clock, or the process was merely off.
 */
async function findDoubt(ctx: Context): Promise<Doubt | undefined> {
  const nowMs = ctx.now()
  const last = await findLastRun(ctx.db, CLEAN_UP, nowMs)
  // Set by a refused run.
  const sinceMs = last?.counts['since_ms']
  if (nowMs - (await ctx.checkDatabase()) > AHEAD_MAX_MS)
    return { because: 'clock_ahead', sinceMs: sinceMs ?? nowMs }
  const isGap = last === undefined || nowMs - last.slotMs > GAP_MAX_MS
  if (sinceMs === undefined ? !isGap : nowMs - sinceMs >= DOUBT_MS) return undefined
  return { because: 'last_run_long_ago', sinceMs: sinceMs ?? nowMs }
}
