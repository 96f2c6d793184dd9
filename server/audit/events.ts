import type { Selectable } from 'kysely'
import { type Db, run, type Statement, type Tx } from '../database/connect.ts'
import type { AuditEventsTable } from '../database/schema.ts'
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

/** Bounds the events of an admin whose IP address changes with each request. */
const READ_EVENTS_PER_HOUR = 10

/**
 * Counts a page that an actor read: in one event per IP address and hour, at most ten events an hour. The
 * caller holds the actor's lock, so that concurrent pages are all counted.
 */
export async function countRead(
  tx: Tx,
  read: AuditEvent & { readonly actorId: number; readonly ip: string | null },
  nowMs: number,
): Promise<void> {
  const events = await tx
    .selectFrom('audit_events')
    .select(['id', 'ip', 'changes'])
    .where('actor_id', '=', read.actorId)
    .where('event', '=', read.event)
    .where('at', '>', toIso(nowMs - HOUR_MS))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(READ_EVENTS_PER_HOUR)
    .execute()
  const newest = events.length === READ_EVENTS_PER_HOUR ? events[0] : undefined
  const counted = events.find(({ ip }) => ip === read.ip) ?? newest
  if (counted === undefined) return recordEvent(tx, { ...read, changes: { pages: 1 } }, nowMs)
  const { pages } = JSON.parse(counted.changes) as { pages: number }
  const changes = JSON.stringify({ pages: pages + 1 })
  await tx.updateTable('audit_events').set({ changes }).where('id', '=', counted.id).execute()
}

export type AuditRow = Selectable<AuditEventsTable>

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
  let query = db
    .selectFrom('audit_events')
    .select(['id', 'at', 'event', 'actor_id', 'subject_id', 'changes', 'ip', 'request_id'])
  if (event !== undefined) query = query.where('event', '=', event)
  if (actorId !== undefined) query = query.where('actor_id', '=', actorId)
  if (subjectId !== undefined) query = query.where('subject_id', '=', subjectId)
  if (since !== undefined) query = query.where('at', '>=', since)
  // One upper bound only: with two, SQLite may seek by the weaker one. A cursor is never later than `until`.
  if (before !== undefined) {
    const { at, id } = before
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('at', 'id'), '<', tuple(at, id)))
  } else if (until !== undefined) query = query.where('at', '<', until)
  return masked(db, await query.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute())
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
 * Removes the IP addresses from at most `limit` events of deleted users: those that they caused and those
 * of clients that were not logged in. An admin's IP remains until that admin is deleted. Returns how many.
 */
export async function blankEventsOf(
  tx: Tx,
  userIds: readonly number[],
  limit: number,
): Promise<number> {
  if (userIds.length === 0) return 0
  const { numUpdatedRows } = await tx
    .updateTable('audit_events')
    .set({ ip: null })
    .where('id', 'in', (eb) => {
      const ofUser = eb.fn.coalesce('actor_id', 'subject_id')
      return eb
        .selectFrom('audit_events')
        .select('id')
        .where('ip', 'is not', null)
        .where(ofUser, 'in', userIds)
        .orderBy(ofUser)
        .orderBy('id')
        .limit(limit)
    })
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Deletes at most `limit` events older than `before`; returns how many. */
export function deleteEventsBefore(tx: Tx, before: string, limit: number): Promise<number> {
  return deleteBefore(tx, ['audit_events', 'at'], { before, limit })
}
