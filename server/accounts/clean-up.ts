import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import type { Counts } from '../schedule/jobs.ts'
import type { JobRun } from '../schedule/schedule.ts'
import { countExpiredUsers, countUsers, findExpiredUsers } from './expired-users.ts'
import { expiryCutoff } from './expiry.ts'
import { commit, NO_CAUSE, writeIn } from '../outbox/write.ts'
import { erase } from './erase.ts'

/** A run may always delete so many; more than that only if at least half of all users stay. */
const UNSUSPICIOUS = 1000

/**
 * Deletes the users who were never verified within UNVERIFIED_USER_TTL_HOURS, whatever else they have,
 * and records how many. When that would be more than 1 000 and more than half of all, the clock is the
 * likelier culprit: nobody is deleted unless `force` says so.
 */
export async function cleanUp(
  ctx: Context,
  run: JobRun,
  { force = false }: { force?: boolean } = {},
): Promise<Counts> {
  // Taken once: a run that began before the clock jumped deletes nobody by the new time.
  const cutoff = expiryCutoff(ctx)
  const refusal = force ? undefined : await findRefusal(ctx, cutoff)
  if (refusal !== undefined) {
    await record(ctx, 'users.clean_up_refused', { deleted: 0, ...refusal })
    return refusal
  }
  const counts = { found: 0, deleted: 0 }
  try {
    for (let more = true; more;) {
      const { found, deleted } = await run.batch((tx) => cleanUpSome(ctx, tx, cutoff))
      counts.found += found
      counts.deleted += deleted
      more = found >= ctx.batchMax
    }
  } finally {
    // A run that is stopped has deleted somebody, too.
    await record(ctx, 'users.cleaned_up', counts)
  }
  return counts
}

/** For admins to read; ids of the deleted are not kept, their owners wanted nothing. */
function record(
  ctx: Context,
  event: 'users.cleaned_up' | 'users.clean_up_refused',
  changes: Counts,
): Promise<void> {
  return commit(ctx, NO_CAUSE, (write) => write.record(event, { changes }))
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

async function findRefusal(ctx: Context, cutoff: string): Promise<Counts | undefined> {
  const expired = await countExpiredUsers(ctx.db, cutoff)
  if (expired <= UNSUSPICIOUS) return undefined
  const users = await countUsers(ctx.db)
  if (expired * 2 <= users) return undefined
  ctx.log.error(
    { expired, users },
    'clean-up refused: it would delete more than half of all users. Check the clock; to delete them: npm run cli -- cleanup --force',
  )
  return { refused: 1, expired, users }
}
