import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Kysely } from 'kysely'
import { countDays, DAYS } from '../server/accounts/daily-counts.ts'
import { tally } from '../server/accounts/tally.ts'
import type { Schema } from '../server/database/schema.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../server/lib/units.ts'
import type { JobRun } from '../server/schedule/schedule.ts'
import { runJob } from './support/jobs.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

// The events of each day, counted beside the log.

type Batch = JobRun['batch']

const START_MS = Date.UTC(2026, 0, 1, 12)
const MIDNIGHT_MS = Date.UTC(2026, 0, 1)
const TODAY = '2026-01-01'

const daysOf = async ({ ctx }: Service) =>
  (await rowsOf(ctx, 'daily_counts')).toSorted((one, other) => (one.day < other.day ? -1 : 1))
/** How many logins of a day were counted, and until when. */
async function countedOf(service: Service, day: string) {
  const counts = (await daysOf(service)).find((row) => row.day === day)
  return counts && [counts.logins, counts.counted_until]
}
const addLogin = ({ ctx }: Service, atMs: number) =>
  ctx.transaction((tx) =>
    tx
      .insertInto('audit_events')
      .values({ at: toIso(atMs), event: 'session.opened', changes: '{}' })
      .execute(),
  )

test('what has not been kept is counted up to a maximum', async () => {
  await using service = await startService()
  await addLogin(service, START_MS)
  service.advance(HOUR_MS + 5 * MINUTE_MS)
  await runJob(service, 'tally')
  for (let n = 0; n < 3; n++) await addLogin(service, service.clock.nowMs)

  const loginsOf = async (max: number) => (await countDays(service.ctx, max)).days.at(-1)?.logins

  assert.deepEqual(await loginsOf(3), { count: 4, accuracy: 'exact' })
  assert.deepEqual(await loginsOf(2), { count: 3, accuracy: 'at_least' })
})

