import {
  COUNTED,
  countEvents,
  type DailyCounts,
  findDailyCounts,
  SERIES,
  type Series,
} from '../audit/daily-counts.ts'
import type { Context } from '../context.ts'
import { DAY_MS, toIso } from '../lib/units.ts'

/** The days that are counted, with the current one. */
export const DAYS = 14
/** A day that ended a moment ago still lacks its last hour. */
const RECENT_MS = 2 * DAY_MS

interface DayCount {
  readonly count: number
  /** `at_least`: the count ended at its maximum, or the day has not been counted to its end. */
  readonly accuracy: 'exact' | 'kept' | 'at_least'
}

export interface CountedDay extends Readonly<Record<Series, DayCount>> {
  /** `yyyy-mm-dd`, in UTC. */
  readonly day: string
}

/** The beginnings of the days that are counted, oldest first. */
export function daysUntil(nowMs: number): number[] {
  const todayMs = startOf(DAY_MS, nowMs)
  return Array.from({ length: DAYS }, (_, n) => todayMs - (DAYS - 1 - n) * DAY_MS)
}

export function startOf(periodMs: number, timeMs: number): number {
  return Math.floor(timeMs / periodMs) * periodMs
}

export function dayOf(timeMs: number): string {
  return toIso(timeMs).slice(0, 'yyyy-mm-dd'.length)
}

/** Undefined for a count by a clock that ran ahead. */
export function countedUntilMs(counts: DailyCounts | undefined, nowMs: number): number | undefined {
  const untilMs = Date.parse(counts?.counted_until ?? '')
  return untilMs <= nowMs ? untilMs : undefined
}

/**
 * The events of the last days, oldest first: what the job `tally` counted, until `keptUntilMs`, and of this and the
 * day before what came later, up to `max` of each series: whole days are not read, however long it has not run.
 */
export async function countDays(
  { db, now }: Context,
  max: number,
): Promise<{ days: CountedDay[]; keptUntilMs: number | undefined }> {
  const nowMs = now()
  const beginnings = daysUntil(nowMs)
  const kept = await findDailyCounts(db, dayOf(beginnings[0] ?? nowMs))
  const days: CountedDay[] = []
  let keptUntilMs: number | undefined
  for (const dayMs of beginnings) {
    const day = dayOf(dayMs)
    const ofDay = kept.find((counts) => counts.day === day)
    const untilMs = countedUntilMs(ofDay, nowMs)
    keptUntilMs = untilMs ?? keptUntilMs
    const rest = { sinceMs: untilMs ?? dayMs, untilMs: dayMs + DAY_MS }
    const count = async (series: Series): Promise<DayCount> => {
      const before = untilMs === undefined ? 0 : (ofDay?.[series] ?? 0)
      if (rest.sinceMs === rest.untilMs) return { count: before, accuracy: 'kept' }
      if (nowMs - dayMs >= RECENT_MS) return { count: before, accuracy: 'at_least' }
      const later = await countEvents(db, COUNTED[series], { ...rest, max: max + 1 })
      return later > max
        ? { count: before + max, accuracy: 'at_least' }
        : { count: before + later, accuracy: 'exact' }
    }
    const counts = {} as Record<Series, DayCount>
    for (const series of SERIES) counts[series] = await count(series)
    days.push({ day, ...counts })
  }
  return { days, keptUntilMs }
}
