import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import type { Backend } from '../server/database/connect.ts'
import { openDatabase } from '../server/database/open.ts'
import type { Schema } from '../server/database/schema.ts'
import { countSentMails, isMailOverdue } from '../server/jobs/backlog.ts'
import { claimMessage } from '../server/jobs/claims.ts'
import { forgetStrangers } from '../server/jobs/outbox.ts'
import { hastenUnconfirmed } from '../server/jobs/settlements.ts'
import { newId } from '../server/lib/random.ts'
import { databaseUrl } from '../server/lib/setting-types.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../server/lib/units.ts'
import { findMails } from '../server/outbox/mails.ts'
import { planOf } from './support/plans.ts'
import { type Service, startService } from './support/service.ts'
import { times } from './support/races.ts'

// A month of mail must slow down nobody who looks for what is due now.

const HOURS = 50
const MAILS_PER_HOUR = 100

/** Much that was sent, little that failed, and reminders that wait. */
async function fillOutbox(db: Kysely<Schema>, nowMs: number): Promise<void> {
  for (const hour of times(HOURS)) {
    const at = toIso(nowMs - hour * HOUR_MS - MINUTE_MS)
    const common = { email_canonical: null, user_id: null, recipient: null, last_error: null }
    const mail = { ...common, kind: 'verification', payload: '{}', claims: 1, created_at: at }
    const ended = { ...mail, due_at: at, finished_at: at }
    const dueAt = toIso(nowMs + (hour + 1) * HOUR_MS)
    const waiting = { ...mail, kind: 'reminder', due_at: dueAt, finished_at: null }
    await db
      .insertInto('outbox')
      .values([
        ...times(MAILS_PER_HOUR).map(() => ({ ...ended, id: newId(), state: 'sent' as const })),
        { ...ended, id: newId(), state: 'dead' as const },
        ...times(20).map(() => ({ ...waiting, id: newId(), state: 'waiting' as const })),
      ])
      .execute()
  }
  await sql`analyze`.execute(db)
}

describe('with a month of mail', () => {
  const nowMs = Date.UTC(2026, 0, 1, 12)
  let service: Service
  let backend: Backend
  before(async () => {
    service = await startService({}, { nowMs })
    backend = await openDatabase(databaseUrl(service.databaseUrl))
    await fillOutbox(backend.writer, nowMs)
  })
  after(async () => {
    await backend.close()
    await service[Symbol.asyncDispose]()
  })

  const claim = {
    channel: 'mail',
    kinds: ['verification'],
    nowMs,
    claimMs: 1,
    woken: true,
  } as const
  for (const [what, index, ask] of [
    [
      'a claim',
      'outbox_waiting',
      (db) => db.transaction().execute((tx) => claimMessage(tx, claim)),
    ],
    [
      'the count of the last hour',
      'outbox_finished',
      (db) => countSentMails(db, nowMs - HOUR_MS, 10_000),
    ],
    ['readiness', 'outbox_waiting', (db) => isMailOverdue(db, nowMs - MINUTE_MS)],
    [
      'the end of an outage',
      'outbox_waiting',
      (db) => db.transaction().execute((tx) => hastenUnconfirmed(tx, 'mail', nowMs)),
    ],
    [
      'the search for addresses that are no user’s',
      'outbox_strangers',
      (db) => db.transaction().execute((tx) => forgetStrangers(tx, toIso(nowMs - HOUR_MS), 1000)),
    ],
    [
      'a list of what failed',
      'outbox_failed',
      (db) => findMails(db, { state: 'dead' }, { limit: 100, after: undefined }),
    ],
  ] as [string, string, (db: Kysely<Schema>) => Promise<unknown>][]) {
    test(`${what} reads ${index}, not the table`, async () => {
      const plan = await planOf(backend.writer, backend.dialect, ask)

      assert.match(plan, new RegExp(`\\b${index}\\b`))
      assert.doesNotMatch(plan, /Seq Scan on outbox|SCAN outbox"/)
    })
  }
})
