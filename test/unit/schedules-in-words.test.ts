import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSchedule, type Schedule } from '../../web/src/console/schedule.ts'

const SCHEDULES: Readonly<Record<string, Schedule>> = {
  '0 0 * * *': { every: 'days', time: '00:00' },
  '30 4 * * *': { every: 'days', time: '04:30' },
  '0 5 14 * * *': { every: 'days', time: '14:05' },
  '30 * * * *': { every: 'hours', minute: '30' },
  '0 5 * * * *': { every: 'hours', minute: '5' },
  '* * * * * *': { every: 'seconds' },
}

for (const [cron, schedule] of Object.entries(SCHEDULES))
  test(`${cron} is said in words`, () => assert.deepEqual(readSchedule(cron), schedule))

for (const cron of [
  '* * * * *',
  '*/5 * * * *',
  '0 0,12 * * *',
  '15 0 0 * * *',
  '0 0 1 * *',
  '0 0 * * 1',
  '0 0 29 2 *',
  '@daily',
])
  test(`${cron} is shown as it is`, () => assert.deepEqual(readSchedule(cron), { every: 'other' }))
