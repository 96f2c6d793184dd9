import { recordEvent } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import type { Counts } from '../schedule/job-runs.ts'
import type { JobRun } from '../schedule/schedule.ts'
import { countExpiredUsers, countUsers, findExpiredUsers } from './expired-users.ts'
import { expiryCutoff } from './expiry.ts'
import { writeIn } from '../outbox/write.ts'
import { erase } from './erase.ts'

/** A run may always delete so many; more than that only if at least half of all users stay. */
const UNSUSPICIOUS = 1000

/**
 * Deletes the users who were never verified within UNVERIFIED_USER_TTL_HOURS, whatever else they have.
 * When that would be more than 1 000 and more than half of all, the clock is the likelier culprit:
 * nobody is deleted unless `force` says so.
 */
export async function cleanUp(
  ctx: Context,
  run: JobRun,
  { force = false }: { force?: boolean } = {},
): Promise<void> {
  // Taken once: a run that began before the clock jumped deletes nobody by the new time.
  const cutoff = expiryCutoff(ctx)
  if (!force && (await refuses(ctx, run, cutoff))) return
  for (let more = true; more;) {
    const { found } = await run.batch((tx) => cleanUpSome(ctx, tx, cutoff))
    more = found >= ctx.batchMax
  }
}

/** What an admin reads about each run; ids of the deleted are not kept, their owners wanted nothing. */
export async function recordCleanUp(tx: Tx, totals: Counts, nowMs: number): Promise<void> {
  const refused = totals['refused'] !== undefined
  const event = refused ? 'users.clean_up_refused' : 'users.cleaned_up'
  await recordEvent(tx, { event, changes: { deleted: 0, ...totals } }, nowMs)
}

async function cleanUpSome(
  ctx: Context,
  tx: Tx,
  cutoff: string,
): Promise<{ found: number; deleted: number }> {
  const found = await findExpiredUsers(tx, { cutoff, limit: ctx.batchMax })
  if (found.length === 0) return { found: 0, deleted: 0 }
  const unverified = { cutoff }
  const { erased } = await erase(writeIn(ctx, tx), found, { unverified, isRecorded: false })
  return { found: found.length, deleted: erased.length }
}

async function refuses(ctx: Context, run: JobRun, cutoff: string): Promise<boolean> {
  const expired = await countExpiredUsers(ctx.db, cutoff)
  if (expired <= UNSUSPICIOUS) return false
  const users = await countUsers(ctx.db)
  if (expired * 2 <= users) return false
  await run.batch(async () => ({ refused: 1, expired, users }))
  ctx.log.error(
    { expired, users },
    'clean-up refused: it would delete more than half of all users. Check the clock; to delete them: npm run cli -- cleanup --force',
  )
  return true
}
