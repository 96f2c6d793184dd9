import { type ExpressionBuilder, type Selectable, sql } from 'kysely'
import { type Db, run, type Statement, type Tx } from '../database/connect.ts'
import type { AuditEventsTable, Schema } from '../database/schema.ts'
import { HOUR_MS, toIso } from '../lib/units.ts'
import type { AuditEventName } from './event-names.ts'
import { deleteBefore } from '../database/delete-before.ts'

export interface AuditEvent {
  readonly event: AuditEventName
  /** Absent for the service itself and its operators. */
  readonly actorId?: number
  /** The affected user. */
  readonly subjectId?: number
  /** Field names, ids and counts; never an address, a name or a secret. */
  readonly changes?: Readonly<Record<string, unknown>>
  readonly ip?: string | null
  readonly requestId?: string
}

/** Records an event in the transaction of the change that it describes. */
export async function recordEvent(tx: Tx, event: AuditEvent, nowMs: number): Promise<void> {
  await run(tx, insertEvent, {
    at: toIso(nowMs),
    event: event.event,
    actor_id: event.actorId ?? null,
    subject_id: event.subjectId ?? null,
    changes: JSON.stringify(event.changes ?? {}),
    ip: event.ip ?? null,
    request_id: event.requestId ?? null,
  })
}

const insertEvent: Statement<Omit<AuditRow, 'id'>, unknown> = {
  name: 'insert_event',
  build: (tx, row) => tx.insertInto('audit_events').values(row),
}

/** Increased by the database, so that concurrent pages are all counted, under the lock and without it. */
const morePages = (pages: number) =>
  sql<string>`'{"pages":' || (cast(replace(replace(changes, '{"pages":', ''), '}', '') as integer) + cast(${pages} as integer)) || '}'`

interface CountedRead {
  readonly actorId: number
  readonly event: AuditEventName
  readonly ip: string
  readonly since: string
  readonly pages: number
}

/** Counts pages in the event of their actor and IP address since a time; returns that event's id, if there is one. */
export const countReadAgain: Statement<
  CountedRead & Record<string, string | number>,
  { id: number }
> = {
  name: 'count_read_again',
  build: (tx, { actorId, event, ip, since, pages }) =>
    tx
      .updateTable('audit_events')
      .set({ changes: morePages(pages) })
      .where('id', '=', (eb) =>
        eb
          .selectFrom('audit_events')
          .select('id')
          .where(isToOthers(actorId))
          .where('event', '=', event)
          .where('ip', '=', ip)
          .where('at', '>', since)
          .orderBy('at', 'desc')
          .orderBy('id', 'desc')
          .limit(sql.lit(1)),
      )
      .returning('id'),
}

/** Bounds the events of an admin whose IP address changes with each request. */
const READ_EVENTS_PER_HOUR = 10

/**
 * Counts a page that an actor read: in one event per IP address and hour, at most ten events an hour. The
 * caller holds the actor's lock, so that concurrent pages share an event.
 */
export async function countRead(
  tx: Tx,
  read: AuditEvent & { readonly actorId: number; readonly ip: string | null },
  nowMs: number,
): Promise<void> {
  const events = await tx
    .selectFrom('audit_events')
    .select(['id', 'at', 'ip'])
    .where(isToOthers(read.actorId))
    .where('event', '=', read.event)
    .where('at', '>', toIso(nowMs - HOUR_MS))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(READ_EVENTS_PER_HOUR)
    .execute()
  const newest = events.length === READ_EVENTS_PER_HOUR ? events[0] : undefined
  const counted = events.find(({ ip }) => ip === read.ip) ?? newest
  if (counted === undefined) return recordEvent(tx, { ...read, changes: { pages: 1 } }, nowMs)
  await tx
    .updateTable('audit_events')
    .set({ changes: morePages(1) })
    .where('id', '=', counted.id)
    // Spares the other months where the table is partitioned.
    .where('at', '=', counted.at)
    .execute()
}

/** What a user did to others or to nobody; what users do to themselves is found by the subject. */
export function isToOthers(actorId: number) {
  return ({ and, eb, ref }: ExpressionBuilder<Schema, 'audit_events'>) =>
    and([
      eb('actor_id', '=', actorId),
      // As in the index: no planner derives it.
      eb('actor_id', 'is distinct from', ref('subject_id')),
    ])
}

export type AuditRow = Selectable<AuditEventsTable>

const EVENT_COLUMNS = [
  'id',
  'at',
  'event',
  'actor_id',
  'subject_id',
  'changes',
  'ip',
  'request_id',
] as const satisfies readonly (keyof AuditRow)[]

