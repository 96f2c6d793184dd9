import { Cron } from 'croner'
import { SECOND_MS } from './units.ts'

/** Times that a cron expression names, in UTC; seconds are its sixth field, the first. */
export interface CronSchedule {
  /** The newest of them at `nowMs` or before, Unix milliseconds. */
  latestMs(nowMs: number): number | undefined
}

/** Throws for what is no cron expression of five or six fields. */
export function readCron(expression: string): CronSchedule {
  const cron = new Cron(expression, { timezone: 'UTC', mode: '5-or-6-parts' })
  return {
    latestMs(nowMs) {
      // `previousRuns` leaves out the reference itself.
      const nextSecondMs = Math.floor(nowMs / SECOND_MS) * SECOND_MS + SECOND_MS
      return cron.previousRuns(1, new Date(nextSecondMs))[0]?.getTime()
    },
  }
}

/** False for a day that never comes, as 30 February. */
export function everRuns(expression: string): boolean {
  return new Cron(expression, { timezone: 'UTC', mode: '5-or-6-parts' }).nextRun() !== null
}
