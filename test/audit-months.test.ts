import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { addMonths, deleteExpiredEvents, startOfLarge } from '../server/accounts/expired-events.ts'
import { type AuditFilters, findEventPage, recordEvent } from '../server/audit/events.ts'
import { findMonths, partitionByMonth } from '../server/database/months.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../server/lib/units.ts'
import { DATABASE } from './support/database.ts'
import { runJob } from './support/jobs.ts'
import { pagesFrom } from './support/pages.ts'
import { startPlans } from './support/plans.ts'
import { runOn } from './support/process.ts'
import { times } from './support/races.ts'
import { rowsOf } from './support/seed.ts'
import { type Service, startService } from './support/service.ts'

const record = ({ ctx }: Service, atMs = ctx.now(), about = {}) =>
  ctx.transaction((tx) => recordEvent(tx, { event: 'data.exported', ...about }, atMs))

const partition = ({ ctx }: Service) => ctx.transaction((tx) => partitionByMonth(tx, ctx.now()))

async function monthsOf({ ctx }: Service): Promise<string[]> {
  const { months = [] } = (await ctx.transaction(findMonths)) ?? {}
  return months.map(({ name }) => name.replace('audit_events_', '')).toSorted()
}

/** Where each event is, in the order of their ids. */
async function placesOf({ ctx }: Service): Promise<string[]> {
  const { rows } = await ctx.transaction((tx) =>
    sql<{ place: string }>`
      select tableoid::regclass::text as place from audit_events order by id`.execute(tx),
  )
  return rows.map(({ place }) => place.replace('audit_events_', ''))
}

const purgeLine = ({ logged }: Service) =>
  JSON.parse(logged.findLast((text) => text.includes('"job":"purge"')) ?? '{}')

async function purgeAfter(service: Service, ms: number): Promise<void> {
  service.advance(ms)
  await runJob(service, 'purge')
}

test('partition is refused on SQLite', { skip: DATABASE !== 'sqlite' }, async () => {
  await using service = await startService()

  const { exitCode, stderr } = await runOn(service, ['partition'])

  assert.deepEqual([exitCode, stderr], [1, 'Only PostgreSQL has tables of months.\n'])
})

