import type { Context } from '../context.ts'
import type { Counts } from '../schedule/jobs.ts'
import type { JobRun } from '../schedule/schedule.ts'
import { countExpiredUsers, countUsers, findExpiredUsers } from './expired-users.ts'
import { expiryCutoff } from './expiry.ts'
import { commit, NO_CAUSE, writeIn, type Write } from './write.ts'
import { erase } from './erase.ts'

/** A run may delete this many; more only if at least half of all users remain. */
const UNCHECKED_MAX = 1000

/**
 * Deletes users who did not verify within UNVERIFIED_USER_TTL_HOURS, and records how many. A run that
 * would delete more than 1 000 users and more than half of all deletes none without `force`, because the
 * clock is probably wrong.
 */
export async function cleanUp(
  ctx: Context,
  run: JobRun,
  { force = false }: { force?: boolean } = {},
): Promise<Counts> {
  // Read once: a jump of the clock during the run must not move the cutoff.
  const cutoff = expiryCutoff(ctx)
  const refusal = force ? undefined : await findRefusal(ctx, cutoff)
  if (refusal !== undefined) {
    await record(ctx, 'users.clean_up_refused', { deleted: 0, ...refusal })
    return refusal
  }
  const counts = { found: 0, deleted: 0 }
  for (let more = true; more;) {
    const { found, deleted } = await run.batch((tx) => cleanUpSome(writeIn(ctx, tx), cutoff))
    counts.found += found
    counts.deleted += deleted
    more = found >= ctx.batchMax
  }
  // A day without any event means that the clean-up does not run.
  if (counts.deleted === 0) await record(ctx, 'users.cleaned_up', counts)
  return counts
}

/** The audit event holds counts only, no ids of deleted users. */
function record(
  ctx: Context,
  event: 'users.cleaned_up' | 'users.clean_up_refused',
  changes: Counts,
): Promise<void> {
  return commit(ctx, NO_CAUSE, (write) => write.record(event, { changes }))
}

/** Each batch has its own event, because each is committed by itself. */
async function cleanUpSome(
  write: Write,
  cutoff: string,
): Promise<{ found: number; deleted: number }> {
  const found = await findExpiredUsers(write.tx, { cutoff, limit: write.ctx.batchMax })
  if (found.length === 0) return { found: 0, deleted: 0 }
  const { erased } = await erase(write, found, { unverified: { cutoff }, isRecorded: false })
  const counts = { found: found.length, deleted: erased.length }
  if (counts.deleted > 0) await write.record('users.cleaned_up', { changes: counts })
  return counts
}

async function findRefusal(ctx: Context, cutoff: string): Promise<Counts | undefined> {
  const expired = await countExpiredUsers(ctx.db, cutoff)
  if (expired <= UNCHECKED_MAX) return undefined
  const users = await countUsers(ctx.db)
  if (expired * 2 <= users) return undefined
  ctx.log.error(
    { expired, users },
    'clean-up refused: it would delete more than half of all users. Check the clock; to delete them: npm run cli -- cleanup --force',
  )
  return { refused: 1, expired, users }
}
