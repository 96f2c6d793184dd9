import { sql } from 'kysely'
import type { Db } from '../database/connect.ts'
import { MINUTE_MS, toIso } from '../lib/units.ts'
import type { Channel } from './kind.ts'
import { TURNS } from './lines.ts'

const CHANNELS: readonly Channel[] = ['mail', 'sms']
/** Longer than the backoff of a message that was not refused. */
const PUT_OFF_MAX_MS = 15 * MINUTE_MS

/**
 * True when a message has been due since `sinceMs` or earlier and is not delivered. A message that was
 * delayed without a refusal counts whatever its next due time: it waits for this service or its transport.
 */
export async function isMailOverdue(db: Db, sinceMs: number): Promise<boolean> {
  for (const channel of CHANNELS) if (await isOverdue(db, channel, toIso(sinceMs))) return true
  return false
}

async function isOverdue(db: Db, channel: Channel, since: string): Promise<boolean> {
  const overdue = await db
    .selectFrom('outbox')
    .select('id')
    .where('finished_at', 'is', null)
    .where('channel', '=', channel)
    // Excludes reminders, which are due a day later, from the scan.
    .where('due_at', '<=', toIso(Date.parse(since) + MINUTE_MS + PUT_OFF_MAX_MS))
    .where((eb) =>
      eb.or([
        eb('due_at', '<=', since),
        eb.and([
          eb('created_at', '<=', since),
          eb('refusals', '=', 0),
          eb('last_error', 'is not', null),
        ]),
      ]),
    )
    // Without `order by` PostgreSQL expects an early match and scans the whole table.
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst()
  return overdue !== undefined
}

/** Counts sign-up mails sent after a time, up to `max`. */
export async function countSentMails(db: Db, sinceMs: number, max: number): Promise<number> {
  const { count } = await db
    .selectFrom((eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('line', '=', 'sign_ups')
        // Literal: SQLite uses a partial index only for the exact condition of its definition.
        .where(sql<boolean>`state = 'sent'`)
        .where('finished_at', '>', toIso(sinceMs))
        // Without it PostgreSQL may expect an early match and scan the whole table.
        .orderBy('finished_at')
        .limit(max)
        .as('sent'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** True when a sign-up mail could be claimed now. */
export async function isSignUpMailDue(db: Db, nowMs: number): Promise<boolean> {
  // One by one, so that none reads the reminders, which are due a day later.
  for (const turn of TURNS) {
    const due = await db
      .selectFrom('outbox')
      .select('id')
      .where('finished_at', 'is', null)
      .where('channel', '=', 'mail')
      .where('line', '=', 'sign_ups')
      .where('turn', '=', turn)
      .where('due_at', '<=', toIso(nowMs))
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst()
    if (due !== undefined) return true
  }
  return false
}