// The clock of the service begins on the first of January 2026.
if (DATABASE === 'postgres') {
  describe('an audit log in months', () => {
    test('keeps every event under its id, and numbers and orders new ones after them', async () => {
      await using service = await startService({}, { nowMs: Date.now() })
      const admin = await service.addAdmin()
      for (const n of times(5)) await record(service, service.ctx.now() - n * 40 * DAY_MS)
      const before = await rowsOf(service.ctx, 'audit_events')

      const first = await runOn(service, ['partition'])
      const second = await runOn(service, ['partition'])
      const doctor = await runOn(service, ['doctor'])
      const kept = await rowsOf(service.ctx, 'audit_events')
      await record(service)

      assert.deepEqual([first.exitCode, first.stdout], [0, 'Partitioned by month.\n'])
      assert.deepEqual([second.exitCode, second.stdout], [0, 'Already partitioned by month.\n'])
      assert.match(doctor.stdout, /^ok {3}ids$/m)
      const byId = (rows: any[]) => rows.toSorted((a, b) => a.id - b.id)
      assert.deepEqual(byId(kept), byId(before))
      const ids = (await rowsOf(service.ctx, 'audit_events')).map(({ id }) => id)
      assert.equal(Math.max(...ids), Math.max(...before.map(({ id }) => id)) + 1)
      const listed = (
        await pagesFrom(service, '/api/v1/audit?limit=2', { token: admin.access })
      ).flat()
      assert.equal(listed.length, before.length + 1)
      const order = listed.map(({ at }) => Date.parse(at))
      assert.deepEqual(
        order,
        order.toSorted((a, b) => b - a),
      )
    })

    test('puts new events into their months, and those of no month into the default table', async () => {
      await using service = await startService()
      await record(service)
      await partition(service)

      for (const days of [0, 31, 31 + 28, 200, -400])
        await record(service, service.ctx.now() + days * DAY_MS)

      assert.deepEqual(await monthsOf(service), ['2026_02', '2026_03', '2026_04', 'until_2026_01'])
      assert.deepEqual(await placesOf(service), [
        'until_2026_01',
        'until_2026_01',
        '2026_02',
        '2026_03',
        'default',
        'until_2026_01',
      ])
    })

    test('leaves the rows in place to the end of the month of the latest', async () => {
      await using service = await startService()
      await record(service, service.ctx.now() + 70 * DAY_MS)

      await partition(service)
      await record(service)

      assert.deepEqual(await placesOf(service), ['until_2026_03', 'until_2026_03'])
    })

    test('gets the next months from the purge, but for one whose events came before it', async () => {
      await using service = await startService()
      await partition(service)
      await purgeAfter(service, HOUR_MS)
      // In May, for which there is no month yet.
      await record(service, service.ctx.now() + 130 * DAY_MS)

      await purgeAfter(service, 60 * DAY_MS)
      const skipped = purgeLine(service)
      const months = await monthsOf(service)
      await record(service, service.ctx.now() + 95 * DAY_MS)

      // The clock is in doubt, but nothing is deleted.
      assert.equal(skipped.skipped, 1)
      assert.deepEqual(months, ['2026_02', '2026_03', '2026_04', '2026_06', 'until_2026_01'])
      assert.deepEqual(await placesOf(service), ['default', '2026_06'])
    })

    test('loses a month at once when its last event has expired, others row by row', async () => {
      await using service = await startService({ AUDIT_KEEP_DAYS: '10' })
      await record(service)
      await partition(service)
      await purgeAfter(service, HOUR_MS)
      for (const days of [32, 45, 200]) await record(service, service.ctx.now() + days * DAY_MS)

      // The twenty-first of February.
      await purgeAfter(service, 51 * DAY_MS)
      await purgeAfter(service, HOUR_MS)
      const february = [await placesOf(service), purgeLine(service)]
      const months = await monthsOf(service)
      await purgeAfter(service, 200 * DAY_MS)
      await purgeAfter(service, HOUR_MS)

      assert.deepEqual(february[0], ['2026_02', 'default'])
      assert.deepEqual([february[1].audit_months, february[1].audit_events], [1, 1])
      assert.ok(!months.includes('until_2026_01') && months.includes('2026_02'))
      assert.deepEqual(await placesOf(service), [])
      assert.deepEqual(await monthsOf(service), ['2026_09', '2026_10', '2026_11', '2026_12'])
    })

    test('keeps a month while another reads it; its expired events are deleted all the same', async () => {
      await using service = await startService({ AUDIT_KEEP_DAYS: '10' })
      await partition(service)
      await record(service)
      await purgeAfter(service, HOUR_MS)
      await purgeAfter(service, 51 * DAY_MS)
      const read = Promise.withResolvers<void>()
      const reading = Promise.withResolvers<void>()
      const dump = service.ctx.transaction(async (tx) => {
        await sql`lock table audit_events in access share mode`.execute(tx)
        reading.resolve()
        await read.promise
      })
      await reading.promise

      await purgeAfter(service, HOUR_MS)
      const kept = await monthsOf(service)
      const { audit_months, audit_events } = purgeLine(service)
      read.resolve()
      await dump
      await purgeAfter(service, HOUR_MS)

      assert.ok(kept.includes('until_2026_01'))
      assert.deepEqual([audit_months, audit_events], [undefined, 1])
      assert.ok(!(await monthsOf(service)).includes('until_2026_01'))
    })

    test('is emptied row by row by a user who may not change it', async () => {
      await using service = await startService({ AUDIT_KEEP_DAYS: '10' })
      await record(service)
      await partition(service)
      const role = `guest_${process.pid}`
      const rolledBack = new Error('rolled back')
      const work = service.ctx.transaction(async (tx) => {
        await sql
          .raw(`create role ${role}; grant select, delete on audit_events to ${role}`)
          .execute(tx)
        await sql.raw(`set local role ${role}`).execute(tx)
        const run = {
          batch: <Done>(step: (inner: typeof tx) => Promise<Done>) => step(tx),
          drain: (step: (inner: typeof tx, limit: number) => Promise<number>) => step(tx, 100),
        }
        await addMonths(service.ctx, run)
        const counts = await deleteExpiredEvents(service.ctx, run, toIso(Date.UTC(2026, 5)))
        const { canChange } = (await findMonths(tx)) ?? {}
        throw Object.assign(rolledBack, { counts, canChange })
      })

      await assert.rejects(work, { counts: { audit_events: 1 }, canChange: false })
      assert.ok(service.logged.some((line) => line.includes('may not change the months')))
    })

    test('passes on what others may do with the table', async () => {
      await using service = await startService()
      const query = (text: string) => service.ctx.transaction((tx) => sql.raw(text).execute(tx))
      await query('grant select on audit_events to public')

      await partition(service)

      const { rows } = await query("select has_table_privilege('public', 'audit_events', 'select')")
      assert.deepEqual({ ...(rows[0] as object) }, { has_table_privilege: true })
    })

    test('belongs to its owner, whoever runs the command', async () => {
      await using service = await startService()
      const owner = `owner_${process.pid}`
      const { rows } = await service.ctx
        .transaction(async (tx) => {
          const execute = (text: string) => sql.raw(text).execute(tx)
          await execute(`create role ${owner}; grant all on schema public to ${owner}`)
          await execute(`alter table audit_events owner to ${owner}`)
          await partitionByMonth(tx, service.ctx.now())
          const { rows: owners } = await execute(
            "select distinct relowner::regrole::text as name from pg_class where relname like 'audit_events%'",
          )
          // Roles belong to the whole server.
          throw Object.assign(new Error('rolled back'), { rows: owners })
        })
        .catch((error) => error)

      assert.deepEqual(
        rows.map(({ name }: { name: string }) => name),
        [owner],
      )
    })

    test('walks an index in each month, whatever the filter', async () => {
      const nowMs = Date.UTC(2026, 2, 15)
      await using plans = await startPlans(async (db) => {
        await db.transaction().execute((tx) => partitionByMonth(tx, nowMs - 31 * DAY_MS))
        const events = times(5000).map((n) => ({
          at: toIso(nowMs - n * 20 * MINUTE_MS),
          event: 'user.changed',
          actor_id: n % 50,
          subject_id: n % 50,
          changes: '{}',
        }))
        for (const part of times(10))
          await db
            .insertInto('audit_events')
            .values(events.slice(part * 500, part * 500 + 500))
            .execute()
      })
      const page = { limit: 101, before: undefined }
      for (const filters of [
        {},
        { event: 'user.disabled' },
        { subjectId: 7 },
        { actorId: 7 },
        { actorId: 7, since: toIso(nowMs - DAY_MS) },
      ] satisfies AuditFilters[]) {
        const plan = await plans.planOf((db) => findEventPage(db, filters, page))
        assert.match(plan, /Index Scan/)
        // The others are empty.
        assert.doesNotMatch(plan, /Seq Scan on audit_events_(?:until|2026_03)/)
      }
    })
  })
}

test('a month beyond the size is left to be dropped, and the months before it are emptied', () => {
  const month = (n: number, bytes: number) => ({
    name: '',
    startsAt: n === 0 ? '' : `2026-0${n}-01T00:00:00.000Z`,
    endsAt: `2026-0${n + 1}-01T00:00:00.000Z`,
    bytes,
  })
  const cutoff = '2026-03-15T12:00:00.000Z'

  assert.equal(startOfLarge([month(0, 99), month(2, 5), month(3, 5)], cutoff, 10), cutoff)
  assert.equal(startOfLarge([month(2, 5), month(3, 11)], cutoff, 10), '2026-03-01T00:00:00.000Z')
  assert.equal(startOfLarge([month(4, 11)], cutoff, 10), cutoff)
})
