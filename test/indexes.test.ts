import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Kysely } from 'kysely'
import {
  type AuditFilters,
  blankEventsOf,
  findEventPage,
  findEventPageOf,
} from '../server/audit/events.ts'
import type { Schema } from '../server/database/schema.ts'
import type { Tx } from '../server/database/connect.ts'
import { countSentMails, isMailOverdue, isSignUpMailDue } from '../server/outbox/backlog.ts'
import { claimMessage } from '../server/outbox/claims.ts'
import {
  countMessages,
  enqueueMessage,
  forgetStrangers,
  forgetTextsOf,
} from '../server/outbox/outbox.ts'
import { forgetMessages } from '../server/outbox/forget.ts'
import {
  countExpiredUsers,
  countFirstExpired,
  findExpiredUsers,
  hasMoreExpiredUsers,
} from '../server/accounts/expired-users.ts'
import { findPersonalData } from '../server/accounts/export.ts'
import { findSessionsOf, isKnownNetwork, isNewDevice } from '../server/accounts/session-list.ts'
import { deleteSessionsOf, endSessionsOf } from '../server/accounts/sessions.ts'
import { lockUsers } from '../server/accounts/users.ts'
import { hastenUnconfirmed } from '../server/outbox/outcomes.ts'
import { newId } from '../server/lib/random.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../server/lib/units.ts'
import { countEvents } from '../server/audit/daily-counts.ts'
import { findMails, findMailsOf } from '../server/outbox/mails.ts'
import { DATABASE } from './support/database.ts'
import { type Ask, startPlans } from './support/plans.ts'
import { times } from './support/races.ts'
import { KINDS } from '../server/messages/kinds.ts'

// A month of mail and a quarter of events must slow down nobody who looks for a few of them.

const NOW_MS = Date.UTC(2026, 0, 1, 12)
const NOW = { nowMs: NOW_MS }
const USERS = 50
const EVENTS_PER_USER = 100
const HOURS = 50
const MAILS_PER_HOUR = 100

/** One event a minute, the newest just now, nearly all of one kind. */
async function fillAudit(db: Kysely<Schema>): Promise<void> {
  for (const turn of times(EVENTS_PER_USER)) {
    const events = times(USERS).map((n) => ({
      at: toIso(NOW_MS - (turn * USERS + n) * MINUTE_MS),
      event: n === 0 && turn % 20 === 0 ? 'user.disabled' : 'user.changed',
      actor_id: n,
      subject_id: n,
      changes: '{}',
      ip: '203.0.113.7',
      request_id: null,
    }))
    await db.insertInto('audit_events').values(events).execute()
  }
}

/** Much that was sent, little that failed, and reminders that wait. */
async function fillOutbox(db: Kysely<Schema>): Promise<void> {
  for (const hour of times(HOURS)) {
    const at = toIso(NOW_MS - hour * HOUR_MS - MINUTE_MS)
    const common = { email_canonical: null, user_id: null, recipient: null, last_error: null }
    const waits = { line: 'sign_ups', turn: 0, payload: '{}', claims: 1, created_at: at }
    const mail = { ...common, ...waits, kind: 'verification' }
    const ended = { ...mail, due_at: at, finished_at: at }
    const dueAt = toIso(NOW_MS + (hour + 1) * HOUR_MS)
    const waiting = { ...mail, turn: 3, due_at: dueAt, kind: 'reminder', finished_at: null }
    const notice = { ...mail, line: 'notices', kind: 'new_device' }
    await db
      .insertInto('outbox')
      .values([
        ...times(MAILS_PER_HOUR).map(() => ({ ...ended, id: newId(), state: 'sent' as const })),
        { ...ended, id: newId(), state: 'dead' as const },
        { ...notice, id: newId(), due_at: at, finished_at: null, state: 'waiting' as const },
        ...times(20).map(() => ({ ...waiting, id: newId(), state: 'waiting' as const })),
      ])
      .execute()
  }
  await fillNotices(db)
}

/** A flood of notices in the last hour, ten times the sign-up mail of it. */
async function fillNotices(db: Kysely<Schema>): Promise<void> {
  const at = toIso(NOW_MS - MINUTE_MS)
  const sent = { state: 'sent' as const, created_at: at, due_at: at, finished_at: at, claims: 1 }
  const notice = { ...sent, kind: 'new_device', line: 'notices', payload: '{}' }
  for (const _ of times(2))
    await db
      .insertInto('outbox')
      .values(times(500).map(() => ({ ...notice, id: newId() })))
      .execute()
}

