import {
  COUNTED,
  countEvents,
  findDailyCounts,
  forgetOtherDays,
  keepDailyCounts,
  SERIES,
} from '../audit/daily-counts.ts'
import type { Context } from '../context.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../lib/units.ts'
import type { Counts } from '../schedule/jobs.ts'
import type { JobRun } from '../schedule/schedule.ts'
import { countedUntilMs, dayOf, daysUntil, startOf } from './daily-counts.ts'

/** Its name in `jobs` and in the log. */
export const TALLY = 'tally'

/** An event is committed a little later than its time. */
const LATE_MS = MINUTE_MS

/** What one statement counts. PostgreSQL counts about 12 million events in the 5 seconds that it has. */
const STATEMENT_MS = 3 * HOUR_MS

/** Counts the events of the last days that are not counted to their end: of the current one to the last full hour. */
export async function tally(ctx: Context, run: Pick<JobRun, 'batch'>): Promise<Counts> {
  const nowMs = ctx.now()
  const fullMs = startOf(HOUR_MS, nowMs - LATE_MS)
  const beginnings = daysUntil(nowMs)
  const first = dayOf(beginnings[0] ?? nowMs)
  await run.batch((tx) => forgetOtherDays(tx, { first, last: dayOf(nowMs) }))
  const kept = await findDailyCounts(ctx.db, first)
  let days = 0
  for (const dayMs of beginnings) {
    const day = dayOf(dayMs)
    const untilMs = Math.min(dayMs + DAY_MS, fullMs)
    const keptMs = countedUntilMs(
      kept.find((counts) => counts.day === day),
      nowMs,
    )
    if (untilMs <= dayMs || keptMs === untilMs) continue
    // The whole day once more: a run that is repeated counts nothing twice, and what was committed late or by a
    // clock that lags is found until the day ends.
    const counts = { sign_ups: 0, logins: 0, refused_logins: 0 }
    for (let sinceMs = dayMs; sinceMs < untilMs; sinceMs += STATEMENT_MS)
      for (const series of SERIES)
        counts[series] += await countEvents(ctx.longReads, COUNTED[series], {
          sinceMs,
          untilMs: Math.min(sinceMs + STATEMENT_MS, untilMs),
        })
    await run.batch((tx) => keepDailyCounts(tx, { day, counted_until: toIso(untilMs), ...counts }))
    days++
  }
  return { days }
}
