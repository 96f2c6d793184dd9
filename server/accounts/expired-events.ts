import { deleteEventsBefore } from '../audit/events.ts'
import type { Context } from '../context.ts'
import type { Tx } from '../database/connect.ts'
import {
  addMonth,
  dropMonth,
  findMissing,
  findMonths,
  isLocked,
  type Month,
} from '../database/months.ts'
import type { Counts } from '../schedule/jobs.ts'
import type { JobRun } from '../schedule/schedule.ts'

/**
 * A month of more is dropped when its last event has expired, instead of being emptied hour by hour: some
 * 40 million events, whose deletion costs as much as their recording.
 */
const EMPTIED_MAX_BYTES = 10 * 1024 ** 3

/** Adds the current month and the next ones where the audit log is partitioned. */
export async function addMonths(ctx: Context, run: JobRun): Promise<void> {
  const months = await readMonths(ctx, run)
  if (months === undefined) return
  if (!months.canChange)
    ctx.log.warn(
      'the user of the database may not change the months of the audit log: events are deleted row by row. Make it the owner of the tables and the schema',
    )
  for (const month of findMissing(months, ctx.now()))
    await changeMonth(ctx, run, (tx) => addMonth(tx, month))
}

/** Deletes audit events older than `cutoff`: whole months, and row by row what is in others. */
export async function deleteExpiredEvents(
  ctx: Context,
  run: JobRun,
  cutoff: string,
): Promise<Counts> {
  const { months = [], canChange = false } = (await readMonths(ctx, run)) ?? {}
  const dropped = new Set<Month>()
  for (const month of canChange ? months.filter(({ endsAt }) => endsAt <= cutoff) : [])
    if (await changeMonth(ctx, run, (tx) => dropMonth(tx, month))) dropped.add(month)
  const left = canChange ? months.filter((month) => !dropped.has(month)) : []
  const before = startOfLarge(left, cutoff)
  const deleted = await run.drain((tx, limit) => deleteEventsBefore(tx, before, limit))
  return { audit_events: deleted, ...(dropped.size > 0 && { audit_months: dropped.size }) }
}

/** The time before which events are deleted row by row: the start of the first large month, or `cutoff`. */
export function startOfLarge(
  months: readonly Month[],
  cutoff: string,
  maxBytes = EMPTIED_MAX_BYTES,
): string {
  const large = months.filter(({ bytes, startsAt }) => bytes > maxBytes && startsAt !== '')
  return [cutoff, ...large.map(({ startsAt }) => startsAt)].toSorted()[0] ?? cutoff
}

async function readMonths({ dialect }: Context, run: JobRun) {
  return dialect === 'postgres' ? run.batch(findMonths) : undefined
}

/** False, and left to the next run, if a lock was not free. */
async function changeMonth(
  { log }: Context,
  run: JobRun,
  change: (tx: Tx) => Promise<void>,
): Promise<boolean> {
  try {
    await run.batch(change)
    return true
  } catch (error) {
    if (!isLocked(error)) throw error
    log.info('the months of the audit log are in use; the next purge changes them')
    return false
  }
}