const enqueueReset = (tx: Tx, owner: { userId?: number; email?: string }) =>
  enqueueMessage(tx, 'password_reset', {} as never, { nowMs: NOW_MS, ...owner })
const enqueueChanged = (tx: Tx, userId: number) =>
  enqueueMessage(tx, 'password_changed', {} as never, { nowMs: NOW_MS, userId })

describe('with a month of mail and a quarter of events', () => {
  let plans: Awaited<ReturnType<typeof startPlans>>
  before(async () => {
    plans = await startPlans(async (db) => {
      await fillOutbox(db)
      await fillAudit(db)
    })
  })
  after(() => plans[Symbol.asyncDispose]())

  const claim = {
    channel: 'mail',
    kinds: { verification: KINDS.verification },
    nowMs: NOW_MS,
    claimMs: 1,
    woken: true,
  } as const
  for (const [what, index, ask, query] of [
    [
      'a claim',
      'outbox_waiting',
      (db) => db.transaction().execute((tx) => claimMessage(tx, claim)),
    ],
    [
      'a claim in its turn',
      'outbox_turns',
      (db) => db.transaction().execute((tx) => claimMessage(tx, { ...claim, round: 0 })),
      -1,
    ],
    [
      'a message of a user',
      'outbox_user_waiting',
      (db) => db.transaction().execute((tx) => enqueueReset(tx, { userId: 7 })),
    ],
    [
      'a message to an address',
      'outbox_address_waiting',
      (db) => db.transaction().execute((tx) => enqueueReset(tx, { email: 'a@b.example' })),
    ],
    [
      'a notice that replaces another',
      'outbox_user_waiting',
      (db) => db.transaction().execute((tx) => enqueueChanged(tx, 7)),
    ],
    ['the alarm of the quota', 'outbox_turns', (db) => isSignUpMailDue(db, NOW_MS)],
    [
      'the count of the last hour',
      'outbox_sent',
      (db) => countSentMails(db, NOW_MS - HOUR_MS, 10_000),
    ],
    ['readiness', 'outbox_waiting', (db) => isMailOverdue(db, NOW_MS - MINUTE_MS)],
    [
      'the end of an outage',
      'outbox_waiting',
      (db) => db.transaction().execute((tx) => hastenUnconfirmed(tx, 'mail', NOW_MS)),
    ],
    [
      'the search for addresses that are no user’s',
      'outbox_strangers',
      (db) => db.transaction().execute((tx) => forgetStrangers(tx, toIso(NOW_MS - HOUR_MS), 1000)),
    ],
    [
      'a list of what failed',
      'outbox_state',
      (db) => findMails(db, { state: 'dead' }, { limit: 100, after: undefined }),
    ],
    [
      'the count of the events of a day',
      'audit_events_(?:event|at)',
      (db) => countEvents(db, 'user.changed', { sinceMs: NOW_MS - HOUR_MS, untilMs: NOW_MS }),
    ],
    [
      'the count of the latest events, up to a number',
      'audit_events_event',
      (db) =>
        countEvents(db, 'user.disabled', { sinceMs: NOW_MS - DAY_MS, untilMs: NOW_MS, max: 100 }),
    ],
    [
      'the search for a deleted user’s networks',
      'audit_events_subject\\b.*\\baudit_events_to_others',
      (db) => db.transaction().execute((tx) => blankEventsOf(tx, [7], { limit: 10 })),
      0,
    ],
  ] as [string, string, Ask, number | undefined][]) {
    test(`${what} reads ${index.split('\\', 1)[0]}, not the table`, async () => {
      const plan = await plans.planOf(ask, query)

      assert.match(plan, new RegExp(`\\b${index}\\b`))
      assert.doesNotMatch(plan, /Seq Scan on (outbox|audit_events)|SCAN (outbox|audit_events)"/)
    })
  }

  const late = toIso(NOW_MS - MINUTE_MS)
  const early = toIso(NOW_MS - USERS * EVENTS_PER_USER * MINUTE_MS)
  const page = { limit: 101, before: undefined }
  for (const [what, index, filters, position] of [
    ['nothing', 'at', {}, page],
    ['an event', 'event', { event: 'user.disabled' }, page],
    ['whom it concerns', 'subject', { subjectId: 7 }, page],
    ['who did it', 'to_others', { actorId: 7 }, page],
    ['a late start', 'at', { since: late }, page],
    ['an early end', 'at', { until: early }, page],
    ['the place of a page', 'at', { until: late }, { ...page, before: { at: early, id: 7 } }],
    ['a late start and an event', 'event', { since: late, event: 'user.disabled' }, page],
    ['an early end and an event', 'event', { until: early, event: 'user.disabled' }, page],
    ['whom it concerns, and a late start', 'subject', { subjectId: 7, since: late }, page],
    ['who did it, and an early end', 'to_others', { actorId: 7, until: early }, page],
  ] as [string, string, AuditFilters, Parameters<typeof findEventPage>[2]][]) {
    test(`a page of events by ${what} seeks in audit_events_${index}`, async () => {
      const plan = await plans.planOf((db) => findEventPage(db, filters, position))

      assert.match(plan, /\baudit_events_(?:at|event|subject|to_others)\b/)
      assert.doesNotMatch(plan, /Seq Scan|SCAN audit_events"/)
      if ('since' in filters || 'until' in filters) assert.match(plan, SEEK)
      if (DATABASE === 'sqlite') assert.match(plan, new RegExp(`audit_events_${index}\\b`))
    })
  }
})

/** Fifty who logged in now and then, and one who did so all day. */
async function fillUsers(db: Kysely<Schema>): Promise<void> {
  const at = toIso(NOW_MS - DAY_MS)
  const verified = { verified_at: at, password_hash: 'none', created_at: at, updated_at: at }
  for (const part of times(USERS + UNVERIFIED_PARTS)) {
    const users = times(100).map((n) => {
      const email = `user${part}-${n}@example.com`
      const role = part === 0 && n === 0 ? ('admin' as const) : ('user' as const)
      const verified_at = part < USERS ? at : null
      return { email, email_canonical: email, role, ...verified, verified_at }
    })
    await db.insertInto('users').values(users).execute()
  }
  for (const part of times(USERS + BUSY_PARTS)) {
    const sessions = times(100).map((n) => ({
      id: newId(),
      user_id: part < USERS ? n + 1 : BUSY,
      generation: 0,
      created_at: toIso(NOW_MS - part * HOUR_MS),
      expires_at: toIso(NOW_MS + DAY_MS),
      ends_at: toIso(NOW_MS + DAY_MS),
      last_seen_at: at,
      ip: '203.0.113.7',
      login_network: `203.0.113.${part}`,
      user_agent: 'seeded',
      login_user_agent: `seeded ${part}`,
      revoked_at: part % USERS === 0 && n % 10 === 0 ? null : at,
    }))
    await db.insertInto('sessions').values(sessions).execute()
    const mails = times(100).map((n) => ({
      id: newId(),
      kind: 'password_changed',
      channel: n === 0 && part === 0 ? ('sms' as const) : ('mail' as const),
      payload: '{}',
      claims: 1,
      state: 'sent' as const,
      email_canonical: BUSY_EMAIL,
      user_id: part < USERS ? n + 1 : BUSY,
      created_at: toIso(NOW_MS - part * HOUR_MS),
      due_at: at,
      finished_at: at,
    }))
    await db.insertInto('outbox').values(mails).execute()
  }
}

const BUSY = 7
const CUTOFF = { createdAt: toIso(NOW_MS), invitedUntil: toIso(NOW_MS) }
const USER_KEY = { id: BUSY, created_at: toIso(NOW_MS - DAY_MS) }
/** Of 100 users each. If they were none, any index of them would do. */
const UNVERIFIED_PARTS = 5
/** Of 100 rows each, a third of all: of half of them PostgreSQL would read those of others, too. */
const BUSY_PARTS = 25
const BUSY_EMAIL = 'user0-6@example.com'
const OWNER = { id: BUSY, email_canonical: BUSY_EMAIL }

describe('with a user who wrote much more than any other', () => {
  let plans: Awaited<ReturnType<typeof startPlans>>
  before(async () => {
    plans = await startPlans(async (db) => {
      await fillUsers(db)
      await fillAudit(db)
    })
  })
  after(() => plans[Symbol.asyncDispose]())

  const inside =
    (ask: (tx: Tx) => Promise<unknown>): Ask =>
    (db) =>
      db.transaction().execute(ask)
  const account = { userIds: [BUSY], emails: [] }
  const at = toIso(NOW_MS)
  const exported = (list: string): Ask => {
    return (db) => {
      const lists = findPersonalData(OWNER, (find) => find(db))
      return lists[list]?.next() ?? assert.fail(list)
    }
  }
  for (const [what, index, ask] of [
    [
      'the end of all sessions',
      'sessions_unrevoked_created',
      inside((tx) => endSessionsOf(tx, BUSY, NOW)),
    ],
    [
      'the list of sessions',
      'sessions_unrevoked_created',
      (db) => findSessionsOf(db, BUSY, NOW_MS),
    ],
    [
      'the search for a known device',
      'sessions_device',
      inside((tx) => isNewDevice(tx, { id: BUSY, verified_at: null }, { ...NOW, userAgent: 'x' })),
    ],
    [
      'the search for a known network',
      'sessions_network',
      (db) => isKnownNetwork(db, BUSY_EMAIL, { ...NOW, network: '192.0.2.1' }),
    ],
    ['the erasure of sessions', 'sessions_user', inside((tx) => deleteSessionsOf(tx, [BUSY], 10))],
    [
      'the erasure of messages',
      'outbox_user',
      inside((tx) => forgetMessages(tx, account, { ...NOW, limit: 10 })),
    ],
    [
      'the erasure of messages by address',
      'outbox_userless',
      inside((tx) =>
        forgetMessages(tx, { userIds: [], emails: [BUSY_EMAIL] }, { ...NOW, limit: 10 }),
      ),
    ],
    ['the removal of a number', 'outbox_texts', inside((tx) => forgetTextsOf(tx, BUSY, NOW_MS))],
    [
      'a limit of messages by user',
      'outbox_user',
      (db) => countMessages(db, ['password_changed'], { userId: BUSY, sinceMs: NOW_MS - HOUR_MS }),
    ],
    [
      'a lock of all admins',
      'users_admins\\w*',
      inside((tx) => lockUsers(tx, [BUSY], { withActiveAdmins: true })),
    ],
    [
      'a batch of the clean-up',
      'users_unverified_created',
      (db) => findExpiredUsers(db, { cutoff: CUTOFF, limit: 10, after: USER_KEY }),
    ],
    [
      'the guard of the clean-up',
      'users_unverified\\w*',
      (db) => hasMoreExpiredUsers(db, CUTOFF, 1000),
    ],
    [
      'a slice of the count of expired accounts',
      'users_unverified\\w*',
      (db) => countExpiredUsers(db, CUTOFF),
    ],
    [
      'a page of a user’s messages',
      'outbox_user\\b.*\\boutbox_userless',
      (db) => findMailsOf(db, OWNER, { limit: 101, after: { createdAt: at, id: newId() } }),
    ],
    [
      'a page of a user’s events',
      'audit_events_subject\\b.*\\baudit_events_to_others',
      (db) => findEventPageOf(db, BUSY, { limit: 101, before: { at, id: 7 } }),
    ],
    [
      'the count of the first expired accounts',
      'users_unverified\\w*',
      (db) => countFirstExpired(db, CUTOFF, 100),
    ],
    ['a page of exported sessions', 'sessions_user', exported('sessions')],
    ['a page of exported messages', 'outbox_user\\b.*\\boutbox_userless', exported('messages')],
    [
      'a page of exported events',
      'audit_events_subject\\b.*\\baudit_events_to_others',
      exported('events'),
    ],
  ] as [string, string, Ask][]) {
    test(`${what} reads ${index.split('\\', 1)[0]}, not the table`, async () => {
      const plan = await plans.planOf(ask)

      assert.match(plan, new RegExp(`\\b${index}\\b`))
      assert.doesNotMatch(plan, /Seq Scan on|SCAN (outbox|audit_events|sessions|users)"/)
    })
  }
})

/** PostgreSQL names the times in the condition of the index, SQLite the columns that it seeks by. */
const SEEK = /Index Cond: [^"]*\bat\b|SEARCH audit_events USING INDEX \w+ \([^"]*\bat[<>]/
