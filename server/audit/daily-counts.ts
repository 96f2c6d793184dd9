import type { Selectable } from 'kysely'
import type { Db, Tx } from '../database/connect.ts'
import type { DailyCountsTable } from '../database/schema.ts'
import { toIso } from '../lib/units.ts'
import type { AuditEventName } from './event-names.ts'

// Counted from the log from time to time: logins that increased a row of their day would wait for each other.

/** What is counted, by column. */
export const COUNTED = {
  sign_ups: 'sign_up.received',
  logins: 'session.opened',
  refused_logins: 'login.failed',
} as const satisfies Record<string, AuditEventName>

export type Series = keyof typeof COUNTED
export const SERIES = Object.keys(COUNTED) as Series[]

export type DailyCounts = Selectable<DailyCountsTable>

interface Period {
  readonly sinceMs: number
  /** Exclusive. */
  readonly untilMs: number
}

/** Counts the events of a period; up to `max`, if given. */
export async function countEvents(
  db: Db,
  event: AuditEventName,
  { sinceMs, untilMs, max }: Period & { readonly max?: number },
): Promise<number> {
  const events = db
    .selectFrom('audit_events')
    .select('id')
    .where('event', '=', event)
    .where('at', '>=', toIso(sinceMs))
    .where('at', '<', toIso(untilMs))
  // Without an order PostgreSQL may expect an early match and scan the whole table.
  const counted = max === undefined ? events : events.orderBy('at').limit(max)
  const { count } = await db
    .selectFrom(counted.as('counted'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** The counts of days from one on, oldest first. */
export function findDailyCounts(db: Db, sinceDay: string): Promise<DailyCounts[]> {
  return db
    .selectFrom('daily_counts')
    .selectAll()
    .where('day', '>=', sinceDay)
    .orderBy('day')
    .limit(DAYS_MAX)
    .execute()
}

/** More than are kept. */
const DAYS_MAX = 100

/** Replaces what an earlier count of the day found. */
export async function keepDailyCounts(tx: Tx, counts: DailyCounts): Promise<void> {
  await tx
    .insertInto('daily_counts')
    .values(counts)
    .onConflict((conflict) => conflict.column('day').doUpdateSet(counts))
    .execute()
}

/** Keeps the days from one to another, both inclusive; a clock that ran ahead has counted later ones. */
export async function forgetOtherDays(
  tx: Tx,
  { first, last }: { first: string; last: string },
): Promise<void> {
  await tx
    .deleteFrom('daily_counts')
    .where((eb) => eb.or([eb('day', '<', first), eb('day', '>', last)]))
    .execute()
}
