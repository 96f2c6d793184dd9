import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { type AuditFilters, blankEventsOf, findEventPage } from '../server/audit/audit.ts'
import type { Backend } from '../server/database/connect.ts'
import { openDatabase } from '../server/database/open.ts'
import type { Schema } from '../server/database/schema.ts'
import { databaseUrl } from '../server/lib/setting-types.ts'
import { MINUTE_MS, toIso } from '../server/lib/units.ts'
import { planOf } from './support/plans.ts'
import { times } from './support/races.ts'
import { type Service, startService } from './support/service.ts'

// A quarter of events must slow down nobody who looks for a few of them.

const USERS = 50
const EVENTS_PER_USER = 100

/** One event a minute, the newest just now, nearly all of one kind. */
async function fillAudit(db: Kysely<Schema>, nowMs: number): Promise<void> {
  for (const turn of times(EVENTS_PER_USER)) {
    const events = times(USERS).map((n) => ({
      at: toIso(nowMs - (turn * USERS + n) * MINUTE_MS),
      event: n === 0 && turn % 20 === 0 ? 'user.disabled' : 'user.changed',
      actor_id: n,
      subject_id: n,
      changes: '{}',
      ip: '203.0.113.7',
      request_id: null,
    }))
    await db.insertInto('audit_events').values(events).execute()
  }
  await sql`analyze`.execute(db)
}

describe('with five thousand events', () => {
  const nowMs = Date.UTC(2026, 0, 1, 12)
  let service: Service
  let backend: Backend
  before(async () => {
    service = await startService({}, { nowMs })
    backend = await openDatabase(databaseUrl(service.databaseUrl))
    await fillAudit(backend.writer, nowMs)
  })
  after(async () => {
    await backend.close()
    await service[Symbol.asyncDispose]()
  })

  const late = toIso(nowMs - MINUTE_MS)
  const early = toIso(nowMs - USERS * EVENTS_PER_USER * MINUTE_MS)
  const page = { limit: 101, before: undefined }
  for (const [what, index, filters, position] of [
    ['nothing', 'at', {}, page],
    ['a late start', 'at', { since: late }, page],
    ['an early end', 'at', { until: early }, page],
    ['the place of a page', 'at', { until: late }, { ...page, before: { at: early, id: 7 } }],
    ['a late start and an event', 'event', { since: late, event: 'user.disabled' }, page],
    ['an early end and an event', 'event', { until: early, event: 'user.disabled' }, page],
    ['whom it concerns, and a late start', 'subject', { subjectId: 7, since: late }, page],
    ['who did it, and an early end', 'actor', { actorId: 7, until: early }, page],
  ] as [string, string, AuditFilters, Parameters<typeof findEventPage>[2]][]) {
    test(`a page by ${what} seeks in audit_events_${index}`, async () => {
      const plan = await planOf(backend.writer, backend.dialect, (db) =>
        findEventPage(db, filters, position),
      )

      assert.match(plan, /\baudit_events_(?:at|event|subject|actor)\b/)
      assert.doesNotMatch(plan, /Seq Scan|SCAN audit_events"/)
      const bounded = filters.since ?? filters.until
      if (bounded !== undefined) assert.match(plan, SEEK)
      if (backend.dialect === 'sqlite') assert.match(plan, new RegExp(`audit_events_${index}\\b`))
    })
  }

  test('what is left of a deleted user’s networks is found in audit_events_unblanked', async () => {
    const plan = await planOf(backend.writer, backend.dialect, (db) =>
      db.transaction().execute((tx) => blankEventsOf(tx, [7], 10)),
    )

    assert.match(plan, /\baudit_events_unblanked\b/)
  })
})

/** PostgreSQL names the times in the condition of the index, SQLite the columns that it seeks by. */
const SEEK = /Index Cond: [^"]*\bat\b|SEARCH audit_events USING INDEX \w+ \([^"]*\bat[<>]/