export interface AuditFilters {
  readonly event?: AuditEventName | undefined
  readonly actorId?: number | undefined
  readonly subjectId?: number | undefined
  /** RFC 3339 in UTC with milliseconds; `since` is inclusive, `until` exclusive. */
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** A cursor: the position of an event in the list; the id breaks ties. */
export interface EventKey {
  readonly at: string
  readonly id: number
}

/**
 * At most `limit` events older than `before`, newest first, without the IP addresses of deleted users.
 * Each filter has an index in this order.
 */
export async function findEventPage(
  db: Db,
  { event, actorId, subjectId, since, until }: AuditFilters,
  { limit, before }: { limit: number; before: EventKey | undefined },
): Promise<AuditRow[]> {
  let query = db.selectFrom('audit_events').select(EVENT_COLUMNS)
  if (event !== undefined) query = query.where('event', '=', event)
  if (subjectId !== undefined) query = query.where('subject_id', '=', subjectId)
  if (since !== undefined) query = query.where('at', '>=', since)
  // One upper bound only: with two, SQLite may seek by the weaker one. A cursor is never later than `until`.
  if (before !== undefined) {
    const { at, id } = before
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('at', 'id'), '<', tuple(at, id)))
  } else if (until !== undefined) query = query.where('at', '<', until)
  const page = (of: typeof query) => of.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit)
  if (actorId === undefined) return masked(db, await page(query).execute())
  const toSelf = page(query.where('actor_id', '=', actorId).where('subject_id', '=', actorId))
  const toOthers = page(query.where(isToOthers(actorId)))
  if (subjectId !== undefined)
    return masked(db, await (subjectId === actorId ? toSelf : toOthers).execute())
  const both = db
    .selectFrom(toSelf.as('page'))
    .selectAll()
    .unionAll(db.selectFrom(toOthers.as('page')).selectAll())
  return masked(db, await both.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute())
}

/** As `findEventPage`, what happened to a user, and what the user did to others or to nobody. */
export async function findEventPageOf(
  db: Db,
  userId: number,
  page: { limit: number; before: EventKey | undefined },
): Promise<AuditRow[]> {
  return masked(db, await findEventsOf(db, userId, page))
}

/** Two queries, each with its own index: an `or` would use neither. */
export function findEventsOf(
  db: Db,
  userId: number,
  { limit, before }: { limit: number; before: EventKey | undefined },
): Promise<AuditRow[]> {
  let events = db
    .selectFrom('audit_events')
    .select(EVENT_COLUMNS)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
  if (before !== undefined) {
    const { at, id } = before
    events = events.where(({ eb, refTuple, tuple }) => eb(refTuple('at', 'id'), '<', tuple(at, id)))
  }
  return db
    .selectFrom(events.where('subject_id', '=', userId).as('page'))
    .selectAll()
    .unionAll(db.selectFrom(events.where(isToOthers(userId)).as('page')).selectAll())
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** The erasure of a deleted user may not have reached these rows. */
async function masked(db: Db, rows: readonly AuditRow[]): Promise<AuditRow[]> {
  const ofUser = (row: AuditRow) => row.actor_id ?? row.subject_id ?? 0
  const ids = [...new Set(rows.map(ofUser))]
  if (ids.length === 0) return []
  // After the rows: an erasure that began in between is applied, too.
  const erasures = await db
    .selectFrom('erasures')
    .select('user_id')
    .where('user_id', 'in', ids)
    .execute()
  const erased = new Set(erasures.map((erasure) => erasure.user_id))
  return rows.map((row) => (erased.has(ofUser(row)) ? { ...row, ip: null } : row))
}

/**
 * Removes the IP addresses of deleted users from events that they caused, and of clients that were not
 * logged in from events about them; an admin's remains until that admin is deleted. Looks at the `limit`
 * oldest events, of a single user at those later than `after`, and returns the last of them. No event is
 * left when there were fewer.
 */
export async function blankEventsOf(
  tx: Tx,
  userIds: readonly number[],
  { limit, after }: { limit: number; after?: EventKey | undefined },
): Promise<{ isLast: boolean; after: EventKey | undefined }> {
  const ids = [...new Set(userIds)]
  if (ids.length === 0) return { isLast: true, after }
  let events = tx.selectFrom('audit_events').select(['id', 'at']).limit(limit)
  if (after !== undefined) {
    const { at, id } = after
    events = events.where(({ eb, refTuple, tuple }) => eb(refTuple('at', 'id'), '>', tuple(at, id)))
  }
  // The first column of the order makes PostgreSQL read that index, and not the oldest of all events.
  const about = events.where('subject_id', 'in', ids).orderBy('subject_id')
  const toOthers = events
    .where('actor_id', 'in', ids)
    .where('actor_id', 'is distinct from', (eb) => eb.ref('subject_id'))
    .orderBy('actor_id')
  const found = await tx
    .selectFrom(about.orderBy('at').orderBy('id').as('page'))
    .selectAll()
    .unionAll(tx.selectFrom(toOthers.orderBy('at').orderBy('id').as('page')).selectAll())
    .orderBy('at')
    .orderBy('id')
    .limit(limit)
    .execute()
  const [first, last] = [found[0], found.at(-1)]
  if (first === undefined || last === undefined) return { isLast: true, after }
  await tx
    .updateTable('audit_events')
    .set({ ip: null })
    .where(
      'id',
      'in',
      found.map((event) => event.id),
    )
    .where('at', '>=', first.at)
    .where('at', '<=', last.at)
    .where('ip', 'is not', null)
    .where((eb) => eb(eb.fn.coalesce('actor_id', 'subject_id'), 'in', ids))
    .execute()
  return { isLast: found.length < limit, after: { at: last.at, id: last.id } }
}

/** Deletes at most `limit` events older than `before`; returns how many. */
export function deleteEventsBefore(tx: Tx, before: string, limit: number): Promise<number> {
  return deleteBefore(tx, ['audit_events', 'at'], { before, limit })
}