describe('the tally', () => {
  test('counts 14 days, each with its first and last moment, this one to its last full hour', async () => {
    await using service = await startService()
    const moments = [-DAY_MS, -1, 0, 12 * HOUR_MS, 13 * HOUR_MS - 1, 13 * HOUR_MS]
    for (const ms of moments) await addLogin(service, MIDNIGHT_MS + ms)
    service.advance(HOUR_MS + 5 * MINUTE_MS)

    await runJob(service, 'tally')

    const days = await daysOf(service)
    assert.deepEqual([days.length, days[0].day, days[13].day], [14, '2025-12-19', TODAY])
    assert.deepEqual(await countedOf(service, '2025-12-31'), [2, toIso(MIDNIGHT_MS)])
    assert.deepEqual(await countedOf(service, TODAY), [3, toIso(START_MS + HOUR_MS)])
  })

  test('leaves an hour that ended less than a minute ago to the next run', async () => {
    await using service = await startService()
    service.advance(HOUR_MS + MINUTE_MS - SECOND_MS)
    await runJob(service, 'tally')
    const early = await countedOf(service, TODAY)

    service.advance(10 * MINUTE_MS)
    await runJob(service, 'tally')

    assert.deepEqual(early, [0, toIso(START_MS)])
    assert.deepEqual(await countedOf(service, TODAY), [0, toIso(START_MS + HOUR_MS)])
  })

  test('counts a day to its end after midnight, and then no more', async () => {
    await using service = await startService()
    await addLogin(service, START_MS)
    service.advance(12 * HOUR_MS)
    await runJob(service, 'tally')
    const tooEarly = await countedOf(service, TODAY)
    service.advance(5 * MINUTE_MS)
    await runJob(service, 'tally')
    const after = await countedOf(service, TODAY)
    await addLogin(service, START_MS)

    service.advance(HOUR_MS)
    await runJob(service, 'tally')

    assert.deepEqual(tooEarly, [1, toIso(START_MS + 11 * HOUR_MS)])
    assert.deepEqual(after, [1, toIso(MIDNIGHT_MS + DAY_MS)])
    assert.deepEqual(await countedOf(service, TODAY), after)
  })

  test('keeps what it counted when the events are deleted, and forgets days that are over', async () => {
    await using service = await startService({ AUDIT_KEEP_DAYS: '1' })
    await addLogin(service, START_MS)
    for (const ms of [12 * HOUR_MS + 5 * MINUTE_MS, 3 * DAY_MS]) {
      service.advance(ms)
      await runJob(service, 'tally')
      await runJob(service, 'purge')
    }
    const left = (await rowsOf(service.ctx, 'audit_events')).length
    const afterDays = await countedOf(service, TODAY)

    service.advance(11 * DAY_MS)
    await runJob(service, 'tally')

    assert.deepEqual([left, afterDays], [0, [1, toIso(MIDNIGHT_MS + DAY_MS)]])
    assert.equal(await countedOf(service, TODAY), undefined)
  })

  test('counts what was committed after its hour had been counted', async () => {
    await using service = await startService()
    service.advance(HOUR_MS + 5 * MINUTE_MS)
    await runJob(service, 'tally')
    await addLogin(service, START_MS + MINUTE_MS)

    service.advance(HOUR_MS)
    await runJob(service, 'tally')

    assert.deepEqual(await countedOf(service, TODAY), [1, toIso(START_MS + 2 * HOUR_MS)])
  })

  test('counts at most three hours in one statement, which has a limit', async () => {
    await using service = await startService()
    const periodsMs: number[] = []
    const longReads = (service.ctx.longReads as Kysely<Schema>).withPlugin({
      transformQuery({ node }) {
        const [since = '', until = ''] = JSON.stringify(node).match(/[0-9-]{10}T[0-9:.]+Z/g) ?? []
        periodsMs.push(Date.parse(until) - Date.parse(since))
        return node
      },
      transformResult: async ({ result }) => result,
    })
    Object.assign(service.ctx, { longReads })

    await runJob(service, 'tally')

    assert.equal(Math.max(...periodsMs), 3 * HOUR_MS)
  })

  test('counts nothing twice after a run that was killed, nor where two processes run at once', async () => {
    await using service = await startService()
    await using other = await startService({}, { replicaOf: service })
    for (const atMs of [START_MS - DAY_MS, START_MS]) await addLogin(service, atMs)
    service.advance(HOUR_MS + 5 * MINUTE_MS)
    let batches = 0
    // The first forgets former days, each of the next ones keeps a day.
    const batch: Batch = (work) =>
      ++batches > DAYS ? Promise.reject(new Error('killed')) : service.ctx.transaction(work)
    await assert.rejects(tally(service.ctx, { batch }), /killed/)
    const afterKill = (await daysOf(service)).map(({ day }) => day)

    await Promise.all([service, other].map(({ ctx }) => tally(ctx, { batch: ctx.transaction })))

    assert.deepEqual([afterKill.length, afterKill.at(-1)], [DAYS - 1, '2025-12-31'])
    assert.deepEqual(await countedOf(service, '2025-12-31'), [1, toIso(MIDNIGHT_MS)])
    assert.deepEqual(await countedOf(service, TODAY), [1, toIso(START_MS + HOUR_MS)])
  })

  test('counts days again that a clock counted that ran ahead', async () => {
    await using service = await startService()
    service.advance(2 * DAY_MS)
    await runJob(service, 'tally')
    service.advance(-2 * DAY_MS + 5 * MINUTE_MS)
    await addLogin(service, START_MS + MINUTE_MS)
    service.advance(HOUR_MS)
    const meanwhile = await countDays(service.ctx, 10)

    await runJob(service, 'tally')

    assert.deepEqual(meanwhile.days.at(-1)?.logins, { count: 1, accuracy: 'exact' })
    assert.deepEqual(await countedOf(service, TODAY), [1, toIso(START_MS + HOUR_MS)])
    assert.equal((await daysOf(service)).at(-1).day, TODAY)
  })
})
