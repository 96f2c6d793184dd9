import { Cron } from 'croner'
import { SECOND_MS } from './units.ts'

/** The times of a cron expression in UTC; with six fields, the first is seconds. */
export interface CronSchedule {
  /** The newest time at or before `nowMs`, Unix milliseconds. */
  latestMs(nowMs: number): number | undefined
  /** The first time after `nowMs`. */
  nextMs(nowMs: number): number | undefined
}

/** Throws unless the expression is valid and has five or six fields. */
export function readCron(expression: string): CronSchedule {
  const cron = new Cron(expression, { timezone: 'UTC', mode: '5-or-6-parts' })
  return {
    latestMs(nowMs) {
      // `previousRuns` excludes the reference time.
      const nextSecondMs = Math.floor(nowMs / SECOND_MS) * SECOND_MS + SECOND_MS
      return cron.previousRuns(1, new Date(nextSecondMs))[0]?.getTime()
    },
    nextMs: (nowMs) => cron.nextRun(new Date(nowMs))?.getTime(),
  }
}

/** False for a date that never occurs, such as 30 February. */
export function everRuns(expression: string): boolean {
  return new Cron(expression, { timezone: 'UTC', mode: '5-or-6-parts' }).nextRun() !== null
}
